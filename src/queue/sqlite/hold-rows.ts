/** Operations of the hold: a new message, recipients that are added to one, and a message that a failed COMMIT may have left. */
import { hash } from 'node:crypto'
import type { Database } from '../../store/module.ts'
import { laneNumber } from './lane-names.ts'
import { dropMessage, rowOf, seqOf, setDue, tally, type Weight, weightColumns } from './message-rows.ts'
import type { Change, NewRow } from './rows.ts'

export function hold(db: Database, row: NewRow, payload: Uint8Array): void {
  const trace = payload.subarray(0, row.traceLength)
  const content = payload.subarray(row.traceLength)
  const sha256 = row.fileHash ?? hash('sha256', content, 'buffer')
  const { lastInsertRowid: seq } = db
    .sql(
      'INSERT INTO message (id, received, expires, due, size, has8bit, in_file, sha256, sender, trace, proof, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      row.id,
      row.received,
      row.expires,
      row.due,
      row.size,
      row.has8bit,
      row.fileHash ? 1 : 0,
      sha256,
      row.sender,
      trace,
      row.proof,
      row.facts,
    )
  if (!row.fileHash) db.sql('INSERT INTO body (message, content) VALUES (?, ?)').run(seq, content)
  insertRecipients(db, Number(seq), row)
}

function insertRecipients(db: Database, seq: number, row: Pick<NewRow, 'turn' | 'received' | 'recipients'>): void {
  const insert = db.sql(
    'INSERT INTO recipient (message, place, turn, received, state, lane, domain, address, was_known, not_before, backend, elsewhere, reply, extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  for (const [place, state, lane, ...rest] of row.recipients)
    insert.run(seq, place, row.turn, row.received, state, laneNumber(db, lane), ...rest)
}

export type AddedRow = Pick<NewRow, 'id' | 'turn' | 'recipients'>

/** Recipients that are added to a message. @returns undefined where it is not there */
export function add(db: Database, row: AddedRow): Change | undefined {
  const found = rowOf<[number, number, ...Weight]>(
    db,
    `SELECT seq, expires, ${weightColumns} FROM message WHERE id = ?`,
    row.id,
  )
  if (!found) return undefined
  const [seq, expires, ...weight] = found
  const before = tally(db, seq, weight)
  insertRecipients(db, seq, { ...row, received: weight[1] })
  const after = tally(db, seq, weight)
  setDue(db, seq, expires)
  return { before, after }
}

/** Takes back a message whose sender was not told that we have it. */
export function forget(db: Database, id: string): void {
  const seq = seqOf(db, id)
  if (seq !== undefined) dropMessage(db, seq)
}
