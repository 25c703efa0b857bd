/** Operations of the hold: whose time is over, and what is kept for too long or beyond its quota. */
import type { Database } from '../../store/module.ts'
import { heldCost } from '../quota.ts'
import { dropMessage, laneNames, messageRow, recipientRows, rowOf, rowsOf, tally, weightOf } from './message-rows.ts'
import type { Change, EntryRow } from './rows.ts'

export interface OverdueRows {
  readonly expiring: readonly EntryRow[]
  readonly kept: readonly EntryRow[]
  readonly lanes: readonly [number, string][]
}

export function overdue(db: Database, { nowMs, limit }: { nowMs: number; limit: number }): OverdueRows {
  const expiring = entriesOf(
    db,
    rowsOf<[number]>(db, 'SELECT seq FROM message WHERE due <= ? ORDER BY due LIMIT ?', nowMs, limit),
  )
  const recipients = rowsOf<[number]>(
    db,
    'SELECT message FROM recipient INDEXED BY recipient_kept WHERE keep_until <= ? ORDER BY keep_until LIMIT ?',
    nowMs,
    limit,
  )
  const kept = entriesOf(
    db,
    [...new Set(recipients.map(([seq]) => seq))].map((seq) => [seq]),
  )
  return { expiring, kept, lanes: laneNames(db, [...expiring, ...kept]) }
}

function entriesOf(db: Database, found: readonly (readonly [number])[]): EntryRow[] {
  return found.flatMap(([seq]) => {
    const message = messageRow(db, seq)
    return message ? [{ message, recipients: recipientRows(db, seq) }] : []
  })
}

export function countOverdue(db: Database, nowMs: number): number {
  return rowOf<[number]>(db, 'SELECT count(*) FROM message WHERE due <= ?', nowMs)?.[0] ?? 0
}

export interface DroppedRows {
  readonly entries: readonly EntryRow[]
  readonly changes: readonly Change[]
  readonly lanes: readonly [number, string][]
}

/** A call takes so many away at most, so that nobody waits for long behind it. */
const mostDropped = 100

/** Takes away the oldest of what is kept for a person, until so much of the hold is free again. */
export function dropKept(db: Database, cost: number): DroppedRows {
  const found = rowsOf<[number]>(db, 'SELECT seq FROM message WHERE due IS NULL ORDER BY seq LIMIT ?', mostDropped)
  const entries: EntryRow[] = []
  const changes: Change[] = []
  let left = cost
  for (const entry of entriesOf(db, found)) {
    if (left <= 0) break
    const [seq, , , , size] = entry.message
    const weight = weightOf(db, seq)
    left -= heldCost(size, entry.recipients.length)
    entries.push(entry)
    changes.push({ before: weight && tally(db, seq, weight), after: undefined })
    dropMessage(db, seq)
  }
  return { entries, changes, lanes: laneNames(db, entries) }
}
