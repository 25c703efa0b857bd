/** Operations of the hold: what may go next, oldest turn first. */
import type { Database } from '../../store/module.ts'
import { numberOfState } from '../state-numbers.ts'
import { bodiesOf } from './body-rows.ts'
import { knownLane } from './lane-names.ts'
import { messageRow, rowsOf } from './message-rows.ts'
import { type RecipientRow, recipientColumns, type TaskRow } from './rows.ts'

export interface WantedTasks {
  readonly lane: string
  readonly limit: number
  /** Ids of messages that are on their way. */
  readonly without: readonly string[]
  readonly nowMs: number
  /** Of bodies that come along. */
  readonly mostOctets: number
}

export interface FoundTasks {
  readonly tasks: readonly TaskRow[]
  /** By the places of their tasks, as many as came along. */
  readonly bodies: readonly (Uint8Array | undefined)[]
  readonly lane: number
}

const { ready, unknown } = numberOfState

export function readyTasks(db: Database, wanted: WantedTasks): FoundTasks {
  const lane = knownLane(db, wanted.lane)
  if (lane === undefined) return none
  // Those that are on their way are the oldest, so they come along and are dropped here.
  const found = rowsOf<[number, number]>(
    db,
    `SELECT DISTINCT turn, message FROM recipient INDEXED BY recipient_ready WHERE lane = ? AND state = ${ready} ORDER BY turn, message LIMIT ?`,
    lane,
    wanted.limit + wanted.without.length,
  )
  return withBodies(db, lane, tasksOf(db, found, lane, ready, wanted), wanted)
}

export function unknownTasks(db: Database, wanted: WantedTasks): FoundTasks {
  const lane = knownLane(db, wanted.lane)
  if (lane === undefined) return none
  const found = rowsOf<[number, number]>(
    db,
    `SELECT DISTINCT turn, message FROM recipient INDEXED BY recipient_unknown WHERE state = ${unknown} AND lane = ? AND (not_before IS NULL OR not_before <= ?) ORDER BY turn, message LIMIT ?`,
    lane,
    wanted.nowMs,
    wanted.limit + wanted.without.length,
  )
  return withBodies(db, lane, tasksOf(db, found, lane, unknown, wanted), wanted)
}

const none: FoundTasks = { tasks: [], bodies: [], lane: -1 }

const withBodies = (db: Database, lane: number, tasks: TaskRow[], { mostOctets }: WantedTasks): FoundTasks => ({
  tasks,
  bodies: bodiesOf(db, tasks, mostOctets),
  lane,
})

function tasksOf(
  db: Database,
  found: readonly (readonly [number, number])[],
  lane: number,
  state: number,
  { limit, without, nowMs }: WantedTasks,
): TaskRow[] {
  const skipped = seqsOf(db, without)
  const tasks: TaskRow[] = []
  // The state is part of the text: bound, it would have SQLite look at its partial indexes, and prepare the statement, anew each time.
  const ofTask = `SELECT ${recipientColumns} FROM recipient WHERE message = ? AND lane = ? AND state = ${state} AND (not_before IS NULL OR not_before <= ?) ORDER BY place`
  for (const [turn, seq] of found) {
    if (tasks.length >= limit) break
    if (skipped.has(seq)) continue
    const message = messageRow(db, seq)
    if (!message) continue
    const recipients = rowsOf<RecipientRow>(db, ofTask, seq, lane, nowMs)
    tasks.push({ turn, message, recipients })
    // Some of its recipients may have another turn: they go along.
    skipped.add(seq)
  }
  return tasks
}

/** Their rows are not read, which costs more than to look for their ids. */
const seqsOf = (db: Database, ids: readonly string[]): Set<number> =>
  new Set(
    rowsOf<[number]>(
      db,
      'SELECT seq FROM message WHERE id IN (SELECT value FROM json_each(?))',
      JSON.stringify(ids),
    ).map(([seq]) => seq),
  )
