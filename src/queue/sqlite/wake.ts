/** Makes ready what has waited long enough, a page at a time. For `queue.ts` beside. */
import type { StoreRoom } from '../../store/store.ts'
import type { Lane } from '../queue.ts'
import type { HeldCounts } from './held-counts.ts'
import type { RowOperations } from './tables.ts'

/** As `Queue.wake`. */
export async function wake(
  room: StoreRoom<RowOperations>,
  counts: HeldCounts,
  nowMs: number,
  farMs: number,
): Promise<Lane[]> {
  const lanes = new Set<string>()
  for (;;) {
    const page = await room.write(
      'wake',
      { nowMs, farMs },
      {
        committed(done) {
          counts.apply(done.changes)
          counts.woken(done.nextMs)
        },
      },
    )
    for (const lane of page.lanes) lanes.add(lane)
    if (!page.isFull) return [...lanes] as Lane[]
  }
}
