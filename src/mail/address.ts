/**
 * Mail addresses (RFC 5321 §4.1.2), parsed once where they enter: from MAIL and RCPT, from waypost.yaml, from a command line.
 * What is sent on is the canonical form that was judged, never the spelling that came in.
 */
import { type IpAddress, parseIp } from '../base/ip.ts'
import { type HostName, parseName } from '../dns/name.ts'

/** What a mailbox's domain is; rooms that know mail and not DNS take it from here. */
export type { HostName }

/** A mailbox of RFC 5321 §4.1.2, as it is meant and not as it was spelt. */
export interface Mailbox {
  /** What the local part means: quotes and backslashes taken away, case kept. Printable ASCII, 1–64 octets. */
  readonly localPart: string
  /** A domain, or undefined for an address literal and for the bare `<Postmaster>`. */
  readonly domain: HostName | undefined
  /** The address inside of a literal, `user@[192.0.2.1]`. */
  readonly literal: IpAddress | undefined
  /** The canonical form that we send: quoted only where it must be, source route gone. Empty is never an address. */
  readonly text: string
}

/** Where mail comes from: a mailbox, or null, `<>`, for mail that must not be answered (RFC 5321 §4.5.5). */
export type ReversePath = Mailbox | null

/** A mailbox that was parsed, or why it is none. */
export type ParsedMailbox =
  | { readonly kind: 'mailbox'; readonly mailbox: Mailbox }
  | { readonly kind: 'invalid'; readonly why: string }

/**
 * Reads `local@domain`, `"quoted local"@domain` or `local@[literal]`, with no brackets around it.
 * @param text  what stood between `<` and `>`, its source route already stripped
 */
export function parseMailbox(text: string): ParsedMailbox {
  if (text.length > 254 + 64) return invalid('longer than 254 octets') // RFC 5321 §4.5.3.1.3
  if (/[^\x20-\x7e]/.test(text)) return invalid('has characters outside of printable ASCII')
  const local = text.startsWith('"') ? readQuoted(text) : readDotString(text)
  if (local === undefined) return invalid('has a local part that is neither a dot-atom nor a quoted string')
  if (text[local.end] !== '@') return invalid('has no "@" behind the local part')
  // RFC 5321 §4.5.3.1.1
  if (local.value.length === 0 || local.value.length > 64)
    return invalid('has a local part that is empty or longer than 64 octets')
  // As an atom where it can be, else as a quoted string.
  const written = text.startsWith('"') ? quoted(local.value) : local.value
  return withDomain(local.value, written, text.slice(local.end + 1))
}

function withDomain(localPart: string, written: string, text: string): ParsedMailbox {
  if (text.startsWith('[')) {
    const literal = parseLiteral(text)
    if (!literal) return invalid('has an address literal that is not one of RFC 5321 section 4.1.3')
    return {
      kind: 'mailbox',
      mailbox: { localPart, domain: undefined, literal, text: `${written}@${literalText(literal)}` },
    }
  }
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') return invalid(`has a domain that is not one: ${parsed.why}`)
  if (text === '.') return invalid('has an empty domain')
  const address = `${written}@${parsed.name}`
  if (address.length > 254) return invalid('longer than 254 octets')
  return { kind: 'mailbox', mailbox: { localPart, domain: parsed.name, literal: undefined, text: address } }
}

export type ParsedPath =
  /** `end`: where behind the ">" the text goes on. `mailbox` is null for `<>`. */
  | { readonly kind: 'path'; readonly mailbox: ReversePath; readonly end: number }
  | { readonly kind: 'invalid'; readonly why: string }

/**
 * Reads a path of MAIL or RCPT, `<mailbox>` (RFC 5321 §4.1.1.2, §4.1.1.3), with `<>`, with the bare `<Postmaster>`, and with a
 * source route, which is recognised and dropped (appendix C): the last mailbox is what is judged.
 * @param text  octets as latin1 characters
 * @param start  where the "<" should stand
 */
export function parsePath(text: string, start: number): ParsedPath {
  if (text[start] !== '<') return invalidPath('does not begin with "<"')
  const end = pathEnd(text, start + 1)
  if (end === undefined) return invalidPath('has no ">" at its end')
  const inner = text.slice(start + 1, end)
  if (inner === '') return { kind: 'path', mailbox: null, end: end + 1 }
  if (inner.length === 10 && inner.toLowerCase() === 'postmaster')
    return { kind: 'path', mailbox: barePostmaster, end: end + 1 }
  const mailboxStart = inner.startsWith('@') ? routeEnd(inner) : 0
  if (mailboxStart === undefined) return invalidPath('its source route is not a list of @domains and a colon')
  const parsed = parseMailbox(mailboxStart === 0 ? inner : inner.slice(mailboxStart))
  return parsed.kind === 'invalid' ? parsed : { kind: 'path', mailbox: parsed.mailbox, end: end + 1 }
}

const invalidPath = (why: string): ParsedPath => ({ kind: 'invalid', why })

/** Where the ">" stands that closes the path: not one inside of a quoted string. */
function pathEnd(text: string, start: number): number | undefined {
  const close = text.indexOf('>', start)
  if (close < 0) return undefined
  const quote = text.indexOf('"', start)
  if (quote < 0 || quote > close) return close
  let isQuoted = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (character === '"') isQuoted = !isQuoted
    else if (isQuoted && character === '\\') at++
    else if (!isQuoted && character === '>') return at
  }
  return undefined
}

/** RFC 5321 §4.1.2: A-d-l. @returns where the mailbox begins behind `@one,@two:` */
function routeEnd(path: string): number | undefined {
  const colon = path.indexOf(':')
  if (colon < 0) return undefined
  for (const hop of path.slice(0, colon).split(',')) {
    if (!hop.startsWith('@') || hop === '@.' || parseName(hop.slice(1)).kind === 'invalid') return undefined
  }
  return colon + 1
}

/** RFC 5321 §4.5.1: `<Postmaster>` without a domain, in any case. */
export const barePostmaster: Mailbox = {
  localPart: 'postmaster',
  domain: undefined,
  literal: undefined,
  text: 'postmaster',
}

/** RFC 5321 §4.5.1: whether it is the postmaster of its domain, in any case. */
export const isPostmaster = ({ localPart }: Pick<Mailbox, 'localPart'>): boolean =>
  localPart.toLowerCase() === 'postmaster'

/** The local part as it must be written: as an atom where it can, else as a quoted string (RFC 5321 §4.1.2). */
export function quoted(localPart: string): string {
  return dotString.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`
}

export function literalText(address: IpAddress): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

const invalid = (why: string): ParsedMailbox => ({ kind: 'invalid', why })

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const dotString = new RegExp(`^${atom}(?:\\.${atom})*$`)
const dotStringAtStart = new RegExp(`^${atom}(?:\\.${atom})*`)

function readDotString(text: string): { value: string; end: number } | undefined {
  const value = dotStringAtStart.exec(text)?.[0]
  return value === undefined ? undefined : { value, end: value.length }
}

/** RFC 5321 §4.1.2: Quoted-string; a backslash frees the character behind it. */
function readQuoted(text: string): { value: string; end: number } | undefined {
  let value = ''
  for (let at = 1; at < text.length; at++) {
    const character = text[at]
    if (character === '"') return { value, end: at + 1 }
    if (character === '\\') at++
    if (at >= text.length) return undefined
    value += text[at]
  }
  return undefined
}

function parseLiteral(text: string): IpAddress | undefined {
  const inner = /^\[(?:(IPv6):)?([0-9A-Fa-f:.]+)\]$/i.exec(text)
  const address = parseIp(inner?.[2] ?? '')
  if (!inner || !address) return undefined
  // RFC 5321 §4.1.3: IPv6 only with its tag, IPv4 only without.
  return (inner[1] !== undefined) === (inner[2] ?? '').includes(':') ? address : undefined
}
