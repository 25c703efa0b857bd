/** Data of records, in facts that rules are tested with. */
import type { DnsRecord } from '../../../src/dns/message.ts'
import type { Rdata, RdataOf } from '../../../src/dns/rdata.ts'
import { classCodes, type RecordType, typeCodes } from '../../../src/dns/types.ts'
import type { WireName } from '../../../src/dns/wire-name.ts'
import { collectedMs, ip, wire } from './names.ts'

export const mxData = (preference: number, exchange: string): RdataOf<'MX'> => ({
  type: 'MX',
  preference,
  exchange: wire(exchange),
})
export const aData = (address: string): RdataOf<'A'> => ({ type: 'A', address: ip(address) })
export const aaaaData = (address: string): RdataOf<'AAAA'> => ({ type: 'AAAA', address: ip(address) })
export const txtData = (...strings: string[]): RdataOf<'TXT'> => ({
  type: 'TXT',
  strings: strings.map((string) => Buffer.from(string, 'latin1')),
})
export const cnameData = (target: string): RdataOf<'CNAME'> => ({ type: 'CNAME', target: wire(target) })
export const ptrData = (target: string): RdataOf<'PTR'> => ({ type: 'PTR', target: wire(target) })
export const nsData = (target: string): RdataOf<'NS'> => ({ type: 'NS', target: wire(target) })
export const tlsaData = (usage: number, selector: number, matching: number, data: Buffer): RdataOf<'TLSA'> => ({
  type: 'TLSA',
  usage,
  selector,
  matching,
  data,
})
export const caaData = (tag: string, value: string, flags = 0): RdataOf<'CAA'> => ({
  type: 'CAA',
  flags,
  tag,
  value: Buffer.from(value),
})
export const soaData = (serial = 2026030101, minimumSeconds = 3600): RdataOf<'SOA'> => ({
  type: 'SOA',
  primary: wire('ns1.example.com'),
  mailbox: wire('hostmaster.example.com'),
  serial,
  refreshSeconds: 14_400,
  retrySeconds: 3600,
  expireSeconds: 1_209_600,
  minimumSeconds,
})

const seconds = (ms: number) => Math.floor(ms / 1000)

/** A signature over records of the type, valid from 10 days before to 20 days behind `collectedMs`. */
export const rrsigData = (covered: RecordType, more: Partial<RdataOf<'RRSIG'>> = {}): RdataOf<'RRSIG'> => ({
  type: 'RRSIG',
  covered: typeCodes[covered],
  algorithm: 13,
  labels: 2,
  originalTtlSeconds: 3600,
  inception: seconds(collectedMs - 10 * 86_400_000),
  expiration: seconds(collectedMs + 20 * 86_400_000),
  keyTag: 12_345,
  signer: wire('example.com'),
  signature: Buffer.alloc(64, 1),
  ...more,
})

export const record = <D extends Rdata>(name: WireName, data: D, ttlSeconds = 3600): DnsRecord<D> => ({
  name,
  class: classCodes.IN,
  ttlSeconds,
  data,
})
