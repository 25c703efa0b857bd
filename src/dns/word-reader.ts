/**
 * Reads the data of a record from words of zone text. Never throws: what is not there is read as zero, and `problem` then says what was
 * wrong first. Used by `rdata-text.ts` and, for names and times, by `zone-text/`. RFC 1035 §5.1, RFC 4034, RFC 5155, RFC 8659.
 */
import { type IpAddress, parseIp } from '../base/ip.ts'
import { printable } from '../base/printable.ts'
import { dnssecAlgorithms } from './algorithms.ts'
import { hashFromText } from './base32.ts'
import type { RdataSource } from './rdata-form.ts'
import { typeCodeFromName } from './types.ts'
import { foldName, maxNameOctets, nameFromText, rootWireName, type WireName } from './wire-name.ts'
import { octetsOf, type Word } from './words.ts'

/** Something worth a look, at an offset. */
export interface Note {
  readonly at: number
  readonly why: string
}

const maxU32 = 0xffff_ffff

export class WordReader implements RdataSource {
  readonly #words: readonly Word[]
  readonly #origin: WireName
  #next: number
  problem: Note | undefined
  readonly notes: Note[] = []

  /** @param first  index of the first word to read; there is one before it @param origin  what names without a final dot are relative to */
  constructor(words: readonly Word[], first: number, origin: WireName) {
    this.#words = words
    this.#next = first
    this.#origin = origin
  }

  /** How many words are left. */
  get left(): number {
    return this.#words.length - this.#next
  }

  /** The word that is read next. */
  get peek(): Word | undefined {
    return this.#words[this.#next]
  }

  fail(at: number, why: string): void {
    this.problem ??= { at, why }
  }

  /** Whatever the word is, quoted or not. @param what  what should stand here, for the problem */
  word(what: string): Word | undefined {
    const word = this.#words[this.#next]
    if (word === undefined) this.fail(this.#words.at(-1)?.end ?? 0, `${what} is missing`)
    else this.#next++
    return word
  }

  u8(): number {
    return this.#number(0xff)
  }

  u16(): number {
    return this.#number(0xffff)
  }

  u32(): number {
    return this.#number(maxU32)
  }

  seconds(): number {
    return this.#parsed('a number of seconds', (text) => secondsFromText(text, maxU32)) ?? 0
  }

  time(): number {
    return this.#parsed('a time as YYYYMMDDHHmmSS', timeFromText) ?? 0
  }

  typeCode(): number {
    return this.#parsed('a record type', typeCodeFromName) ?? 0
  }

  algorithm(): number {
    const fromText = (text: string) => numberFromText(text, 0xff) ?? dnssecAlgorithms.get(text.toUpperCase())
    return this.#parsed('a DNSSEC algorithm', fromText) ?? 0
  }

  name(_mayPoint = true): WireName {
    const word = this.#bare('a name')
    if (word === undefined) return rootWireName
    const parsed = readName(word.text, this.#origin)
    if (parsed.kind === 'invalid') {
      this.fail(word.start, `${shown(word)} is no name: ${parsed.why}`)
      return rootWireName
    }
    if (parsed.repeatsOrigin)
      this.notes.push({
        at: word.start,
        why: `${shown(word)} has no final dot, so the origin is added to it once more`,
      })
    return parsed.name
  }

  ipv4(): IpAddress {
    return this.#address('an IPv4 address', (text) => !text.includes(':'))
  }

  ipv6(): IpAddress {
    return this.#address('an IPv6 address', (text) => text.includes(':'))
  }

  characterString(): Buffer {
    const word = this.word('a string')
    if (word === undefined) return Buffer.alloc(0)
    const octets = this.#octets(word)
    // RFC 1035 §3.3
    if (octets.length <= 255) return octets
    this.fail(word.start, `a string of ${octets.length} octets; 255 are the most`)
    return Buffer.alloc(0)
  }

  characterStrings(): Buffer[] {
    const strings = [this.characterString()]
    while (this.left > 0) strings.push(this.characterString())
    return strings
  }

  tag(): string {
    // RFC 8659 §4.1
    return (
      this.#parsed('a tag of letters and digits', (text) => (/^[0-9A-Za-z]{1,255}$/.test(text) ? text : undefined)) ??
      ''
    )
  }

  text(): Buffer {
    const word = this.word('a string')
    return word === undefined ? Buffer.alloc(0) : this.#octets(word)
  }

  hex(): Buffer {
    const digits = this.#joined('hexadecimal digits', /^[0-9A-Fa-f]+$/)
    if (digits.length % 2 !== 0) this.fail(this.#lastEnd(), 'an odd number of hexadecimal digits')
    return Buffer.from(digits, 'hex')
  }

  base64(): Buffer {
    const text = this.#joined('base64', /^[0-9A-Za-z+/=]+$/)
    const octets = Buffer.from(text, 'base64')
    // Whatever is left out in decoding (a cut end, padding within, bits behind the last octet) is missing here.
    if (octets.toString('base64') !== text) this.fail(this.#lastEnd(), 'base64 that is cut off or not canonical')
    return octets
  }

  salt(): Buffer {
    const fromText = (text: string) =>
      text === '-' ? Buffer.alloc(0) : /^(?:[0-9A-Fa-f]{2}){1,255}$/.test(text) ? Buffer.from(text, 'hex') : undefined
    return this.#parsed('a salt in hexadecimal, or "-"', fromText) ?? Buffer.alloc(0)
  }

  hash(): Buffer {
    return this.#parsed('a hash in base32hex', hashFromText) ?? Buffer.alloc(0)
  }

  typeBitmap(): number[] {
    const types = new Set<number>()
    while (this.left > 0) types.add(this.typeCode())
    return [...types].sort((a, b) => a - b)
  }

  /** The generic form behind `\#` (RFC 3597 §5): a number of octets, then those in hexadecimal. */
  generic(): Buffer {
    const length = this.u16()
    if (length === 0 && this.left === 0) return Buffer.alloc(0)
    // Each word an even number of digits, unlike the data of known types.
    const place = this.peek?.start ?? this.#lastEnd()
    const data = Buffer.from(this.#joined('pairs of hexadecimal digits', /^(?:[0-9A-Fa-f]{2})+$/), 'hex')
    if (data.length !== length) this.fail(place, `${data.length} octets where ${length} are announced`)
    return data
  }

  #number(most: number): number {
    return this.#parsed(`a number up to ${most}`, (text) => numberFromText(text, most)) ?? 0
  }

  #parsed<T>(what: string, fromText: (text: string) => T | undefined): T | undefined {
    const word = this.#bare(what)
    if (word === undefined) return undefined
    const value = fromText(word.text)
    if (value === undefined) this.fail(word.start, `${shown(word)} is not ${what}`)
    return value
  }

  #bare(what: string): Word | undefined {
    const word = this.word(what)
    if (word?.quoted) this.fail(word.start, `a quoted string where ${what} must be`)
    return word?.quoted ? undefined : word
  }

  #address(what: string, isOfFamily: (text: string) => boolean): IpAddress {
    const fromText = (text: string) => (isOfFamily(text) ? parseIp(text) : undefined)
    return this.#parsed(what, fromText) ?? ('0.0.0.0' as IpAddress)
  }

  #octets(word: Word): Buffer {
    const octets = octetsOf(word.text)
    if (octets === undefined)
      this.fail(word.start, 'a backslash with neither three digits up to 255 nor a character behind it')
    return octets ?? Buffer.alloc(0)
  }

  /** All the words that are left, at least one, as one text. */
  #joined(what: string, pattern: RegExp): string {
    const parts: string[] = []
    do {
      parts.push(this.#parsed(what, (text) => (pattern.test(text) ? text : undefined)) ?? '')
    } while (this.left > 0)
    return parts.join('')
  }

  #lastEnd(): number {
    return this.#words.at(-1)?.end ?? 0
  }
}

const shown = (word: Word) => `"${printable(word.text, 60)}"`

function numberFromText(text: string, most: number): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= most ? Number(text) : undefined
}

const unitSeconds: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 }

/** Seconds as a plain number, or with units as BIND has them: `1h30m`. */
export function secondsFromText(text: string, most: number): number | undefined {
  if (/^\d/.test(text) && /\d$/.test(text)) return numberFromText(text, most)
  if (!/^(?:\d{1,10}[wdhms]){1,10}$/i.test(text)) return undefined
  let seconds = 0
  for (const [, digits, unit] of text.toLowerCase().matchAll(/(\d+)([wdhms])/g))
    seconds += Number(digits) * (unitSeconds[unit ?? ''] ?? 0)
  return seconds <= most ? seconds : undefined
}

/** RFC 4034 §3.2: `YYYYMMDDHHmmSS` in UTC, or a number of at most ten digits. */
function timeFromText(text: string): number | undefined {
  const fields = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.slice(1).map(Number)
  if (fields === undefined) return numberFromText(text, maxU32)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  // A 30th of February would be taken for a day of March.
  if (new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14) !== text) return undefined
  return (((ms / 1000) % 2 ** 32) + 2 ** 32) % 2 ** 32
}

type NameInZone =
  | { readonly kind: 'name'; readonly name: WireName; readonly repeatsOrigin: boolean }
  | { readonly kind: 'invalid'; readonly why: string }

/** A free-standing `@` is the origin, and what has no final dot is relative to it (RFC 1035 §5.1). */
function readName(text: string, origin: WireName): NameInZone {
  if (text === '@') return { kind: 'name', name: origin, repeatsOrigin: false }
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') return parsed
  if (isAbsolute(text)) return { ...parsed, repeatsOrigin: false }
  const relative = parsed.name.slice(0, -1)
  if (relative.length + origin.length > maxNameOctets) return tooLong
  const name = (relative + origin) as WireName
  // "mx.example.com" below example.com: nearly always a dot that was forgotten.
  const repeatsOrigin = origin !== rootWireName && foldName(parsed.name).endsWith(foldName(origin))
  return { kind: 'name', name, repeatsOrigin }
}

const tooLong: NameInZone = {
  kind: 'invalid',
  why: 'it is longer than 255 octets with its origin',
}

/** Whether it ends in a dot that no backslash takes away. */
function isAbsolute(text: string): boolean {
  const backslashes = /(\\*)\.$/.exec(text)?.[1]
  return backslashes !== undefined && backslashes.length % 2 === 0
}
