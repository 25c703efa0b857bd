/**
 * TLSA records as a sender reads them (RFC 7672, RFC 7671, RFC 6698): which ones count for an exchanger, which are usable, what matches the
 * chain that was served, and the record that would. Pure; called by the rules.
 */
import { createHash } from 'node:crypto'
import type { RdataOf } from '../dns/rdata.ts'
import { nameText, sameName, type WireName } from '../dns/wire-name.ts'
import { type Certificate, isIssuedBy, pathOf, readCertificate } from './certificate.ts'
import type { ExchangerFacts, Facts, NotExaminedReason, TlsaLookup, View } from './facts.ts'
import { onceAFact } from './once-a-fact.ts'
import { plainName, recordsOf } from './read-facts.ts'

export type Tlsa = RdataOf<'TLSA'>

export type Dane =
  /** A secure, non-empty set: TLS is required, and with a usable record it is authenticated (RFC 7672 §2.2). */
  | {
      readonly kind: 'records'
      readonly base: WireName
      readonly records: readonly Tlsa[]
      readonly usable: readonly Tlsa[]
    }
  /** Nothing that a sender would use. `ignored`: records that are there, without DNSSEC. */
  | { readonly kind: 'none'; readonly isSecure: boolean; readonly ignored: readonly TlsaLookup[] }
  /** A look-up that a sender must make failed: it leaves this exchanger alone (RFC 7672 §2.1.2). */
  | { readonly kind: 'failed'; readonly base: WireName; readonly view: Extract<View, { kind: 'failed' }> }
  | { readonly kind: 'unknown'; readonly reason: NotExaminedReason; readonly why: string }

/** What a sender that does DANE finds for the exchanger (RFC 7672 §2.2.2, §2.2.3). */
export function daneOf(facts: Facts, exchanger: ExchangerFacts): Dane {
  const { tlsa } = exchanger
  if ('kind' in tlsa) return { kind: 'unknown', reason: tlsa.reason, why: tlsa.why }
  const untold = whyUntold(facts, exchanger, tlsa)
  if (untold) return untold
  const candidates = tlsa.filter((lookup) => isCandidate(exchanger, lookup))
  for (const { base, view } of candidates) {
    if (view.kind === 'failed') return { kind: 'failed', base, view }
    if (view.kind === 'not-examined') return { kind: 'unknown', reason: view.reason, why: view.why }
    // RFC 7672 §2.2.3: the first with a secure set, usable or not, is the base domain; what is insecure counts as nothing.
    if (view.kind !== 'answer' || view.trust !== 'secure') continue
    const records = view.records.map(({ data }) => data)
    return { kind: 'records', base, records, usable: records.filter((one) => whyUnusable(one) === undefined) }
  }
  const ignored = tlsa.filter(({ view }) => view.kind === 'answer')
  return { kind: 'none', isSecure: candidates.length > 0, ignored }
}

/** Without a resolver that validates, nobody knows what is secure. */
function whyUntold(facts: Facts, { a, aaaa }: ExchangerFacts, tlsa: readonly TlsaLookup[]): Dane | undefined {
  const views: readonly View[] = [a, aaaa, ...tlsa.map(({ view }) => view)]
  const isUntold = views.some((view) => 'trust' in view && view.trust === 'untold')
  if (facts.vantage.validation !== 'none' && !isUntold) return undefined
  return { kind: 'unknown', reason: 'not-validating', why: 'The resolver does not validate DNSSEC.' }
}

/**
 * RFC 7672 §2.2.2: senders ask for TLSA only where an address is secure, or, of an alias into an insecure zone, where its first hop is. One
 * secure family is enough.
 */
export function isCandidate(exchanger: ExchangerFacts, { place, base }: TlsaLookup): boolean {
  const hasSecureAddress = [exchanger.a, exchanger.aaaa].some(
    (view) => view.kind === 'answer' && view.trust === 'secure',
  )
  if (hasSecureAddress) return true
  return place === 'original' && sameName(base, exchanger.name) && isSecureAnswer(exchanger.cname)
}

const isSecureAnswer = (view: View) => view.kind === 'answer' && view.trust === 'secure'

export const isAlias = ({ a, aaaa }: ExchangerFacts): boolean =>
  [a, aaaa].some((view) => view.kind === 'answer' && view.aliases.length > 0)

const digestOctets: readonly number[] = [0, 32, 64]

/** Why a sender leaves the record aside, and by which field; undefined for one that is usable. */
export function whyUnusable({ usage, selector, matching, data }: Tlsa): string | undefined {
  // RFC 7672 §3.1.3: 0 and 1 need a set of roots that all senders share, which mail does not have.
  if (usage === 0 || usage === 1) return `usage ${usage} has no meaning for mail`
  if (usage > 3) return `usage ${usage} is not assigned`
  if (selector > 1) return `selector ${selector} is not assigned`
  const octets = digestOctets[matching]
  if (octets === undefined) return `matching type ${matching} is not assigned`
  if (matching > 0 && data.length !== octets)
    return `its digest has ${data.length} octets, and matching type ${matching} has ${octets}`
  // RFC 6698 §4.1
  if (matching === 0 && !isDer(data, selector)) return 'its data is no valid DER'
  return undefined
}

/** Of a key it is asked whether it is one whole SEQUENCE: what is in it is the affair of whoever compares it. */
function isDer(data: Buffer, selector: number): boolean {
  if (selector === 0) return readCertificate(data) !== undefined
  if (data[0] !== 0x30 || data.length < 2) return false
  const first = data[1] ?? 0
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f
  if (lengthOctets > 4) return false
  const length = lengthOctets === 0 ? first : Number.parseInt(data.subarray(2, 2 + lengthOctets).toString('hex'), 16)
  return data.length === 2 + lengthOctets + length
}

/** A set of a thousand records is compared with the same few certificates, of up to 64 KiB each. */
const digests = {
  sha256: onceAFact((octets: Buffer) => createHash('sha256').update(octets).digest()),
  sha512: onceAFact((octets: Buffer) => createHash('sha512').update(octets).digest()),
}

export function fitsCertificate({ selector, matching, data }: Tlsa, { der, key }: Certificate): boolean {
  const whole = selector === 0 ? der : key.spki
  return data.equals(matching === 0 ? whole : digests[matching === 1 ? 'sha256' : 'sha512'](whole))
}

export type Match =
  /** Usage 3: names, dates and issuers do not count (RFC 7671 §5.1). */
  | { readonly kind: 'end-entity'; readonly record: Tlsa }
  /** Usage 2: `path` leads from the leaf to the anchor; names and dates count (RFC 7671 §5.2). */
  | { readonly kind: 'anchor'; readonly record: Tlsa; readonly path: readonly Certificate[] }

/** How the record matches the chain that was sent, or undefined. */
export function matchOf(record: Tlsa, sent: readonly Buffer[]): Match | undefined {
  const path = pathOf(sent)
  const [leaf] = path
  if (!leaf) return undefined
  if (record.usage === 3) return fitsCertificate(record, leaf) ? { kind: 'end-entity', record } : undefined
  // The anchor issues the leaf; a self-issued leaf may be its own.
  const end = path.findIndex(
    (certificate, index) => (index > 0 || certificate.isSelfIssued) && fitsCertificate(record, certificate),
  )
  if (end >= 0) return { kind: 'anchor', record, path: path.slice(0, end + 1) }
  const whole = record.selector === 0 && record.matching === 0 ? readCertificate(record.data) : undefined
  const last = path.at(-1)
  // RFC 7671 §5.2.2: 2 0 0 brings the anchor itself.
  if (!whole || !last || !isIssuedBy(last, whole.x509)) return undefined
  return { kind: 'anchor', record, path: [...path, whole] }
}

export const matchesOf = (records: readonly Tlsa[], sent: readonly Buffer[]): readonly Match[] =>
  records.flatMap((record) => matchOf(record, sent) ?? [])

/** `3 1 1`: what a sender may know or not know, together (RFC 7671 §8). */
export const parametersOf = ({ usage, selector, matching }: Tlsa): string => `${usage} ${selector} ${matching}`

/** The line of a zone file for a record as it is. */
export function tlsaLine(base: WireName, record: Tlsa): string {
  return `_25._tcp.${nameText(base)} IN TLSA ${parametersOf(record)} ${record.data.toString('hex')}`
}

/** `3 1 1` of a key: the form that survives renewals which keep the key (RFC 7671 §5.1). */
export function tlsaOfKey({ key }: Certificate): Tlsa {
  return {
    type: 'TLSA',
    usage: 3,
    selector: 1,
    matching: 1,
    data: createHash('sha256').update(key.spki).digest(),
  }
}

/** The same for an issuer: `2 1 1`. */
export const tlsaOfAnchor = (certificate: Certificate): Tlsa => ({ ...tlsaOfKey(certificate), usage: 2 })

/** `mx1.example.com has TLSA 3 1 1 at _25._tcp.mx1.example.com`, for texts. */
export function tlsaText(base: WireName, records: readonly Tlsa[]): string {
  const kinds = [...new Set(records.map(parametersOf))].slice(0, 8)
  return `TLSA ${kinds.join(', ')} at _25._tcp.${plainName(base)}`
}

/** How many records of an answer are told of at most: a set may have thousands. */
export const mostRecordsTold = 8

export const secureRecordsOf = ({ view }: TlsaLookup): readonly Tlsa[] =>
  view.kind === 'answer' && view.trust === 'secure' ? recordsOf(view).map(({ data }) => data) : []
