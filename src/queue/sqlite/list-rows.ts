/** Operations of the hold: pages for people, by key, with a bounded number of rows looked at a call. */

import type { Database } from '../../store/module.ts'
import { isAddressOf } from '../address-pattern.ts'
import { laneNames, messageRow, recipientRows, rowOf, rowsOf, seqOf } from './message-rows.ts'
import type { EntryRow } from './rows.ts'

export interface WantedPage {
  readonly ids: readonly string[] | undefined
  readonly domain: string | undefined
  /** In lower case; with `@` in front, every address of a domain. */
  readonly sender: string | undefined
  readonly recipient: string | undefined
  readonly states: readonly number[] | undefined
  readonly receivedBeforeMs: number | undefined
  readonly receivedAfterMs: number | undefined
  /** Behind which message the page begins. */
  readonly after: number
  readonly limit: number
}

export interface FoundPage {
  readonly entries: readonly EntryRow[]
  readonly lanes: readonly [number, string][]
  /** The last message that was looked at, or undefined where none is left. */
  readonly last: number | undefined
}

const mostLookedAt = 2000

export function page(db: Database, wanted: WantedPage): FoundPage {
  const seqs = wanted.ids ? chosen(db, wanted.ids, wanted.after) : following(db, wanted.after)
  const entries: EntryRow[] = []
  let last: number | undefined
  for (const seq of seqs) {
    last = seq
    const found = matching(db, seq, wanted)
    if (found) entries.push(found)
    if (entries.length >= wanted.limit) break
  }
  const isLast = last === undefined || (last === seqs.at(-1) && seqs.length < mostLookedAt)
  return { entries, lanes: laneNames(db, entries), last: isLast ? undefined : last }
}

function chosen(db: Database, ids: readonly string[], after: number): number[] {
  const seqs = new Set(ids.map((id) => seqOf(db, id)).filter((seq) => seq !== undefined && seq > after))
  return [...(seqs as Set<number>)].sort((a, b) => a - b).slice(0, mostLookedAt)
}

function following(db: Database, after: number): number[] {
  return rowsOf<[number]>(db, 'SELECT seq FROM message WHERE seq > ? ORDER BY seq LIMIT ?', after, mostLookedAt).map(
    ([seq]) => seq,
  )
}

function matching(db: Database, seq: number, wanted: WantedPage): EntryRow | undefined {
  const facts = rowOf<[number, string | null]>(db, 'SELECT received, sender FROM message WHERE seq = ?', seq)
  if (!facts) return undefined
  const [received, sender] = facts
  if (wanted.receivedBeforeMs !== undefined && received >= wanted.receivedBeforeMs) return undefined
  if (wanted.receivedAfterMs !== undefined && received <= wanted.receivedAfterMs) return undefined
  if (wanted.sender !== undefined && !isAddressOf(wanted.sender, sender ?? '')) return undefined
  if (!hasRecipient(db, seq, wanted)) return undefined
  const message = messageRow(db, seq)
  return message && { message, recipients: recipientRows(db, seq) }
}

/** Whether one recipient fulfils all that is said of recipients. */
function hasRecipient(db: Database, seq: number, { domain, recipient, states }: WantedPage): boolean {
  if (domain === undefined && recipient === undefined && states === undefined) return true
  const rows = rowsOf<[string, string, number]>(
    db,
    'SELECT domain, address, state FROM recipient WHERE message = ?',
    seq,
  )
  return rows.some(
    ([itsDomain, address, state]) =>
      (domain === undefined || itsDomain === domain) &&
      (recipient === undefined || isAddressOf(recipient, address)) &&
      (states === undefined || states.includes(state)),
  )
}

export interface WantedIds {
  readonly prefix: string
  readonly limit: number
}

export function idsWith(db: Database, { prefix, limit }: WantedIds): string[] {
  // Ids are ASCII, so what begins so ends before the first character behind ASCII.
  return rowsOf<[string]>(
    db,
    'SELECT id FROM message WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
    prefix,
    `${prefix}\u0080`,
    limit,
  ).map(([id]) => id)
}
