/** Operations of the hold: which messages have their body in a file. For the sweep at the start (`sweep.ts`). */
import type { Database } from '../../store/module.ts'
import { rowOf, rowsOf } from './message-rows.ts'

export type FileRow = readonly [seq: number, id: string, size: number]

const mostRows = 500

/** Behind `after`, in order. */
export function filesAfter(db: Database, after: number): FileRow[] {
  return rowsOf<FileRow>(
    db,
    'SELECT seq, id, size FROM message INDEXED BY message_in_file WHERE in_file = 1 AND seq > ? ORDER BY seq LIMIT ?',
    after,
    mostRows,
  )
}

/** Those of the ids that are held with a file. */
export function heldOf(db: Database, ids: readonly string[]): string[] {
  return ids.filter((id) => rowOf(db, 'SELECT 1 FROM message WHERE id = ? AND in_file = 1', id) !== undefined)
}
