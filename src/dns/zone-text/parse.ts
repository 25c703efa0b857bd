/**
 * Zone text, a "master file", into its entries (RFC 1035 §5, RFC 2308 §4 for $TTL, RFC 3597 §5 for types without a text), each with its place,
 * so that an editor can change one and leave the rest. Used by `edit.ts`, by `includes.ts` and by whoever reads a zone. Never throws on
 * text and takes linear time; one class, IN.
 */
import { type Place, placeAt, type TextProblem } from '../../base/place.ts'
import { printable } from '../../base/printable.ts'
import type { DnsRecord } from '../message.ts'
import type { Rdata } from '../rdata.ts'
import { readDataWords } from '../rdata-text.ts'
import { classCodes, metaTypeCodes, typeCodeFromName, typeCodes } from '../types.ts'
import type { WireName } from '../wire-name.ts'
import { type Note, secondsFromText, WordReader } from '../word-reader.ts'
import { type Entry, readEntry, type Word } from '../words.ts'

export interface ZoneTextOptions {
  /** What names are relative to until an $ORIGIN says otherwise: the zone's name, for the file of a zone. */
  readonly origin: WireName
  /**
   * What no record can be made of here: $INCLUDE, $GENERATE, types whose text is not known. `refuse` makes it a problem; `keep` an entry
   * that is named and not read. A word that is no type at all is a problem in both: nobody knows what its line says.
   */
  readonly others: 'refuse' | 'keep'
  /** What records without a TTL have until a $TTL or a record says otherwise: that of the file that includes this one. */
  readonly ttlSeconds?: number
  /** Octets of text. */
  readonly maxBytes?: number
}

interface Span {
  /** Offsets into the text: from the start of its first line to behind the end of its last one. */
  readonly start: number
  readonly end: number
  readonly words: readonly Word[]
  /** The origin that holds for it. */
  readonly origin: WireName
}

export interface RecordEntry extends Span {
  readonly kind: 'record'
  readonly name: WireName
  /** Stated, or by default. */
  readonly ttlSeconds: number
  /** Of the type. */
  readonly code: number
  /** Undefined where the text of the type is not known here. */
  readonly data: Rdata | undefined
  /** The words that state owner and TTL, where they are stated. */
  readonly ownerWord: Word | undefined
  readonly ttlWord: Word | undefined
  readonly typeWord: Word
  /** Index of the first word of the data. */
  readonly firstData: number
}

export type ZoneEntry =
  | RecordEntry
  | (Span & { readonly kind: 'origin' })
  | (Span & { readonly kind: 'ttl'; readonly ttlSeconds: number })
  /** `path` as it is written, its escapes taken away; `includedOrigin` holds within the file; so does `ttlSeconds`, where it is known. */
  | (Span & {
      readonly kind: 'include'
      readonly path: string
      readonly includedOrigin: WireName
      readonly ttlSeconds: number | undefined
    })
  /** `owner` as it is written, with its `$`; `code` of the type, where it is one. */
  | (Span & { readonly kind: 'generate'; readonly owner: string; readonly code: number | undefined })

export interface ZoneText {
  /** One character an octet. */
  readonly text: string
  readonly entries: readonly ZoneEntry[]
  /** What is right, and yet nearly always a mistake. */
  readonly notes: readonly TextProblem[]
}

export type ParsedZone =
  | { readonly kind: 'zone'; readonly zone: ZoneText }
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }

/** RFC 2181 §8 */
const maxTtl = 0x7fff_ffff
/** One mistake at the top makes hundreds below. */
const mostProblems = 20
const mostNotes = 100

/** The text of a zone as it stands in the file. */
export function parseZone(bytes: Uint8Array, options: ZoneTextOptions): ParsedZone {
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024
  if (bytes.length > maxBytes) {
    return invalid([{ line: 1, column: 1, message: `${bytes.length} octets long; ${maxBytes} are the most` }])
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (text.startsWith('\xef\xbb\xbf'))
    return invalid([{ line: 1, column: 1, message: 'a byte order mark, which name servers take for part of a name' }])
  const reading = createReading(text, options)
  const entries: ZoneEntry[] = []
  for (let at = 0; at < text.length && reading.problems.length < mostProblems; ) {
    const entry = readEntry(text, at)
    at = entry.end
    const read = reading.entry(entry)
    if (read) entries.push(read)
  }
  const places = (notes: readonly Note[]) => notes.map(({ at, why }) => ({ ...placeAt(text, at), message: why }))
  if (reading.problems.length > 0) return invalid(places(reading.problems))
  return { kind: 'zone', zone: { text, entries, notes: places(reading.notes) } }
}

const invalid = (problems: readonly TextProblem[]): ParsedZone => ({ kind: 'invalid', problems })

/** The records whose text is known, in the order of the text. */
export function recordsOf(zone: ZoneText): DnsRecord[] {
  const records: DnsRecord[] = []
  for (const entry of zone.entries) {
    if (entry.kind !== 'record' || entry.data === undefined) continue
    records.push({ name: entry.name, class: classCodes.IN, ttlSeconds: entry.ttlSeconds, data: entry.data })
  }
  return records
}

/** Where an entry's first word stands. */
export function placeOfEntry(zone: ZoneText, entry: ZoneEntry): Place {
  return placeAt(zone.text, entry.words[0]?.start ?? entry.start)
}

/** What holds from one entry to the next. */
function createReading(text: string, options: ZoneTextOptions) {
  const problems: Note[] = []
  const notes: Note[] = []
  let origin = options.origin
  /** The owner that was stated last; undefined where none was, or where nobody says which (behind $INCLUDE). */
  let owner: WireName | undefined
  /** Of $TTL (RFC 2308 §4). */
  let defaultTtl: number | undefined
  /** Of the last record that stated one (RFC 1035 §5.1). */
  let lastTtl = options.ttlSeconds

  function fail(at: number, why: string): undefined {
    problems.push({ at, why })
  }

  function take(reader: WordReader): boolean {
    for (const note of reader.notes) if (notes.length < mostNotes) notes.push(note)
    if (reader.problem) problems.push(reader.problem)
    return reader.problem === undefined
  }

  function directive(entry: Entry, word: Word): ZoneEntry | undefined {
    const reader = new WordReader(entry.words, 1, origin)
    const span: Span = { start: entry.start, end: entry.end, words: entry.words, origin }
    const name = word.text.toUpperCase()
    const done = (made: ZoneEntry): ZoneEntry | undefined => {
      const surplus = reader.peek
      if (surplus) reader.fail(surplus.start, `"${printable(surplus.text, 60)}" is more than ${name} takes`)
      return take(reader) ? made : undefined
    }
    switch (name) {
      case '$ORIGIN':
        origin = reader.name()
        return done({ ...span, kind: 'origin' })
      case '$TTL': {
        const value = reader.word('a TTL')
        const ttlSeconds = value && !value.quoted ? secondsFromText(value.text, maxTtl) : undefined
        if (value && ttlSeconds === undefined) reader.fail(value.start, notATtl(value))
        defaultTtl = ttlSeconds ?? 0
        return done({ ...span, kind: 'ttl', ttlSeconds: defaultTtl })
      }
      case '$INCLUDE': {
        if (options.others === 'refuse') return fail(word.start, '$INCLUDE is not followed here')
        const path = reader.text().toString('utf8')
        const includedOrigin = reader.left > 0 ? reader.name() : origin
        // RFC 1035 §5.1 restores the origin behind it, and says nothing of the owner.
        owner = undefined
        return done({ ...span, kind: 'include', path, includedOrigin, ttlSeconds: defaultTtl ?? lastTtl })
      }
      case '$GENERATE': {
        if (options.others === 'refuse') return fail(word.start, '$GENERATE is an extension of BIND, and not read here')
        return { ...span, kind: 'generate', ...generated(entry.words) }
      }
      default:
        return fail(word.start, `"${printable(word.text, 60)}" is no directive`)
    }
  }

  function record(entry: Entry): ZoneEntry | undefined {
    const reader = new WordReader(entry.words, 0, origin)
    const ownerWord = entry.startsBlank ? undefined : entry.words[0]
    if (ownerWord) owner = reader.name()
    let ttlWord: Word | undefined
    let classWord: Word | undefined
    let ttlSeconds: number | undefined
    let typeWord: Word | undefined
    // TTL and class in either order, each at most once.
    while (typeWord === undefined && reader.problem === undefined) {
      const word = reader.word('a record type')
      if (word === undefined) break
      if (word.quoted) reader.fail(word.start, 'a quoted string where a record type must be')
      else if (ttlWord === undefined && /^\d/.test(word.text)) {
        ttlWord = word
        ttlSeconds = secondsFromText(word.text, maxTtl)
        if (ttlSeconds === undefined) reader.fail(word.start, notATtl(word))
      } else if (classWord === undefined && isClass(word.text)) {
        classWord = word
        if (!/^(?:IN|CLASS1)$/i.test(word.text))
          reader.fail(word.start, `class ${printable(word.text, 60)}; only IN is read here`)
      } else typeWord = word
    }
    if (!take(reader) || typeWord === undefined) return undefined
    if (owner === undefined)
      return fail(entry.words[0]?.start ?? entry.start, 'it begins with a blank, and no owner was stated before it')

    const firstData = entry.words.length - reader.left
    const read = readData(typeWord, entry.words, firstData)
    if (read === undefined) return undefined
    ttlSeconds ??= defaultTtl ?? lastTtl
    if (ttlSeconds === undefined && read.data?.type === 'SOA') {
      // No RFC says so since RFC 2308 took this meaning from the field; the servers do it all the same.
      ttlSeconds = defaultTtl = read.data.minimumSeconds
    }
    if (ttlSeconds === undefined)
      return fail(typeWord.start, 'no TTL: neither here, nor at a record before it, nor by $TTL')
    lastTtl = ttlSeconds
    const span: Span = { start: entry.start, end: entry.end, words: entry.words, origin }
    return { ...span, kind: 'record', name: owner, ttlSeconds, ...read, ownerWord, ttlWord, typeWord, firstData }
  }

  function readData(
    type: Word,
    words: readonly Word[],
    firstData: number,
  ): Pick<RecordEntry, 'code' | 'data'> | undefined {
    const shownType = () => printable(type.text, 60)
    const code = typeCodeFromName(type.text)
    if (code === undefined)
      return fail(
        type.start,
        `"${shownType()}" is no record type that is known here (of a new one, TYPE123 and the generic form of RFC 3597 §5 are)`,
      )
    if (isMeta(code)) return fail(type.start, `${shownType()} is no data of a zone`)
    const read = readDataWords(code, words, firstData, origin)
    if (read.kind === 'invalid') return fail(read.problem.at, read.problem.why)
    if (read.kind !== 'rdata') {
      if (options.others === 'keep') return { code, data: undefined }
      return fail(type.start, `the text of ${shownType()} is not known here; the generic form of RFC 3597 §5 is`)
    }
    for (const note of read.notes) if (notes.length < mostNotes) notes.push(note)
    const last = words.at(-1)
    // RFC 1035 §5.1: `v=DMARC1; p=none` without quotes is `v=DMARC1` and a comment.
    if (code === typeCodes.TXT && last && !last.quoted && text.charAt(last.end) === ';' && notes.length < mostNotes)
      notes.push({ at: last.end, why: 'the text ends here, because ";" begins a comment: put it in quotes' })
    return { code, data: read.data }
  }

  return {
    problems,
    notes,
    /** Nothing for an empty line, and nothing but a problem for what is wrong. */
    entry(entry: Entry): ZoneEntry | undefined {
      if (entry.problem) return fail(entry.problem.at, entry.problem.why)
      const first = entry.words[0]
      if (first === undefined) return undefined
      const isDirective = !entry.startsBlank && !first.quoted && first.text.startsWith('$')
      return isDirective ? directive(entry, first) : record(entry)
    },
  }
}

const notATtl = (word: Word) => `"${printable(word.text, 60)}" is no TTL: seconds up to ${maxTtl}, or units as in 1h30m`

const isClass = (text: string) =>
  /^(?:CLASS\d+|CS|ANY|NONE)$/i.test(text) || Object.hasOwn(classCodes, text.toUpperCase())

/** RFC 6895 §3.1: OPT, and the types of queries and messages. */
const isMeta = (code: number) => code === 0 || code === metaTypeCodes.OPT || (code >= 128 && code <= 255)

/** `$GENERATE range owner [TTL] [class] type data` */
function generated(words: readonly Word[]): { owner: string; code: number | undefined } {
  const behindOwner = words.slice(3).find((word) => !/^\d/.test(word.text) && !isClass(word.text))
  return { owner: words[2]?.text ?? '', code: behindOwner && typeCodeFromName(behindOwner.text) }
}
