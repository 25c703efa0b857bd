/**
 * Puts the changes of an editor into the text of a zone. What a record inherits from the lines before it (its owner, its TTL) is written out
 * where a change would have given it another. Pure; called by `edit.ts`, and ends by reading what it wrote.
 */
import { trimEnd } from '../../base/trim-end.ts'
import type { Rdata } from '../rdata.ts'
import { rdataCode } from '../rdata.ts'
import { rdataText } from '../rdata-text.ts'
import { typeName } from '../types.ts'
import { sameName, type WireName } from '../wire-name.ts'
import { readEntry, type Word } from '../words.ts'
import type { RecordEntry, ZoneEntry, ZoneText } from './entries.ts'
import { ownerText } from './owner-text.ts'
import { parseZone } from './parse.ts'

export interface NewRecord {
  readonly name: WireName
  readonly ttlSeconds: number
  readonly data: Rdata
}

/** What becomes of an entry. */
export interface Change {
  readonly isRemoved: boolean
  /** In place of its data. */
  readonly data: Rdata | undefined
  /** Whether what a comment behind it says is still about the same thing. */
  readonly keepsComment: boolean
  /** In place of that of its SOA data. */
  readonly serial: number | undefined
  readonly ttlSeconds: number
  /** Go behind it. */
  readonly added: readonly NewRecord[]
}

/** Inherited by the next line, as it will be read. */
interface Inherited {
  owner: WireName | undefined
  defaultTtl: number | undefined
  lastTtl: number | undefined
}

/** A comment that went with the record that it stood beside. */
export interface LostComment {
  /** In the text as it was. */
  readonly line: number
  /** As it stood, from its semicolon on. */
  readonly text: string
}

export interface Rendered {
  readonly text: string
  readonly lost: readonly LostComment[]
}

export function render(zone: ZoneText, changes: ReadonlyMap<RecordEntry, Change>): Rendered {
  const inherited: Inherited = { owner: undefined, defaultTtl: undefined, lastTtl: undefined }
  const pieces: string[] = []
  const expected: Expected[] = []
  const lost: LostComment[] = []
  const lineOf = createLineCounter(zone.text)
  let at = 0
  for (const entry of zone.entries) {
    pieces.push(zone.text.slice(at, entry.start))
    at = entry.end
    if (entry.kind !== 'record') {
      pieces.push(zone.text.slice(entry.start, entry.end))
      expected.push({ kind: 'same', entry })
      if (entry.kind === 'ttl') inherited.defaultTtl = entry.ttlSeconds
      if (entry.kind === 'include') inherited.owner = undefined
      continue
    }
    const change = changes.get(entry)
    let piece = ''
    if (!change?.isRemoved) {
      const ttlSeconds = change?.ttlSeconds ?? entry.ttlSeconds
      piece = changedEntry(zone.text, entry, change, ttlSeconds, inherited)
      pieces.push(piece)
      const data = changedData(entry, change)
      expected.push(
        data === entry.data && ttlSeconds === entry.ttlSeconds
          ? { kind: 'same', entry }
          : { kind: 'record', name: entry.name, ttlSeconds, data },
      )
      inherit(inherited, entry, ttlSeconds)
    }
    if (change?.isRemoved || change?.data) lost.push(...lostComments(zone.text, entry, piece, lineOf))
    const lines = (change?.added ?? []).map((added) => {
      const line = addedLine(zone.text, entry, added, inherited)
      expected.push({ kind: 'record', ...added })
      inherited.owner = added.name
      inherited.lastTtl = added.ttlSeconds
      return line
    })
    if (lines.length > 0) pieces.push(placedBehind(zone.text, entry, change?.isRemoved === true, lines))
  }
  pieces.push(zone.text.slice(at))
  const text = pieces.join('')
  verify(text, zone, expected)
  return { text, lost }
}

/** @returns the line of an offset, each asked in order: so that very many cost no more than one */
function createLineCounter(text: string): (offset: number) => number {
  let line = 1
  let at = 0
  return (offset) => {
    for (let end = text.indexOf('\n', at); end >= 0 && end < offset; end = text.indexOf('\n', at)) {
      line++
      at = end + 1
    }
    return line
  }
}

function lostComments(
  text: string,
  entry: RecordEntry,
  piece: string,
  lineOf: (offset: number) => number,
): LostComment[] {
  const kept = commentsIn(piece, readEntry(piece, 0)).map(({ start, end }) => piece.slice(start, end))
  return commentsIn(text, entry).flatMap(({ start, end }) => {
    const comment = text.slice(start, end)
    const at = kept.indexOf(comment)
    if (at < 0) return [{ line: lineOf(start), text: comment }]
    kept.splice(at, 1)
    return []
  })
}

/** Where comments stand: between words, because a semicolon within one is none. */
function commentsIn(
  text: string,
  entry: Pick<RecordEntry, 'start' | 'end' | 'words'>,
): { start: number; end: number }[] {
  const comments: { start: number; end: number }[] = []
  const bounds = [entry.start, ...entry.words.flatMap(({ start, end }) => [start, end]), entry.end]
  for (let index = 0; index < bounds.length; index += 2) {
    const from = bounds[index] ?? 0
    const gap = text.slice(from, bounds[index + 1])
    for (const { index: at, 0: comment } of gap.matchAll(/;[^\r\n]*/g))
      comments.push({ start: from + at, end: from + at + comment.length })
  }
  return comments
}

/** Whole lines, with the line ends of their neighbour; the last line of a text may have none, and then has none again. */
function placedBehind(text: string, entry: RecordEntry, isRemoved: boolean, lines: readonly string[]): string {
  const isOpenEnd = !text.slice(entry.start, entry.end).endsWith('\n')
  const lineEnd = (isOpenEnd ? text : text.slice(entry.start, entry.end)).includes('\r\n') ? '\r\n' : '\n'
  if (!isOpenEnd) return lines.map((line) => line + lineEnd).join('')
  return (isRemoved ? '' : lineEnd) + lines.join(lineEnd)
}

function changedData(entry: RecordEntry, change: Change | undefined): Rdata | undefined {
  if (change?.serial !== undefined && entry.data?.type === 'SOA') return { ...entry.data, serial: change.serial }
  return change?.data ?? entry.data
}

function inherit(inherited: Inherited, entry: RecordEntry, ttlSeconds: number): void {
  inherited.owner = entry.name
  const knowsNone = inherited.defaultTtl === undefined && inherited.lastTtl === undefined
  if (knowsNone && entry.ttlWord === undefined && entry.data?.type === 'SOA') inherited.defaultTtl = ttlSeconds
  inherited.lastTtl = ttlSeconds
}

/** Something that is put in place of a part of the text, or between two. */
interface Patch {
  readonly start: number
  readonly end: number
  readonly text: string
}

function changedEntry(
  text: string,
  entry: RecordEntry,
  change: Change | undefined,
  ttlSeconds: number,
  inherited: Inherited,
): string {
  const patches: Patch[] = []
  const first = entry.words[0]?.start ?? entry.start
  if (entry.ownerWord === undefined && (inherited.owner === undefined || !sameName(inherited.owner, entry.name)))
    patches.push({
      start: entry.start,
      end: first,
      text: withOwner(ownerText(entry.name, entry.origin), text.slice(entry.start, first)),
    })
  if (entry.ttlWord) {
    const { start, end } = entry.ttlWord
    if (ttlSeconds !== entry.ttlSeconds) patches.push({ start, end, text: String(ttlSeconds) })
  } else if (ttlSeconds !== entry.ttlSeconds || !inheritsTtl(inherited, entry, ttlSeconds)) {
    const start = entry.words[entry.ownerWord ? 1 : 0]?.start ?? first
    patches.push({ start, end: start, text: `${ttlSeconds} ` })
  }
  const serialWord = change?.serial === undefined ? undefined : entry.words[entry.firstData + 2]
  if (serialWord) patches.push({ start: serialWord.start, end: serialWord.end, text: String(change?.serial) })
  if (change?.data) {
    const start = entry.words[entry.firstData]?.start ?? entry.typeWord.end
    const end = entry.words.at(-1)?.end ?? start
    patches.push({ start, end, text: rdataText(change.data) })
    if (!change.keepsComment) patches.push(...withoutComments(text, entry, end))
  }
  const changed = applyPatches(text, entry, patches)
  // A parenthesis that opened within the old data, and closes behind it.
  const again = readEntry(changed, 0)
  if (change?.data && (again.problem || again.end < changed.length))
    return wholeLine(entry, change.data, ttlSeconds, text)
  return changed
}

/** Takes the comments behind an offset away, with the blanks before them. */
function withoutComments(text: string, entry: RecordEntry, from: number): Patch[] {
  return commentsIn(text, entry)
    .filter(({ start }) => start >= from)
    .map(({ start, end }) => {
      const before = text.slice(from, start)
      const blanks = before.length - trimEnd(before, ' \t').length
      return { start: start - blanks, end, text: '' }
    })
}

/** Whether a record without a TTL of its own has this one here. A first SOA record takes it from its data. */
function inheritsTtl(inherited: Inherited, entry: RecordEntry, ttlSeconds: number): boolean {
  const implied = inherited.defaultTtl ?? inherited.lastTtl
  if (implied === undefined) return entry.data?.type === 'SOA' && entry.data.minimumSeconds === ttlSeconds
  return implied === ttlSeconds
}

function applyPatches(text: string, entry: RecordEntry, patches: readonly Patch[]): string {
  let at = entry.start
  let changed = ''
  for (const patch of patches) {
    changed += text.slice(at, patch.start) + patch.text
    at = patch.end
  }
  return changed + text.slice(at, entry.end)
}

/** Puts an owner in front of a line that has none, over its blanks where they are wide enough. */
function withOwner(owner: string, blanks: string): string {
  return /^ +$/.test(blanks) && blanks.length > owner.length ? owner + blanks.slice(owner.length) : owner + blanks
}

function wholeLine(entry: RecordEntry, data: Rdata, ttlSeconds: number, text: string): string {
  const lineEnd = /\r?\n$/.exec(text.slice(entry.start, entry.end))?.[0] ?? ''
  return `${ownerText(entry.name, entry.origin)} ${ttlSeconds} IN ${typeName(rdataCode(data))} ${rdataText(data)}${lineEnd}`
}

/** A line for a new record in the manner of its neighbour: its spacing, whether it repeats the owner, states the class and the TTL. */
function addedLine(text: string, neighbour: RecordEntry, added: NewRecord, inherited: Inherited): string {
  const type = typeName(rdataCode(added.data))
  const owner = ownerText(added.name, neighbour.origin)
  const header = text.slice(neighbour.start, neighbour.words[neighbour.firstData]?.start ?? neighbour.start)
  if (!/^[^\n();]+$/.test(header)) return `${owner} ${added.ttlSeconds} IN ${type} ${rdataText(added.data)}`

  const mayBeBlank =
    neighbour.ownerWord === undefined && inherited.owner !== undefined && sameName(inherited.owner, added.name)
  let line = ''
  let at = neighbour.start
  // How far the line is ahead of its neighbour's columns.
  let ahead = 0
  const put = (word: Pick<Word, 'start' | 'end'>, value: string) => {
    const blanks = text.slice(at, word.start)
    // A quote may follow its neighbour at once.
    const gap = line === '' ? blanks : shortened(blanks, ahead) || ' '
    ahead += gap.length - blanks.length + value.length - (word.end - word.start)
    line += gap + value
    at = word.end
  }
  if (!mayBeBlank) put(neighbour.ownerWord ?? { start: neighbour.start, end: neighbour.start }, owner)
  const implied = inherited.defaultTtl ?? inherited.lastTtl
  let statesTtl = neighbour.ttlWord !== undefined || implied === added.ttlSeconds
  for (const word of neighbour.words.slice(neighbour.ownerWord ? 1 : 0, neighbour.firstData)) {
    if (!statesTtl) {
      put({ start: word.start, end: word.start }, String(added.ttlSeconds))
      statesTtl = true
    }
    put(word, word === neighbour.ttlWord ? String(added.ttlSeconds) : word === neighbour.typeWord ? type : word.text)
  }
  const end = neighbour.words[neighbour.firstData]?.start ?? at
  put({ start: end, end }, rdataText(added.data))
  return line
}

/** Blanks, fewer or more of them so that what follows stands in its column; tabs and single blanks are left alone. */
function shortened(blanks: string, ahead: number): string {
  if (!/^ {2,}$/.test(blanks)) return blanks
  return ' '.repeat(Math.max(1, blanks.length - ahead))
}

/** What an entry of the new text must say: what an old one said, or this record (without data: of a type whose text is not known here). */
type Expected =
  | { readonly kind: 'same'; readonly entry: ZoneEntry }
  | { readonly kind: 'record'; readonly name: WireName; readonly ttlSeconds: number; readonly data: Rdata | undefined }

/** What was written must say what was meant, entry by entry; anything else is a bug here, and must not reach a file. */
function verify(text: string, zone: ZoneText, expected: readonly Expected[]): void {
  const origin = zone.entries[0]?.origin
  if (origin === undefined) throw new Error('an empty zone was edited')
  const again = parseZone(Buffer.from(text, 'latin1'), { origin, others: 'keep', maxBytes: Number.POSITIVE_INFINITY })
  if (again.kind === 'invalid') throw new Error(`the edited zone cannot be read: ${again.problems[0]?.message}`)
  const { entries } = again.zone
  const differs = entries.findIndex((entry, index) => !says(entry, expected[index]))
  if (differs >= 0 || entries.length !== expected.length)
    throw new Error(`the edited zone differs in entry ${differs + 1}`)
}

function says(entry: ZoneEntry, expected: Expected | undefined): boolean {
  if (expected === undefined) return false
  if (expected.kind === 'same') return saysTheSame(entry, expected.entry)
  if (entry.kind !== 'record' || entry.ttlSeconds !== expected.ttlSeconds || !sameName(entry.name, expected.name))
    return false
  if (entry.data === undefined || expected.data === undefined) return entry.data === expected.data
  return rdataCode(entry.data) === rdataCode(expected.data) && rdataText(entry.data) === rdataText(expected.data)
}

/** Whether both entries have the same words, but for an owner and a TTL that one of them states and the other inherits. */
function saysTheSame(one: ZoneEntry, other: ZoneEntry): boolean {
  if (one.kind !== other.kind || one.origin !== other.origin) return false
  if (one.kind !== 'record' || other.kind !== 'record') return sameWords(one.words, other.words)
  if (one.ttlSeconds !== other.ttlSeconds || !sameName(one.name, other.name)) return false
  return sameWords(one.words.slice(one.firstData - 1), other.words.slice(other.firstData - 1))
}

function sameWords(some: readonly Word[], others: readonly Word[]): boolean {
  return (
    some.length === others.length &&
    some.every((word, index) => word.text === others[index]?.text && word.quoted === others[index]?.quoted)
  )
}
