/**
 * The data of records as text and back (RFC 1035 §5.1, RFC 3597 §5). Used by zone text, by what people write in waypost.yaml and by what
 * publishers take and give as text. Strict, and never throws on text.
 */
import { printable } from '../base/printable.ts'
import { type Rdata, readRdata, writeRdata } from './rdata.ts'
import type { RdataSink, RdataSource } from './rdata-form.ts'
import { Reader } from './reader.ts'
import { opaqueTypeCodes, typeCodes, typeName } from './types.ts'
import { rootWireName, type WireName } from './wire-name.ts'
import { type Note, WordReader } from './word-reader.ts'
import { WordWriter } from './word-writer.ts'
import { octetText, readEntry, type Word } from './words.ts'
import { Writer } from './writer.ts'

/** RFC 1035 §3.2.1: RDLENGTH has 16 bits. */
const maxDataOctets = 0xffff

/** Copies the fields of a type from one form into the other. */
type Copy = (from: RdataSource, to: RdataSink) => void

const copyHexBehind3: Copy = (from, to) => {
  to.u8(from.u8())
  to.u8(from.u8())
  to.u8(from.u8())
  to.hex(from.hex())
}

/** Types that are opaque as values (`rdata.ts`) and whose text is known all the same. */
const opaqueCopies: ReadonlyMap<number, Copy> = new Map<number, Copy>([
  [
    opaqueTypeCodes.RP, // RFC 1183 §2.2
    (from, to) => {
      to.name(from.name(false), false)
      to.name(from.name(false), false)
    },
  ],
  [opaqueTypeCodes.AFSDB, copyNumberAndName], // RFC 1183 §1
  [opaqueTypeCodes.KX, copyNumberAndName], // RFC 2230 §3
  [
    opaqueTypeCodes.NAPTR, // RFC 3403 §4.1
    (from, to) => {
      to.u16(from.u16())
      to.u16(from.u16())
      for (let strings = 0; strings < 3; strings++) to.characterString(from.characterString())
      to.name(from.name(false), false)
    },
  ],
  [
    opaqueTypeCodes.SSHFP, // RFC 4255 §3.1
    (from, to) => {
      to.u8(from.u8())
      to.u8(from.u8())
      to.hex(from.hex())
    },
  ],
  [opaqueTypeCodes.SMIMEA, copyHexBehind3], // RFC 8162 §2
  [
    opaqueTypeCodes.CDS, // RFC 7344 §3.1
    (from, to) => {
      to.u16(from.u16())
      to.algorithm(from.algorithm())
      to.u8(from.u8())
      to.hex(from.hex())
    },
  ],
  [
    opaqueTypeCodes.CDNSKEY, // RFC 7344 §3.2
    (from, to) => {
      to.u16(from.u16())
      to.u8(from.u8())
      to.algorithm(from.algorithm())
      to.base64(from.base64())
    },
  ],
  [opaqueTypeCodes.OPENPGPKEY, (from, to) => to.base64(from.base64())], // RFC 7929 §2
  [
    opaqueTypeCodes.ZONEMD, // RFC 8976 §2.2
    (from, to) => {
      to.u32(from.u32())
      to.u8(from.u8())
      to.u8(from.u8())
      to.hex(from.hex())
    },
  ],
  [opaqueTypeCodes.SPF, (from, to) => to.characterStrings(from.characterStrings())], // RFC 4408 §3.1.1
  [
    opaqueTypeCodes.URI, // RFC 7553 §4
    (from, to) => {
      to.u16(from.u16())
      to.u16(from.u16())
      to.text(from.text())
    },
  ],
])

function copyNumberAndName(from: RdataSource, to: RdataSink): void {
  to.u16(from.u16())
  to.name(from.name(false), false)
}

const knownCodes: ReadonlySet<number> = new Set(Object.values(typeCodes))

/** Data in words. `unreadable`: the text of this type is not known here, and may well be right. */
export type DataInWords =
  | { readonly kind: 'rdata'; readonly data: Rdata; readonly notes: readonly Note[] }
  | { readonly kind: 'invalid'; readonly problem: Note }
  | { readonly kind: 'unreadable' }

/**
 * @param words  of a record, from its type on @param first  index of the word behind the type
 * @param origin  what names without a final dot are relative to
 */
export function readDataWords(code: number, words: readonly Word[], first: number, origin: WireName): DataInWords {
  const reader = new WordReader(words, first, origin)
  const start = reader.peek
  const data =
    start?.text === '\\#' && !start.quoted ? readGeneric(code, reader) : knownCodes.has(code) && readRdata(reader, code)
  const read = data || readOpaque(code, reader)
  if (read === undefined) return { kind: 'unreadable' }
  const surplus = reader.peek
  if (surplus) reader.fail(surplus.start, `"${printable(surplus.text, 60)}" is more than ${typeName(code)} data has`)
  if (reader.problem === undefined && isLong(words) && octetsOfRdata(read).length > maxDataOctets)
    reader.fail(start?.start ?? 0, `data of more than ${maxDataOctets} octets`)
  if (reader.problem) return { kind: 'invalid', problem: reader.problem }
  return { kind: 'rdata', data: read, notes: reader.notes }
}

/** No word means more octets than it has characters, but for the names, whose origin is not written. */
const isLong = (words: readonly Word[]) => (words.at(-1)?.end ?? 0) - (words[0]?.start ?? 0) > maxDataOctets - 1024

/** The generic form is legal for types that are known, too, and is then read as their data. */
function readGeneric(code: number, words: WordReader): Rdata {
  const marker = words.word('data')
  const octets = words.generic()
  if (!knownCodes.has(code)) return { type: 'opaque', code, data: octets }
  const reader = new Reader(octets, false)
  const data = readRdata(reader, code)
  if (reader.left > 0) reader.fail('it is longer than its type says')
  if (reader.why !== undefined && marker) words.fail(marker.start, `no ${typeName(code)} data: ${reader.why}`)
  return data
}

function readOpaque(code: number, words: WordReader): Rdata | undefined {
  const copy = opaqueCopies.get(code)
  if (copy === undefined) return undefined
  const writer = new Writer(false)
  copy(words, writer)
  return { type: 'opaque', code, data: writer.done() }
}

/** The octets of the data as they stand outside of a message: uncompressed. */
export function octetsOfRdata(data: Rdata): Buffer {
  const writer = new Writer(false)
  writeRdata(writer, data)
  return writer.done()
}

/** One line of printable ASCII that every name server reads, names absolute: `10 mx.example.com.`. */
export function rdataText(data: Rdata): string {
  const writer = new WordWriter()
  if (data.type !== 'opaque') writeRdata(writer, data)
  else if (!writeOpaque(data.code, data.data, writer)) writer.hasNoText = true
  return writer.hasNoText ? genericText(octetsOfRdata(data)) : writer.words
}

/** Data of the type `opaque` may be anything: what does not fit its type, in an update say, has the generic form only. */
function writeOpaque(code: number, data: Buffer, writer: WordWriter): boolean {
  const copy = opaqueCopies.get(code)
  if (copy === undefined) return false
  const reader = new Reader(data, false)
  copy(reader, writer)
  return reader.why === undefined && reader.left === 0
}

/** RFC 3597 §5 */
function genericText(octets: Buffer): string {
  return octets.length === 0 ? '\\# 0' : `\\# ${octets.length} ${octets.toString('hex')}`
}

export type ParsedRdata =
  | { readonly kind: 'rdata'; readonly data: Rdata }
  /** `column` from 1, in octets of UTF-8. */
  | { readonly kind: 'invalid'; readonly column: number; readonly why: string }

/**
 * Reads one record's data: `10 mx.example.com.` for code 15. In one line, or in several that parentheses join.
 * @param origin  what names without a final dot are relative to; the root takes them as absolute
 */
export function parseRdata(code: number, text: string, origin: WireName = rootWireName): ParsedRdata {
  const octets = octetText(text)
  const entry = readEntry(octets, 0)
  const fail = (problem: Note): ParsedRdata => ({ kind: 'invalid', column: problem.at + 1, why: problem.why })
  if (entry.problem) return fail(entry.problem)
  if (entry.end < octets.length) return fail({ at: entry.end - 1, why: 'more than one line' })
  const read = readDataWords(code, entry.words, 0, origin)
  if (read.kind === 'invalid') return fail(read.problem)
  if (read.kind === 'rdata') return { kind: 'rdata', data: read.data }
  return fail({
    at: 0,
    why: `the text of ${typeName(code)} is not known here; write it as "\\# length hex" (RFC 3597)`,
  })
}
