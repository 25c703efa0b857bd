/**
 * Domain names as DNS has them: labels of any octets, compared without regard to ASCII case (RFC 1035 §2.3.3, RFC 4343).
 * Used by the codec, the resolver and zone text. Mail has `HostName` (`name.ts`) instead; the two are converted here.
 */
import type { HostName } from './name.ts'
import { rootName } from './name.ts'

/**
 * The uncompressed wire form, one character (0–255) an octet: `\x07example\x03com\0`. 1–255 octets, labels of 1–63, its end the root.
 * A string, so that it serves as the key of a map; case is kept, `foldName` takes it away.
 */
export type WireName = string & { readonly __wire: unique symbol }

export const rootWireName = '\0' as WireName

export const maxNameOctets = 255
const maxLabelOctets = 63

export type ParsedWireName =
  | { readonly kind: 'name'; readonly name: WireName }
  | { readonly kind: 'invalid'; readonly why: string }

/** The name as it compares: A–Z as a–z, other octets as they are (RFC 4343 §3). */
export function foldName(name: WireName): WireName {
  // A length octet is at most 63 and "A" is 65, so the whole may be folded without looking where labels begin.
  return hasUpperCase.test(name) ? (name.replace(upperCase, (run) => run.toLowerCase()) as WireName) : name
}

const hasUpperCase = /[A-Z]/
const upperCase = /[A-Z]+/g

export function sameName(one: WireName, other: WireName): boolean {
  return one === other || (one.length === other.length && foldName(one) === foldName(other))
}

/** The labels, the leftmost first, without the root. Each one is 1–63 characters of 0–255. */
export function labelsOf(name: WireName): string[] {
  const labels: string[] = []
  for (let at = 0; at < name.length - 1; ) {
    const end = at + 1 + name.charCodeAt(at)
    labels.push(name.slice(at + 1, end))
    at = end
  }
  return labels
}

/** Whether `name` is `parent` or lies below it. */
export function isAtOrBelow(name: WireName, parent: WireName): boolean {
  const folded = foldName(name)
  const wanted = foldName(parent)
  for (let at = 0; folded.length - at >= wanted.length; at += 1 + folded.charCodeAt(at)) {
    if (folded.length - at === wanted.length) return folded.endsWith(wanted)
  }
  return false
}

/** The name without its first label; of the root, the root. */
export function parentOf(name: WireName): WireName {
  return name === rootWireName ? name : (name.slice(1 + name.charCodeAt(0)) as WireName)
}

/** A name of these labels, or why there is none. */
export function nameFromLabels(labels: readonly string[]): ParsedWireName {
  let wire = ''
  for (const label of labels) {
    if (label.length === 0) return invalid('it has an empty label')
    if (label.length > maxLabelOctets) return invalid('it has a label longer than 63 octets')
    if (/[^\0-\xff]/.test(label)) return invalid('it has characters that are no octets')
    wire += String.fromCharCode(label.length) + label
  }
  if (wire.length >= maxNameOctets) return invalid('it is longer than 255 octets')
  return { kind: 'name', name: `${wire}\0` as WireName }
}

/**
 * Reads presentation text, with `\.` and `\DDD` escapes (RFC 1035 §5.1). Always absolute: the final dot may be missing.
 * Takes ASCII only; for what people write, `parseName` comes first.
 */
export function nameFromText(text: string): ParsedWireName {
  if (text === '.') return { kind: 'name', name: rootWireName }
  const labels: string[] = []
  let label = ''
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '.') {
      labels.push(label)
      label = ''
    } else if (character === '\\') {
      const escaped = readEscape(text, at + 1)
      if (!escaped) return invalid('it has a backslash with neither three digits up to 255 nor a character behind it')
      label += escaped.octet
      at = escaped.end - 1
    } else if (character > '\x7e' || character < '\x21') {
      return invalid('it has a character outside of printable ASCII that is not escaped')
    } else {
      label += character
    }
    // Bounds the work on a text of any length.
    if (label.length > maxLabelOctets || labels.length > 127) return invalid('it has a label too long, or too many')
  }
  // A final dot has left an empty label behind, which is the root.
  if (label !== '') labels.push(label)
  if (labels.length === 0) return invalid('it is empty')
  return nameFromLabels(labels)
}

function readEscape(text: string, at: number): { octet: string; end: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at, at + 3))?.[0]
  if (digits !== undefined) {
    return Number(digits) > 255 ? undefined : { octet: String.fromCharCode(Number(digits)), end: at + 3 }
  }
  const character = text.charAt(at)
  return /^[\x21-\x7e]$/.test(character) && !/\d/.test(character) ? { octet: character, end: at + 1 } : undefined
}

/** Presentation text, absolute with its final dot: `example.com.`; the root is `.`. Printable ASCII, whatever the octets are. */
export function nameText(name: WireName): string {
  if (name === rootWireName) return '.'
  return `${labelsOf(name)
    .map((label) => label.replace(notPlain, escapeOctet))
    .join('.')}.`
}

/** `nameText` without the final dot: `example.com`; the root is `.`. */
export const plainNameText = (name: WireName): string => nameText(name).replace(/(.)\.$/, '$1')

// The specials of zone text and everything that is not printable ASCII.
const notPlain = /["().;@$\\]|[^\x21-\x7e]/g

function escapeOctet(octet: string): string {
  const code = octet.charCodeAt(0)
  return code > 0x20 && code < 0x7f ? `\\${octet}` : `\\${String(code).padStart(3, '0')}`
}

/** A host name always has a wire form. */
export function nameFromHost(host: HostName): WireName {
  if (host === rootName) return rootWireName
  let wire = ''
  for (const label of host.split('.')) wire += String.fromCharCode(label.length) + label
  return `${wire}\0` as WireName
}

/** The host name in this name, in lower case, or undefined where labels hold what no host name holds (see `HostName`). */
export function hostFromName(name: WireName): HostName | undefined {
  if (name === rootWireName) return rootName
  const folded = foldName(name)
  let host = ''
  for (let at = 0; at < folded.length - 1; ) {
    const end = at + 1 + folded.charCodeAt(at)
    for (let inside = at + 1; inside < end; inside++) if (!isHostCharacter(folded.charCodeAt(inside))) return undefined
    const label = folded.slice(at + 1, end)
    host = host === '' ? label : `${host}.${label}`
    at = end
  }
  return host as HostName
}

/** `a-z0-9_-` */
const isHostCharacter = (code: number) =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x5f

const invalid = (why: string): ParsedWireName => ({ kind: 'invalid', why })
