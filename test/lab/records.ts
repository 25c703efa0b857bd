/** What names of a test have: written as plain words, made into records for every name server of the lab. */
import type { DnsRecord } from '../../src/dns/message.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import { classCodes } from '../../src/dns/types.ts'
import type { WireName } from '../../src/dns/wire-name.ts'
import { labAddress, labName } from './names.ts'

/** What a name has. `ttl` (seconds, default 300) is that of all its records. */
export interface LabRecords {
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  /** `[preference, exchange]`. */
  readonly MX?: readonly (readonly [number, string])[]
  readonly CNAME?: string
  /** Names of servers in another zone. A zone's own NS set is made of its servers. */
  readonly NS?: readonly string[]
  readonly PTR?: readonly string[]
  /** Each a record. */
  readonly TXT?: readonly string[]
  /** Usage, selector, matching type, data. */
  readonly TLSA?: readonly (readonly [number, number, number, Buffer])[]
  readonly CAA?: readonly (readonly [string, string])[]
  readonly ttl?: number
}

export const labRecord = <D extends Rdata>(name: WireName, data: D, ttlSeconds = 300): DnsRecord<D> => ({
  name,
  class: classCodes.IN,
  ttlSeconds,
  data,
})

export function recordsOf(name: WireName, node: LabRecords): DnsRecord[] {
  const data: Rdata[] = [
    ...(node.CNAME === undefined ? [] : [{ type: 'CNAME' as const, target: labName(node.CNAME) }]),
    ...(node.A ?? []).map((address) => ({ type: 'A' as const, address: labAddress(address) })),
    ...(node.AAAA ?? []).map((address) => ({ type: 'AAAA' as const, address: labAddress(address) })),
    ...(node.MX ?? []).map(([preference, to]) => ({ type: 'MX' as const, preference, exchange: labName(to) })),
    ...(node.NS ?? []).map((to) => ({ type: 'NS' as const, target: labName(to) })),
    ...(node.PTR ?? []).map((to) => ({ type: 'PTR' as const, target: labName(to) })),
    ...(node.TXT ?? []).map((text) => ({ type: 'TXT' as const, strings: inStrings(Buffer.from(text, 'latin1')) })),
    ...(node.TLSA ?? []).map(([usage, selector, matching, bytes]) => ({
      type: 'TLSA' as const,
      usage,
      selector,
      matching,
      data: bytes,
    })),
    ...(node.CAA ?? []).map(([tag, value]) => ({ type: 'CAA' as const, flags: 0, tag, value: Buffer.from(value) })),
  ]
  return data.map((one) => labRecord(name, one, node.ttl))
}

/** A TXT record is made of strings of 255 octets at most (RFC 1035 §3.3). */
function inStrings(bytes: Buffer): Buffer[] {
  const strings: Buffer[] = []
  for (let at = 0; at < bytes.length || at === 0; at += 255) strings.push(bytes.subarray(at, at + 255))
  return strings
}
