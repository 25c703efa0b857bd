/**
 * Changes sets of records in the text of a zone, and nothing else: comments, order, spacing and all other octets stay as they are, and the
 * serial grows. Used by whoever publishes into a zone file. RFC 1035 §5, RFC 1982, RFC 2181 §5.
 */
import type { TextProblem } from '../../base/place.ts'
import { type Rdata, rdataCode } from '../rdata.ts'
import { rdataText } from '../rdata-text.ts'
import { nextSerial } from '../serial.ts'
import { foldName, sameName, type WireName } from '../wire-name.ts'
import type { RecordEntry, ZoneText } from './entries.ts'
import type { IncludedFile } from './includes.ts'
import { parseZone } from './parse.ts'
import { type Refusal, whyRefused } from './refuse.ts'
import { type Change, type LostComment, render } from './render.ts'
import type { RrsetEdit } from './rrset-edit.ts'

export interface ZoneEditOptions {
  /** The name of the zone, which is the origin of its file too. */
  readonly zone: WireName
  /** Since 1970: for a serial that tells the time. */
  readonly nowMs: number
  /** The serial that the authoritative servers answer with, where it is known: the new one is newer than it, too. */
  readonly liveSerial?: number
  /** What `readIncludes` read; needed as soon as the text has an $INCLUDE. */
  readonly included?: readonly IncludedFile[]
}

export type ZoneEdit =
  | {
      readonly kind: 'edited'
      readonly bytes: Buffer
      readonly serial: number
      /** Comments that would have been untrue, or that spoke of a record that is gone. */
      readonly lost: readonly LostComment[]
    }
  | { readonly kind: 'unchanged'; readonly serial: number }
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }
  | Refusal

/**
 * @param bytes  of the file
 * @param edits  at most one a name and type; two are a RangeError
 */
export function editZone(bytes: Uint8Array, edits: readonly RrsetEdit[], options: ZoneEditOptions): ZoneEdit {
  const sets = new Set(edits.map((edit) => `${edit.code} ${foldName(edit.name)}`))
  if (sets.size < edits.length) throw new RangeError('a set of records is edited twice')
  const parsed = parseZone(bytes, { origin: options.zone, others: 'keep' })
  if (parsed.kind === 'invalid') return parsed
  const refusal = whyRefused(parsed.zone, edits, options.zone, options.included)
  if (refusal) return refusal
  const soa = parsed.zone.entries.find((entry) => entry.kind === 'record' && entry.data?.type === 'SOA')
  if (soa?.kind !== 'record' || soa.data?.type !== 'SOA') throw new Error('a zone without SOA was not refused')

  const changes = new Map<RecordEntry, Change>()
  for (const edit of edits) planSet(parsed.zone, edit, changes)
  if (changes.size === 0) return { kind: 'unchanged', serial: soa.data.serial }

  const next = nextSerial(soa.data.serial, options.nowMs, options.liveSerial)
  if (next.kind === 'stuck') return { kind: 'refused', reason: 'serial', why: next.why, place: undefined }
  changes.set(soa, { ...unchanged(soa), ...changes.get(soa), serial: next.serial })
  const { text, lost } = render(parsed.zone, changes)
  return {
    kind: 'edited',
    bytes: Buffer.from(text, 'latin1'),
    serial: next.serial,
    lost,
  }
}

/** Notes what happens to each entry of the set. What is right already stays; what is not becomes what is missing, while both are left. */
function planSet(zone: ZoneText, edit: RrsetEdit, changes: Map<RecordEntry, Change>): void {
  const missing = new Map(edit.data.map((data) => [identity(data), data]))
  const present = zone.entries.filter((entry): entry is RecordEntry => isOf(entry, edit))
  const wrong: RecordEntry[] = []
  for (const entry of present) {
    // A record that stands twice is one (RFC 2181 §5): the second goes.
    const isWanted = entry.data !== undefined && missing.delete(identity(entry.data))
    if (!isWanted) wrong.push(entry)
    else if (entry.ttlSeconds !== edit.ttlSeconds) {
      changes.set(entry, { ...unchanged(entry), ...changes.get(entry), ttlSeconds: edit.ttlSeconds })
    }
  }
  const wanted = [...missing.values()]
  const replace = (entry: RecordEntry, data: Rdata | undefined, keepsComment: boolean) => {
    const change: Change =
      data === undefined
        ? { ...unchanged(entry), isRemoved: true }
        : { ...unchanged(entry), data, keepsComment, ttlSeconds: edit.ttlSeconds }
    changes.set(entry, { ...change, added: changes.get(entry)?.added ?? [] })
  }
  // First what says something else of the same thing, so that it stays in its place and beside its comment.
  const others = wrong.filter((entry) => {
    const subject = entry.data && subjectOf(entry.data)
    const at = subject === undefined ? -1 : wanted.findIndex((data) => subjectOf(data) === subject)
    if (at < 0) return true
    replace(entry, wanted.splice(at, 1)[0], true)
    return false
  })
  for (const entry of others) replace(entry, wanted.shift(), false)
  if (wanted.length === 0) return
  const neighbour = present.at(-1) ?? neighbourOf(zone, edit.name)
  const before = changes.get(neighbour) ?? unchanged(neighbour)
  const added = wanted.map((data) => ({ name: edit.name, ttlSeconds: edit.ttlSeconds, data }))
  changes.set(neighbour, { ...before, added: [...before.added, ...added] })
}

const unchanged = (entry: RecordEntry): Change => ({
  isRemoved: false,
  data: undefined,
  keepsComment: true,
  serial: undefined,
  ttlSeconds: entry.ttlSeconds,
  added: [],
})

function isOf(entry: ZoneText['entries'][number], edit: RrsetEdit): boolean {
  return entry.kind === 'record' && entry.code === edit.code && sameName(entry.name, edit.name)
}

/** Behind which entry a new set goes: the last one of the same owner, or of the text. */
function neighbourOf(zone: ZoneText, name: WireName): RecordEntry {
  const records = zone.entries.filter((entry) => entry.kind === 'record')
  const neighbour = records.findLast((entry) => sameName(entry.name, name)) ?? records.at(-1)
  if (neighbour === undefined) throw new Error('a zone without records was not refused')
  return neighbour
}

/** What the data is about, where another value can be about the same: what a person's comment beside it speaks of. */
function subjectOf(data: Rdata): string | undefined {
  switch (data.type) {
    case 'MX':
      return foldName(data.exchange)
    case 'SRV':
      return `${data.port} ${foldName(data.target)}`
    case 'TXT':
      // SPF and its like say first what they are (RFC 7208 §4.5, RFC 7489 §6.3).
      return /^v=[a-z0-9]+/i.exec(data.strings[0]?.toString('latin1') ?? '')?.[0].toLowerCase()
    default:
      return undefined
  }
}

/** What makes two records the same one: names in data compare without regard to case (RFC 4034 §6.2, for the types of which that counts). */
function identity(data: Rdata): string {
  const folds = ['NS', 'CNAME', 'PTR', 'DNAME', 'MX', 'SRV'].includes(data.type)
  const text = `${rdataCode(data)} ${rdataText(data)}`
  return folds ? text.toLowerCase() : text
}
