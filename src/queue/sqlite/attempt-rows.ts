/** Operations of the hold: the attempts at a message, the last 50 of them. */
import type { Database } from '../../store/module.ts'
import { rowOf, rowsOf, seqOf } from './message-rows.ts'

export type AttemptRow = readonly [
  at: number,
  backend: string | null,
  outcome: string,
  text: string,
  recipients: number,
]

const mostKept = 50

export function addAttempt(db: Database, seq: number, attempt: AttemptRow): void {
  const last = rowOf<[number | null]>(db, 'SELECT max(number) FROM attempt WHERE message = ?', seq)?.[0] ?? 0
  db.sql(
    'INSERT INTO attempt (message, number, at, backend, outcome, text, recipients) VALUES (?, ?, ?, ?, ?, ?, ?)',
  ).run(seq, last + 1, ...attempt)
  if (last >= mostKept) db.sql('DELETE FROM attempt WHERE message = ? AND number <= ?').run(seq, last + 1 - mostKept)
}

/** The oldest first. */
export function attemptsOf(db: Database, id: string): AttemptRow[] {
  const seq = seqOf(db, id)
  if (seq === undefined) return []
  return rowsOf<AttemptRow>(
    db,
    'SELECT at, backend, outcome, text, recipients FROM attempt WHERE message = ? ORDER BY number',
    seq,
  )
}
