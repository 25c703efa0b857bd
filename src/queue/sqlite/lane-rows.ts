/** Operations of the hold: lanes of recipients when the configuration has changed, and what a crash left in between. */
import type { Database } from '../../store/module.ts'
import { numberOfState } from '../state-numbers.ts'
import { laneName, laneNumber } from './lane-names.ts'
import { rowsOf, tally, weightOf } from './message-rows.ts'
import type { Change } from './rows.ts'

const mostRows = 500

export type LaneRow = readonly [
  message: number,
  place: number,
  lane: string,
  state: number,
  address: string,
  extra: string | null,
]

/** Recipients behind the one that is named, by message and place. */
export function lanesOf(db: Database, after: readonly [message: number, place: number]): LaneRow[] {
  return rowsOf<[number, number, number, number, string, string | null]>(
    db,
    'SELECT message, place, lane, state, address, extra FROM recipient WHERE (message, place) > (?, ?) ORDER BY message, place LIMIT ?',
    after[0],
    after[1],
    mostRows,
  ).map(([message, place, lane, ...rest]) => [message, place, laneName(db, lane), ...rest])
}

export interface MovedRows {
  readonly changes: readonly Change[]
  readonly moved: number
  readonly withoutRoute: number
}

export type Move = readonly [message: number, place: number, lane: string | undefined]

/** Gives recipients their lanes, or none. What a person decided about stays as it is, in whatever lane. */
export function moveLanes(db: Database, moves: readonly Move[]): MovedRows {
  const tallies = () => {
    const seqs = [...new Set(moves.map(([seq]) => seq))]
    return seqs.map((seq) => {
      const weight = weightOf(db, seq)
      return weight && tally(db, seq, weight)
    })
  }
  const before = tallies()
  let moved = 0
  let withoutRoute = 0
  for (const move of moves) {
    const changes = moveOne(db, move)
    if (move[2] === undefined) withoutRoute += changes
    else moved += changes
  }
  const after = tallies()
  const changes = before.map((tallied, index) => ({ before: tallied, after: after[index] }))
  return { changes, moved, withoutRoute }
}

function moveOne(db: Database, [seq, place, lane]: Move): number {
  const { ready, waiting, unknown } = numberOfState
  const noRoute = numberOfState['no-route']
  if (lane === undefined) {
    return Number(
      db
        .sql(
          `UPDATE recipient SET state = ${noRoute}, not_before = NULL WHERE message = ? AND place = ? AND state IN (${ready}, ${waiting}, ${unknown})`,
        )
        .run(seq, place).changes,
    )
  }
  // What was unknown when its route went is still unknown when it comes back.
  return Number(
    db
      .sql(
        `UPDATE recipient SET lane = ?, state = CASE WHEN state <> ${noRoute} THEN state WHEN elsewhere IS NULL THEN ${ready} ELSE ${unknown} END WHERE message = ? AND place = ?`,
      )
      .run(laneNumber(db, lane), seq, place).changes,
  )
}

/** What a transaction answered for when the process ended, it answers for no more: `offered` becomes `ready`. @returns whether more are left */
export function recover(db: Database): boolean {
  const { offered, ready } = numberOfState
  const rows = rowsOf<[number, number]>(
    db,
    `SELECT message, place FROM recipient INDEXED BY recipient_offered WHERE state = ${offered} LIMIT ?`,
    mostRows,
  )
  for (const [seq, place] of rows)
    db.sql(`UPDATE recipient SET state = ${ready} WHERE message = ? AND place = ?`).run(seq, place)
  return rows.length === mostRows
}
