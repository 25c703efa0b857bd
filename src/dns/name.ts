/**
 * Host and domain names as text: parsed once, at the edge, to one canonical form, so that comparing is `===`.
 * Every room uses this; the wire codec has its own names, of bytes (`wire-name.ts`).
 */
import { toASCII } from 'tr46'

/** A-labels, lower case, no final dot; the root is ".". 1–253 octets, labels of 1–63 from `a-z0-9_-`. */
export type HostName = string & { readonly __host: unique symbol }

export const rootName = '.' as HostName

/** A name that was parsed, or why it is none. */
export type ParsedName =
  | { readonly kind: 'name'; readonly name: HostName }
  | { readonly kind: 'invalid'; readonly why: string }

/**
 * Reads a name as people and records write it: U-labels become A-labels (UTS 46, non-transitional), one final dot is dropped.
 * Underscores are taken, because live MX targets have them; `isHostName` tells names that RFC 1123 would not allow.
 */
export function parseName(text: string): ParsedName {
  if (text === '.') return { kind: 'name', name: rootName }
  // Nearly every name is this plain, and each recipient brings one.
  if (text.length <= maxOctets && canonical.test(text) && !text.includes('xn--'))
    return { kind: 'name', name: text as HostName }
  if (text.length > maxCharacters)
    return { kind: 'invalid', why: `${text.length} characters long, where ${maxOctets} octets are the most` }
  const ascii = isPlain(text) ? text.toLowerCase() : toASCII(text, strictness)
  if (ascii === null) return { kind: 'invalid', why: 'not a valid internationalised name (UTS 46)' }
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii
  if (name === '') return { kind: 'invalid', why: 'empty' }
  if (name.length > maxOctets) return { kind: 'invalid', why: `${name.length} octets long, ${maxOctets} are the most` }
  for (const label of name.split('.')) {
    if (label === '') return { kind: 'invalid', why: 'two dots with nothing between them' }
    if (label.length > 63)
      return { kind: 'invalid', why: `the label "${label.slice(0, 20)}…" is longer than 63 octets` }
    if (!/^[a-z0-9_-]+$/.test(label))
      return { kind: 'invalid', why: `the label "${label}" has characters that no host name has` }
  }
  return { kind: 'name', name: name as HostName }
}

/** Whether the name is a host name by RFC 1123 §2.1: letters, digits, inner hyphens. */
export function isHostName(name: HostName): boolean {
  return name !== rootName && name.split('.').every((label) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label))
}

/** Whether `name` is `parent` or lies below it. */
export function isWithin(name: HostName, parent: HostName): boolean {
  return parent === rootName || name === parent || name.endsWith(`.${parent}`)
}

/**
 * `mx.example.com` of `mx.example.com.example.com` in `example.com`: its final dot is missing in the zone (RFC 1035 §5.1), the commonest mistake with
 * MX records that there is. Undefined: it is no such name.
 */
export function withoutDoubledOrigin(host: HostName, domain: HostName): HostName | undefined {
  return host.endsWith(`.${domain}.${domain}`) ? (host.slice(0, -domain.length - 1) as HostName) : undefined
}

const maxOctets = 253
/**
 * What somebody means is four characters for one at most (a letter with three marks), and an A-label has an octet or more for each that is left.
 * Beyond this nothing is converted: Punycode takes time by the square of the length.
 */
const maxCharacters = 4 * (maxOctets + 1)

const canonical = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/

const strictness = {
  checkBidi: true,
  checkHyphens: false,
  checkJoiners: true,
  useSTD3ASCIIRules: false,
  verifyDNSLength: false,
} as const

/** ASCII without A-labels: those go through UTS 46 too, which tells valid ones from made-up ones. */
const isPlain = (text: string) => /^[\x21-\x7e]+$/.test(text) && !/(^|\.)xn--/i.test(text)
