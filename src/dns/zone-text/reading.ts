/**
 * Reads one entry of a zone's text after the other, and keeps what holds from one to the next: the origin, the owner, the TTL. For `parse.ts`.
 */
import { printable } from '../../base/printable.ts'
import type { Rdata } from '../rdata.ts'
import { readDataWords } from '../rdata-text.ts'
import { classCodes, metaTypeCodes, typeCodeFromName, typeCodes } from '../types.ts'
import type { WireName } from '../wire-name.ts'
import { type Note, secondsFromText, WordReader } from '../word-reader.ts'
import type { Entry, Word } from '../words.ts'
import type { RecordEntry, Span, ZoneEntry } from './entries.ts'

export interface ReadingOptions {
  /** What names are relative to until an $ORIGIN says otherwise: the zone's name, for the file of a zone. */
  readonly origin: WireName
  /**
   * What no record can be made of here: $INCLUDE, $GENERATE, types whose text is not known. `refuse` makes it a problem; `keep` an entry
   * that is named and not read. A word that is no type at all is a problem in both: nobody knows what its line says.
   */
  readonly others: 'refuse' | 'keep'
  /** What records without a TTL have until a $TTL or a record says otherwise: that of the file that includes this one. */
  readonly ttlSeconds?: number
}

/** RFC 2181 §8 */
const maxTtl = 0x7fff_ffff
const mostNotes = 100

export class Reading {
  readonly problems: Note[] = []
  readonly notes: Note[] = []
  readonly #text: string
  readonly #others: 'refuse' | 'keep'
  #origin: WireName
  /** The owner that was stated last; undefined where none was, or where nobody says which (behind $INCLUDE). */
  #owner: WireName | undefined
  /** Of $TTL (RFC 2308 §4). */
  #defaultTtl: number | undefined
  /** Of the last record that stated one (RFC 1035 §5.1). */
  #lastTtl: number | undefined

  /** @param text  that the entries are of */
  constructor(text: string, { origin, others, ttlSeconds }: ReadingOptions) {
    this.#text = text
    this.#others = others
    this.#origin = origin
    this.#lastTtl = ttlSeconds
  }

  /** Nothing for an empty line, and nothing but a problem for what is wrong. */
  entry(entry: Entry): ZoneEntry | undefined {
    if (entry.problem) return this.#fail(entry.problem.at, entry.problem.why)
    const first = entry.words[0]
    if (first === undefined) return undefined
    const isDirective = !entry.startsBlank && !first.quoted && first.text.startsWith('$')
    return isDirective ? this.#directive(entry, first) : this.#record(entry)
  }

  #directive(entry: Entry, word: Word): ZoneEntry | undefined {
    const reader = new WordReader(entry.words, 1, this.#origin)
    // The origin that holds for it is the one before it.
    const span = this.#spanOf(entry)
    const name = word.text.toUpperCase()
    const done = (made: ZoneEntry): ZoneEntry | undefined => {
      const surplus = reader.peek
      if (surplus) reader.fail(surplus.start, `"${printable(surplus.text, 60)}" is more than ${name} takes`)
      return this.#take(reader) ? made : undefined
    }
    switch (name) {
      case '$ORIGIN':
        this.#origin = reader.name()
        return done({ ...span, kind: 'origin' })
      case '$TTL': {
        const value = reader.word('a TTL')
        const ttlSeconds = value && !value.quoted ? secondsFromText(value.text, maxTtl) : undefined
        if (value && ttlSeconds === undefined) reader.fail(value.start, notATtl(value))
        this.#defaultTtl = ttlSeconds ?? 0
        return done({ ...span, kind: 'ttl', ttlSeconds: this.#defaultTtl })
      }
      case '$INCLUDE': {
        if (this.#others === 'refuse') return this.#fail(word.start, '$INCLUDE is not followed here')
        const path = reader.text().toString('utf8')
        const includedOrigin = reader.left > 0 ? reader.name() : this.#origin
        // RFC 1035 §5.1 restores the origin behind it, and says nothing of the owner.
        this.#owner = undefined
        const ttlSeconds = this.#defaultTtl ?? this.#lastTtl
        return done({ ...span, kind: 'include', path, includedOrigin, ttlSeconds })
      }
      case '$GENERATE': {
        if (this.#others === 'refuse')
          return this.#fail(word.start, '$GENERATE is an extension of BIND, and not read here')
        return { ...span, kind: 'generate', ...generated(entry.words) }
      }
      default:
        return this.#fail(word.start, `"${printable(word.text, 60)}" is no directive`)
    }
  }

  #record(entry: Entry): ZoneEntry | undefined {
    const reader = new WordReader(entry.words, 0, this.#origin)
    const ownerWord = entry.startsBlank ? undefined : entry.words[0]
    if (ownerWord) this.#owner = reader.name()
    const { typeWord, ttlWord, statedTtl } = readHead(reader)
    if (!this.#take(reader) || typeWord === undefined) return undefined
    const name = this.#owner
    if (name === undefined)
      return this.#fail(
        entry.words[0]?.start ?? entry.start,
        'it begins with a blank, and no owner was stated before it',
      )
    const firstData = entry.words.length - reader.left
    const read = this.#data(typeWord, entry.words, firstData)
    if (read === undefined) return undefined
    const ttlSeconds = statedTtl ?? this.#unstatedTtl(read.data)
    if (ttlSeconds === undefined)
      return this.#fail(typeWord.start, 'no TTL: neither here, nor at a record before it, nor by $TTL')
    this.#lastTtl = ttlSeconds
    return {
      ...this.#spanOf(entry),
      ...{ kind: 'record', name, ttlSeconds, ...read, ownerWord, ttlWord, typeWord, firstData },
    }
  }

  #unstatedTtl(data: Rdata | undefined): number | undefined {
    const known = this.#defaultTtl ?? this.#lastTtl
    if (known !== undefined || data?.type !== 'SOA') return known
    // No RFC says so since RFC 2308 took this meaning from the field; the servers do it all the same.
    this.#defaultTtl = data.minimumSeconds
    return this.#defaultTtl
  }

  #data(type: Word, words: readonly Word[], firstData: number): Pick<RecordEntry, 'code' | 'data'> | undefined {
    const shownType = () => printable(type.text, 60)
    const code = typeCodeFromName(type.text)
    if (code === undefined)
      return this.#fail(
        type.start,
        `"${shownType()}" is no record type that is known here (of a new one, TYPE123 and the generic form of RFC 3597 §5 are)`,
      )
    if (isMeta(code)) return this.#fail(type.start, `${shownType()} is no data of a zone`)
    const read = readDataWords(code, words, firstData, this.#origin)
    if (read.kind === 'invalid') return this.#fail(read.problem.at, read.problem.why)
    if (read.kind !== 'rdata') {
      if (this.#others === 'keep') return { code, data: undefined }
      return this.#fail(type.start, `the text of ${shownType()} is not known here; the generic form of RFC 3597 §5 is`)
    }
    for (const note of read.notes) this.#note(note)
    const last = words.at(-1)
    // RFC 1035 §5.1: `v=DMARC1; p=none` without quotes is `v=DMARC1` and a comment.
    if (code === typeCodes.TXT && last && !last.quoted && this.#text.charAt(last.end) === ';')
      this.#note({ at: last.end, why: 'the text ends here, because ";" begins a comment: put it in quotes' })
    return { code, data: read.data }
  }

  #spanOf({ start, end, words }: Entry): Span {
    return { start, end, words, origin: this.#origin }
  }

  #fail(at: number, why: string): undefined {
    this.problems.push({ at, why })
  }

  #note(note: Note): void {
    if (this.notes.length < mostNotes) this.notes.push(note)
  }

  #take(reader: WordReader): boolean {
    for (const note of reader.notes) this.#note(note)
    if (reader.problem) this.problems.push(reader.problem)
    return reader.problem === undefined
  }
}

interface Head {
  readonly ttlWord: Word | undefined
  readonly statedTtl: number | undefined
  /** Undefined where there is none, or something is wrong before it. */
  readonly typeWord: Word | undefined
}

/** TTL and class in either order, each at most once, and the type behind them. */
function readHead(reader: WordReader): Head {
  let ttlWord: Word | undefined
  let classWord: Word | undefined
  let statedTtl: number | undefined
  while (reader.problem === undefined) {
    const word = reader.word('a record type')
    if (word === undefined) break
    if (word.quoted) reader.fail(word.start, 'a quoted string where a record type must be')
    else if (ttlWord === undefined && /^\d/.test(word.text)) {
      ttlWord = word
      statedTtl = secondsFromText(word.text, maxTtl)
      if (statedTtl === undefined) reader.fail(word.start, notATtl(word))
    } else if (classWord === undefined && isClass(word.text)) {
      classWord = word
      if (!/^(?:IN|CLASS1)$/i.test(word.text))
        reader.fail(word.start, `class ${printable(word.text, 60)}; only IN is read here`)
    } else return { ttlWord, statedTtl, typeWord: word }
  }
  return { ttlWord, statedTtl, typeWord: undefined }
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
