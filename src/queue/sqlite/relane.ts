/** Files all recipients under the lanes that the configuration has for them now, a page at a time. For `queue.ts` beside. */
import type { Recipient } from '../../mail/message.ts'
import type { StoreRoom } from '../../store/store.ts'
import type { Lane } from '../queue.ts'
import { numberOfState } from '../state-numbers.ts'
import type { HeldCounts } from './held-counts.ts'
import type { Move } from './lane-rows.ts'
import { readRecipient } from './message-codec.ts'
import type { RowOperations } from './tables.ts'

/** As `Queue.relane`. */
export async function relane(
  room: StoreRoom<RowOperations>,
  counts: HeldCounts,
  laneOf: (recipient: Recipient, lane: Lane) => Lane | undefined,
): Promise<{ moved: number; withoutRoute: number }> {
  const total = { moved: 0, withoutRoute: 0 }
  let after: readonly [number, number] = [0, -1]
  for (;;) {
    const rows = await room.read('lanesOf', after)
    const last = rows.at(-1)
    if (!last) return total
    after = [last[0], last[1]]
    const moves = rows.flatMap(([seq, place, lane, state, address, extra]): Move[] => {
      const wantedLane = laneOf(readRecipient(address, extra), lane as Lane)
      const isAway = state === numberOfState['no-route']
      if (wantedLane === undefined ? isAway : wantedLane === lane && !isAway) return []
      return [[seq, place, wantedLane]]
    })
    if (moves.length === 0) continue
    const { moved, withoutRoute } = await room.write('moveLanes', moves, {
      committed: (done) => counts.apply(done.changes),
    })
    total.moved += moved
    total.withoutRoute += withoutRoute
  }
}
