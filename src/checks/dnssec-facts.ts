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

/** RFC 9276 §3.2: validators set the limit; none of those in use believes a proof with more. Hashing more would only keep us busy. */
export const mostIterations = 150

/** The denial of a type needs one record, that of a name three (RFC 5155 §7.2); what a server puts beside ten is not looked at. */
const mostDenials = 10

export type DenialAt =
  | { readonly kind: 'denial'; readonly data: RdataOf<'NSEC'> | RdataOf<'NSEC3'> }
  | { readonly kind: 'none' }
  /** It may be one of those that ask for more hashing than is done. */
  | { readonly kind: 'too-many-iterations'; readonly iterations: number }

/** The NSEC or NSEC3 record at this name: by its name, or by the hash of it (RFC 5155 §5). */
export function denialAt(records: readonly DnsRecord[], name: WireName): DenialAt {
  const hashOf = createHashing(name)
  let iterations = 0
  for (const { name: owner, data } of records.filter((record) => isDenialRecord(record.data)).slice(0, mostDenials)) {
    if (data.type === 'NSEC' && sameName(owner, name)) return { kind: 'denial', data }
    if (data.type !== 'NSEC3' || data.algorithm !== 1) continue
    if (data.iterations > mostIterations) iterations = Math.max(iterations, data.iterations)
    else if (foldName(owner).slice(1, 1 + owner.charCodeAt(0)) === hashOf(data)) return { kind: 'denial', data }
  }
  return iterations > 0 ? { kind: 'too-many-iterations', iterations } : { kind: 'none' }
}

/** A zone has one salt and one number of iterations, so its records want one hash of a name. */
function createHashing(name: WireName): (parameters: RdataOf<'NSEC3'>) => string {
  const known = new Map<string, string>()
  return ({ salt, iterations }) => {
    const key = `${iterations} ${salt.toString('hex')}`
    const hash = known.get(key) ?? hashName(name, salt, iterations)
    known.set(key, hash)
    return hash
  }
}

function hashName(name: WireName, salt: Buffer, iterations: number): string {
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
