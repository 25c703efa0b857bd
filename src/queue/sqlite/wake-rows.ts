/** Operations of the hold: what has waited long enough. */
import type { Database } from '../../store/module.ts'
import { numberOfState } from '../state-numbers.ts'
import { laneName } from './lane-names.ts'
import { rowOf, rowsOf, tally, type Weight, weightOf } from './message-rows.ts'
import type { Change } from './rows.ts'

export interface WokenPage {
  readonly changes: readonly Change[]
  readonly lanes: readonly string[]
  /** There are more. */
  readonly isFull: boolean
  readonly nextMs: number | undefined
}

/** Recipients a call, so that nobody waits for long behind it. */
const mostRows = 500
/** As long as a late word behind a dot is waited for, and some more. */
const listenMs = 15 * 60_000

/** What waits becomes ready; what is unknown stays so, and may be asked about from now on. */
export function wake(db: Database, { nowMs, farMs }: { nowMs: number; farMs: number }): WokenPage {
  const find = (condition: string, than: number) =>
    rowsOf<[number, number, number]>(
      db,
      `SELECT message, place, lane FROM recipient WHERE not_before ${condition} ? ORDER BY not_before LIMIT ?`,
      than,
      mostRows,
    )
  const due = find('<=', nowMs)
  const rows = due.length > 0 ? due : find('>', nowMs + farMs)
  const weights = new Map<number, Weight>()
  for (const [seq] of rows) {
    const weight = weightOf(db, seq)
    if (weight) weights.set(seq, weight)
  }
  const tallies = () => [...weights].map(([seq, weight]) => tally(db, seq, weight))
  const before = tallies()
  const { waiting, ready } = numberOfState
  // Somebody may still listen behind the dot of what is unknown, so that gets a time on the clock of now.
  const otherwise = due.length > 0 ? null : nowMs + listenMs
  for (const [seq, place] of rows) {
    db.sql(
      `UPDATE recipient SET not_before = CASE state WHEN ${waiting} THEN NULL ELSE ? END, state = CASE state WHEN ${waiting} THEN ${ready} ELSE state END
       WHERE message = ? AND place = ?`,
    ).run(otherwise, seq, place)
  }
  const after = tallies()
  const next = rowOf<[number | null]>(db, 'SELECT min(not_before) FROM recipient WHERE not_before IS NOT NULL')?.[0]
  return {
    changes: before.map((tallied, index) => ({ before: tallied, after: after[index] })),
    lanes: [...new Set(rows.map(([, , lane]) => laneName(db, lane)))],
    isFull: rows.length === mostRows,
    nextMs: next ?? undefined,
  }
}

const mostMoments = 5000

/** The soonest of what waits, by recipient domain, among the next moments in order. */
export function nextWakes(db: Database): (readonly [domain: string, atMs: number])[] {
  const soonest = new Map<string, number>()
  const rows = rowsOf<[string, number]>(
    db,
    'SELECT domain, not_before FROM recipient WHERE not_before IS NOT NULL ORDER BY not_before LIMIT ?',
    mostMoments,
  )
  for (const [domain, atMs] of rows) if (!soonest.has(domain)) soonest.set(domain, atMs)
  return [...soonest]
}
