/**
 * SPF records into terms (RFC 7208 §4.5, §4.6, §12). Used by checks, by plans that change a record, and by `spf-limits.ts`.
 * Strict and pure: whatever is wrong makes the whole record a permanent error for receivers, behind `all` too (§4.6).
 */
import { type IpAddress, isIpv6, parseIp } from '../base/ip.ts'
import type { TextProblem } from '../base/place.ts'
import { createProblems, type Problems, shown } from './problems.ts'
import { type MacroPart, parseMacros } from './spf-macro.ts'
import { type Selected, selectText } from './txt.ts'

export type SpfQualifier = 'pass' | 'fail' | 'softfail' | 'neutral'

/** A name, with macros in it or not. */
export interface DomainSpec {
  /** As it is written. */
  readonly text: string
  readonly parts: readonly MacroPart[]
}

interface Mechanism {
  readonly qualifier: SpfQualifier
}

type TermKind =
  | (Mechanism & { readonly kind: 'all' })
  | (Mechanism & { readonly kind: 'include' | 'exists'; readonly domain: DomainSpec })
  /** Without a domain, that of the record itself. */
  | (Mechanism & {
      readonly kind: 'a' | 'mx'
      readonly domain: DomainSpec | undefined
      readonly ipv4Bits: number
      readonly ipv6Bits: number
    })
  | (Mechanism & { readonly kind: 'ptr'; readonly domain: DomainSpec | undefined })
  | (Mechanism & { readonly kind: 'ip4' | 'ip6'; readonly address: IpAddress; readonly bits: number })
  | { readonly kind: 'redirect' | 'exp'; readonly domain: DomainSpec }
  /** A modifier that is not known, and ignored (§6). */
  | { readonly kind: 'unknown'; readonly name: string; readonly value: string }

export type SpfTerm = TermKind & {
  /** As it is written, and where: an offset into the record. */
  readonly text: string
  readonly at: number
}

export interface SpfRecord {
  /** In the order of the record. */
  readonly terms: readonly SpfTerm[]
}

export type ParsedSpf =
  | { readonly kind: 'spf'; readonly record: SpfRecord }
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }

/** RFC 7208 §4.5: the version ends at a blank or at the end of the record, so that "v=spf10" is none. */
const version = /^v=spf1(?= |$)/i

export function selectSpf(texts: readonly string[]): Selected {
  return selectText(texts, (text) => version.test(text))
}

/** @param text  of one record, its strings joined, one character an octet (`txtText`) */
export function parseSpf(text: string): ParsedSpf {
  const problems = createProblems(text)
  if (!version.test(text)) {
    problems.add(0, 'it does not begin with "v=spf1" and a blank')
    return { kind: 'invalid', problems: problems.list }
  }
  const terms: SpfTerm[] = []
  // Blanks between terms are spaces and nothing else (§4.6.1).
  for (const match of text.matchAll(/[^ ]+/g)) {
    if (match.index === 0) continue
    const reading: Reading = { text: match[0], at: match.index, problems }
    const term = readTerm(reading)
    if (term) terms.push({ ...term, text: reading.text, at: reading.at })
  }
  for (const kind of ['redirect', 'exp'] as const) {
    // RFC 7208 §6
    const second = terms.filter((term) => term.kind === kind)[1]
    if (second) problems.add(second.at, `a second "${kind}"`)
  }
  if (problems.list.length > 0) return { kind: 'invalid', problems: problems.list }
  return { kind: 'spf', record: { terms } }
}

/** One term and where it stands. */
interface Reading {
  readonly text: string
  readonly at: number
  readonly problems: Problems
}

const qualifiers: Readonly<Record<string, SpfQualifier>> = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' }

function readTerm(reading: Reading): TermKind | undefined {
  const match = /^([+\-~?]?)([A-Za-z][A-Za-z0-9_.-]*)(.*)$/s.exec(reading.text)
  const [, sign = '', written = '', rest = ''] = match ?? []
  if (!match || !/^(?:$|[=:/])/.test(rest)) return wrong(reading, 0, `${shown(reading.text)} is no term`)
  const name = written.toLowerCase()
  const nameEnd = sign.length + written.length
  if (rest.startsWith('=')) {
    if (sign !== '') return wrong(reading, 0, `a sign before the modifier ${shown(written)}`)
    return readModifier(reading, name, nameEnd + 1)
  }
  return readMechanism(reading, name, qualifiers[sign] ?? 'pass', nameEnd)
}

function readModifier(reading: Reading, name: string, valueStart: number): TermKind | undefined {
  if (name === 'redirect' || name === 'exp') {
    const domain = readDomain(reading, valueStart, reading.text.length)
    return domain && { kind: name, domain }
  }
  const value = reading.text.slice(valueStart)
  const macros = parseMacros(value, true)
  if (macros.kind === 'invalid') return wrong(reading, valueStart + macros.at, `${shown(value)} has ${macros.why}`)
  return { kind: 'unknown', name, value }
}

function readMechanism(reading: Reading, name: string, qualifier: SpfQualifier, end: number): TermKind | undefined {
  const rest = reading.text.slice(end)
  switch (name) {
    case 'all':
      return rest === '' ? { kind: name, qualifier } : wrong(reading, end, '"all" takes nothing behind it')
    case 'include':
    case 'exists': {
      if (!rest.startsWith(':')) return wrong(reading, end, `"${name}" needs ":" and a domain`)
      const domain = readDomain(reading, end + 1, reading.text.length)
      return domain && { kind: name, qualifier, domain }
    }
    case 'a':
    case 'mx': {
      const lengths = readLengths(reading, end)
      if (!lengths) return undefined
      const domain = rest.startsWith(':') ? readDomain(reading, end + 1, lengths.start) : undefined
      if (rest.startsWith(':') && !domain) return undefined
      if (!rest.startsWith(':') && lengths.start !== end)
        return wrong(reading, end, `${shown(rest)} is no prefix length`)
      return { kind: name, qualifier, domain, ipv4Bits: lengths.ipv4Bits, ipv6Bits: lengths.ipv6Bits }
    }
    case 'ptr': {
      if (rest === '') return { kind: name, qualifier, domain: undefined }
      if (!rest.startsWith(':')) return wrong(reading, end, '"ptr" takes ":" and a domain, and no prefix length')
      const domain = readDomain(reading, end + 1, reading.text.length)
      return domain && { kind: name, qualifier, domain }
    }
    case 'ip4':
    case 'ip6':
      return readNetwork(reading, name, qualifier, end)
    default:
      return wrong(reading, 0, `${shown(name)} is no mechanism`)
  }
}

/** `/24`, `//64` or `/24//64` at the end of the term (§5.3). A domain may hold a slash too, but cannot end in one and digits. */
function readLengths(
  reading: Reading,
  from: number,
): { start: number; ipv4Bits: number; ipv6Bits: number } | undefined {
  const behind = reading.text.slice(from)
  const match = /(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(behind)
  const start = from + (match?.index ?? behind.length)
  const [, ipv4, ipv6] = match ?? []
  const ipv4Bits = ipv4 === undefined ? 32 : prefixBits(ipv4, 32)
  const ipv6Bits = ipv6 === undefined ? 128 : prefixBits(ipv6, 128)
  if (ipv4Bits === undefined)
    return wrong(reading, start, `"/${(ipv4 ?? '').slice(0, 10)}" is no IPv4 prefix length, 0–32`)
  if (ipv6Bits === undefined)
    return wrong(reading, start, `"//${(ipv6 ?? '').slice(0, 10)}" is no IPv6 prefix length, 0–128`)
  return { start, ipv4Bits, ipv6Bits }
}

function prefixBits(digits: string, most: number): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(digits) && Number(digits) <= most ? Number(digits) : undefined
}

function readNetwork(
  reading: Reading,
  kind: 'ip4' | 'ip6',
  qualifier: SpfQualifier,
  end: number,
): TermKind | undefined {
  const [written = '', length, more] = reading.text.slice(end + 1).split('/')
  const most = kind === 'ip4' ? 32 : 128
  const address = reading.text.charAt(end) === ':' ? parseIp(written) : undefined
  // An IPv4-mapped address is IPv6 by its text.
  const isFamily = address !== undefined && (kind === 'ip6') === written.includes(':')
  if (!isFamily)
    return wrong(
      reading,
      end,
      `"${kind}" needs ":" and an ${kind === 'ip4' ? 'IPv4' : 'IPv6'} address, not ${shown(written)}`,
    )
  const bits = length === undefined ? most : prefixBits(length, most)
  if (bits === undefined || more !== undefined)
    return wrong(reading, end + 1 + written.length, `the prefix length of ${shown(reading.text)} is not 0–${most}`)
  // Bits of the prefix count in the text's family, which a mapped address has lost.
  if (kind === 'ip6' && !isIpv6(address)) return { kind, qualifier, address, bits: Math.max(0, bits - 96) }
  return { kind, qualifier, address, bits }
}

/** A domain-spec (§7.1): ends in a macro, or in a top label that is not all digits. */
function readDomain(reading: Reading, start: number, end: number): DomainSpec | undefined {
  const text = reading.text.slice(start, end)
  const macros = parseMacros(text)
  if (macros.kind === 'invalid') return wrong(reading, start + macros.at, `${shown(text)} has ${macros.why}`)
  const last = macros.parts.at(-1)
  if (last === undefined) return wrong(reading, start, 'a domain is missing')
  // "%%" and its kin come out as literals, and yet are macros to the grammar.
  const endsInMacro = typeof last !== 'string' || /%[%_-]$/.test(text)
  if (!endsInMacro && !/\.(?=[A-Za-z0-9-]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?$/.test(text))
    return wrong(reading, start, `${shown(text)} is no domain: it ends in no "." and top label`)
  return { text, parts: macros.parts }
}

function wrong(reading: Reading, offset: number, message: string): undefined {
  reading.problems.add(reading.at + offset, message)
}
