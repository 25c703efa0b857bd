/** Operations of the hold: what became of recipients. With the last one the message goes. */
import type { Database } from '../../store/module.ts'
import { numberOfState } from '../state-numbers.ts'
import { type AttemptRow, addAttempt } from './attempt-rows.ts'
import { hold } from './hold-rows.ts'
import { laneNumber } from './lane-names.ts'
import { dropMessage, rowOf, setDue, tally, type Weight, weightColumns } from './message-rows.ts'
import type { Change, NewRow } from './rows.ts'

/** `to` is a state, -1 for gone, or -2 for whatever it is; each value replaces what stood there, undefined leaves it. */
export interface SettledRow {
  readonly place: number
  readonly to: number
  /** The states that it may have now, a bit each (`statesMask`). */
  readonly from: number
  /** The backend that it must be bound to now; null: whichever, or none. */
  readonly behind: string | null
  readonly lane: string | undefined
  /** Null: it keeps the one that it has. */
  readonly turn: number | null
  readonly notBefore: number | null
  readonly backend: string | null
  readonly elsewhere: number | null
  readonly keepUntil: number | null
  readonly firstRefused: number | undefined
  readonly reply: string | undefined
}

export interface SettlementRow {
  readonly id: string
  readonly recipients: readonly SettledRow[]
  readonly attempt: AttemptRow | undefined
  readonly dsn: NewRow | undefined
  readonly delayTold: boolean
  readonly proof: string | undefined
}

export interface SettledResult {
  readonly change: Change
  /** The message is gone, and its body was in a file. */
  readonly leavesFile: boolean
  readonly isDsnHeld: boolean
}

const keepingStates: ReadonlySet<number> = new Set([
  numberOfState.held,
  numberOfState['no-route'],
  numberOfState['set-aside'],
])

export const gone = -1
export const asItIs = -2

/** @returns undefined where the message is not there any more */
export function settle(db: Database, row: SettlementRow, payload: Uint8Array): SettledResult | undefined {
  const found = rowOf<[number, number, number, ...Weight]>(
    db,
    `SELECT seq, expires, in_file, ${weightColumns} FROM message WHERE id = ?`,
    row.id,
  )
  if (!found) return undefined
  const [seq, expires, inFile, ...weight] = found
  const before = tally(db, seq, weight)
  let changed = 0
  let left = before.recipients.length
  for (const recipient of row.recipients) {
    const rows = settleOne(db, seq, recipient, row)
    changed += rows
    if (recipient.to === gone) left -= rows
  }
  // A DSN tells of recipients; where a person removed them meanwhile there is nothing to tell.
  const isDsnHeld = row.dsn !== undefined && changed > 0
  if (row.dsn && isDsnHeld) hold(db, row.dsn, payload)
  if (left === 0) {
    dropMessage(db, seq)
    return { change: { before, after: undefined }, leavesFile: inFile === 1, isDsnHeld }
  }
  const after = tally(db, seq, weight)
  setDue(db, seq, expires)
  if (row.attempt) addAttempt(db, seq, row.attempt)
  if (row.proof !== undefined) db.sql('UPDATE message SET proof = ? WHERE seq = ?').run(row.proof, seq)
  return { change: { before, after }, leavesFile: false, isDsnHeld }
}

/** All recipients of a message whose body is not what was stored, or whose rows make no sense. */
export function spoil(db: Database, id: string): Change | undefined {
  const found = rowOf<[number, number, ...Weight]>(
    db,
    `SELECT seq, expires, ${weightColumns} FROM message WHERE id = ?`,
    id,
  )
  if (!found) return undefined
  const [seq, expires, ...weight] = found
  const before = tally(db, seq, weight)
  if (before.recipients.every(([, state]) => state === numberOfState.corrupt)) return undefined
  db.sql('UPDATE recipient SET state = ?, not_before = NULL, keep_until = NULL WHERE message = ?').run(
    numberOfState.corrupt,
    seq,
  )
  const after = tally(db, seq, weight)
  setDue(db, seq, expires)
  return { before, after }
}

/** @returns how many rows it changed: 1, or 0 where it is gone */
function settleOne(db: Database, seq: number, recipient: SettledRow, settlement: SettlementRow): number {
  const { to, from, behind, place } = recipient
  if (to === gone)
    return Number(
      db
        .sql(
          'DELETE FROM recipient WHERE message = ? AND place = ? AND (1 << state) & ? AND (? IS NULL OR backend = ?)',
        )
        .run(seq, place, from, behind, behind).changes,
    )
  if (to === asItIs) return noteDelayTold(db, seq, recipient, settlement)
  if (to === numberOfState.unknown) noteUnknown(db, seq, recipient)
  // Behind whose dot it is unknown is not forgotten while nobody acts on it.
  const keeps = keepingStates.has(to) ? 1 : 0
  return Number(
    db
      .sql(
        `UPDATE recipient SET state = ?, lane = coalesce(?, lane), turn = coalesce(?, turn), not_before = ?, backend = CASE WHEN ? THEN backend ELSE ? END,
          elsewhere = CASE WHEN ? THEN elsewhere ELSE ? END, keep_until = ?,
          first_refused = coalesce(first_refused, ?), reply = coalesce(?, reply), attempts = attempts + ?, delay_told = max(delay_told, ?)
         WHERE message = ? AND place = ? AND (1 << state) & ? AND (? IS NULL OR backend = ?)`,
      )
      .run(
        to,
        recipient.lane === undefined ? null : laneNumber(db, recipient.lane),
        recipient.turn,
        recipient.notBefore,
        keeps,
        recipient.backend,
        keeps,
        recipient.elsewhere,
        recipient.keepUntil,
        recipient.firstRefused ?? null,
        recipient.reply ?? null,
        settlement.attempt ? 1 : 0,
        settlement.delayTold ? 1 : 0,
        seq,
        place,
        from,
        behind,
        behind,
      ).changes,
  )
}

function noteDelayTold(db: Database, seq: number, { place, from }: SettledRow, { delayTold }: SettlementRow): number {
  const { changes } = db
    .sql('UPDATE recipient SET delay_told = max(delay_told, ?) WHERE message = ? AND place = ? AND (1 << state) & ?')
    .run(delayTold ? 1 : 0, seq, place, from)
  return Number(changes)
}

/** A person held it, or its route went, while it was being handed over: it stays so, and its backend may have it. */
function noteUnknown(db: Database, seq: number, { place, backend, elsewhere }: SettledRow): void {
  db.sql(
    `UPDATE recipient SET backend = ?, elsewhere = ? WHERE message = ? AND place = ? AND state IN (${numberOfState.held}, ${numberOfState['no-route']})`,
  ).run(backend, elsewhere, seq, place)
}
