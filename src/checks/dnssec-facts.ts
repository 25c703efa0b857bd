/** Reading DNSSEC out of facts: key tags, signatures of an answer, hashed names. Nothing is validated here. Pure; called by rules. */
import { createHash } from 'node:crypto'
import type { DnsRecord } from '../dns/message.ts'
import type { Rdata, RdataOf, Rrsig } from '../dns/rdata.ts'
import { foldName, sameName, type WireName } from '../dns/wire-name.ts'

/** RFC 4034 appendix B. Of algorithm 1 (RSAMD5) it is another, which no DS of today names. */
export function keyTagOf({ flags, protocol, algorithm, key }: RdataOf<'DNSKEY'>): number {
  const rdata = Buffer.concat([Buffer.from([flags >> 8, flags & 255, protocol, algorithm]), key])
  let sum = 0
  for (const [at, octet] of rdata.entries()) sum += at % 2 === 0 ? octet << 8 : octet
  return (sum + (sum >>> 16)) & 0xffff
}

/** The signatures over the records of a type at a name, in one section of a message. */
export function signaturesOver(section: readonly DnsRecord[], owner: WireName, code: number): readonly Rrsig[] {
  return section.flatMap(({ name, data }) =>
    data.type === 'RRSIG' && data.covered === code && sameName(name, owner) ? [data] : [],
  )
}

/** Seconds from then to the end of a signature, negative where it is over. Times are modulo 2^32 (RFC 4034 §3.1.5). */
export const secondsLeft = ({ expiration }: Rrsig, atMs: number): number => (expiration - Math.floor(atMs / 1000)) | 0

/** Whether the time lies between its beginning and its end. */
export const isInForce = (signature: Rrsig, atMs: number): boolean =>
  secondsLeft(signature, atMs) >= 0 && ((Math.floor(atMs / 1000) - signature.inception) | 0) >= 0

/** More would only keep us busy (RFC 9276 §3.2 lets resolvers refuse above a limit). */
const mostIterations = 2500

/** Whether an NSEC or NSEC3 record stands at this name: by its name, or by the hash of it (RFC 5155 §5). */
export function isDenialAt(record: DnsRecord, name: WireName): boolean {
  if (record.data.type === 'NSEC') return sameName(record.name, name)
  if (record.data.type !== 'NSEC3' || record.data.algorithm !== 1 || record.data.iterations > mostIterations)
    return false
  const label = foldName(record.name).slice(1, 1 + record.name.charCodeAt(0))
  return label === hashOf(name, record.data)
}

function hashOf(name: WireName, { salt, iterations }: RdataOf<'NSEC3'>): string {
  let digest = Buffer.from(foldName(name), 'latin1')
  for (let round = 0; round <= iterations; round++) digest = createHash('sha1').update(digest).update(salt).digest()
  return base32hex(digest)
}

/** RFC 4648 §7, in lower case and without padding: 20 octets need none. */
function base32hex(octets: Buffer): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const octet of octets) {
    held = ((held << 8) | octet) & 0xffff
    bits += 8
    for (; bits >= 5; bits -= 5) text += '0123456789abcdefghijklmnopqrstuv'.charAt((held >> (bits - 5)) & 31)
  }
  return text
}

export const isDenialRecord = (data: Rdata): data is RdataOf<'NSEC'> | RdataOf<'NSEC3'> =>
  data.type === 'NSEC' || data.type === 'NSEC3'
