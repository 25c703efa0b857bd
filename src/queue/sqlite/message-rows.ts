/** Operations of the hold: a message with its recipients, as other operations and `Queue.get` need it. */
import type { Database } from '../../store/module.ts'
import { laneName } from './lane-names.ts'
import {
  type EntryRow,
  keptStates,
  type MessageRow,
  messageColumns,
  type RecipientRow,
  recipientColumns,
  type Tally,
} from './rows.ts'

/** Rows as arrays, in the order of the columns that were asked for. */
export function rowsOf<Row>(db: Database, text: string, ...values: (string | number | null)[]): Row[] {
  const statement = db.sql(text)
  statement.setReturnArrays(true)
  return statement.all(...values) as unknown as Row[]
}

export function rowOf<Row>(db: Database, text: string, ...values: (string | number | null)[]): Row | undefined {
  const statement = db.sql(text)
  statement.setReturnArrays(true)
  return statement.get(...values) as unknown as Row | undefined
}

export function messageRow(db: Database, seq: number): MessageRow | undefined {
  return rowOf<MessageRow>(db, `SELECT ${messageColumns} FROM message WHERE seq = ?`, seq)
}

export function recipientRows(db: Database, seq: number): RecipientRow[] {
  return rowsOf<RecipientRow>(db, `SELECT ${recipientColumns} FROM recipient WHERE message = ? ORDER BY place`, seq)
}

export function seqOf(db: Database, id: string): number | undefined {
  return rowOf<[number]>(db, 'SELECT seq FROM message WHERE id = ?', id)?.[0]
}

/** The names of the lanes that the rows mention, by number. */
export function laneNames(db: Database, entries: readonly EntryRow[]): [number, string][] {
  const numbers = new Set(entries.flatMap(({ recipients }) => recipients.map(([, , lane]) => lane)))
  return [...numbers].map((number) => [number, laneName(db, number)])
}

export interface FoundEntry {
  readonly entry: EntryRow
  readonly lanes: readonly [number, string][]
}

export function entry(db: Database, id: string): FoundEntry | undefined {
  const seq = seqOf(db, id)
  const message = seq === undefined ? undefined : messageRow(db, seq)
  if (seq === undefined || !message) return undefined
  const found = { message, recipients: recipientRows(db, seq) }
  return { entry: found, lanes: laneNames(db, [found]) }
}

/** What counts of a message beside its recipients, in the order of `weightColumns`. */
export type Weight = readonly [size: number, received: number, client: string | null]
export const weightColumns = "size, received, json_extract(facts, '$.client.address')"

export const weightOf = (db: Database, seq: number): Weight | undefined =>
  rowOf<Weight>(db, `SELECT ${weightColumns} FROM message WHERE seq = ?`, seq)

/** What the message counts for as it stands. */
export function tally(db: Database, seq: number, [size, received, client]: Weight): Tally {
  const rows = rowsOf<[number, number, string]>(db, 'SELECT lane, state, domain FROM recipient WHERE message = ?', seq)
  return {
    size,
    received,
    client,
    recipients: rows.map(([lane, state, domain]) => [laneName(db, lane), state, domain]),
  }
}

/** When something of the message expires next: whatever is left that is not kept for a person, each at its own end or the message's. */
export function setDue(db: Database, seq: number, expires: number): void {
  const due = rowOf<[number | null]>(db, soonestEnd, expires, seq)?.[0] ?? null
  db.sql('UPDATE message SET due = ? WHERE seq = ? AND due IS NOT ?').run(due, seq, due)
}

/** Rows may be damaged, and what cannot be read has no end of its own. */
const soonestEnd = `SELECT min(coalesce(CASE WHEN json_valid(extra) THEN json_extract(extra, '$.expiresMs') END, ?))
  FROM recipient WHERE message = ? AND state NOT IN (${keptStates.join(', ')})`

/** Takes a message away with everything that is kept of it but a file. */
export function dropMessage(db: Database, seq: number): void {
  db.sql('DELETE FROM message WHERE seq = ?').run(seq)
  db.sql('DELETE FROM body WHERE message = ?').run(seq)
  db.sql('DELETE FROM recipient WHERE message = ?').run(seq)
  db.sql('DELETE FROM attempt WHERE message = ?').run(seq)
}
