/**
 * The hold on the embedded store: fulfils the contract of `queue.ts` with the tables of `tables.ts`. `cli` opens the store with `queueModule`, then
 * this, which only puts the steps together. Each has a file beside it: `intake` (what comes in; `admission` asks the quotas, `new-row` and `body-files` bring
 * the body to where it stays), `tasks` (what the drain takes out, with `read-ahead`), `settling` (what became of it), `wake`, `relane`, `looking` (what changes
 * nothing), `held-counts` (in step with the rows), `kept-quota` (what is kept for a person), `sweep` (rows and files that do not fit). `message-codec` makes rows of values and back.
 */
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Store, StoreRoom } from '../../store/store.ts'
import { createFairTurns } from '../fair-turn.ts'
import type { HeldEntry, Queue } from '../queue.ts'
import type { HoldLimits } from '../quota.ts'
import { createAdmission } from './admission.ts'
import { createBodyFiles } from './body-files.ts'
import { type HeldCounts, openHeldCounts } from './held-counts.ts'
import { createIntake } from './intake.ts'
import { createKeptQuota } from './kept-quota.ts'
import { createLooking } from './looking.ts'
import { heldEntry } from './message-codec.ts'
import type { QueueParts } from './parts.ts'
import { createReadAhead } from './read-ahead.ts'
import { relane } from './relane.ts'
import type { EntryRow } from './rows.ts'
import { createSettling } from './settling.ts'
import { sweep } from './sweep.ts'
import type { RowOperations } from './tables.ts'
import { createTasks } from './tasks.ts'
import { wake } from './wake.ts'

/** For `openStore`: `tables.ts` from a checkout, `tables.js` from the package. */
export const queueModule = new URL(`./tables${import.meta.url.slice(-3)}`, import.meta.url)

export interface SqliteQueueDeps {
  readonly clock: Clock
  /** Asked at each message, so that a reload can change them. */
  limits(): HoldLimits
  /** A held message cannot be sent: its body is missing or is not what was stored. For an alert. */
  corrupt(id: string, why: string): void
  /** What was kept for a person had no room any more: the oldest went. For the log. */
  dropped(entry: HeldEntry): void
}

export interface SqliteQueue extends Queue {
  /** Resolves when rows without files and files without rows have been looked for, which goes on behind the start. Never rejects. */
  readonly swept: Promise<void>
}

/** Octets of bodies that wait here in all for the drain to ask for them. */
const mostAhead = 4 * 1024 * 1024

/** Throws a `StoreFailure` where the rows cannot be read. The store stays the caller's to close, after the queue. */
export async function openSqliteQueue(store: Store, deps: SqliteQueueDeps): Promise<SqliteQueue> {
  const room = store.room<RowOperations>('queue')
  while (await room.write('recover', undefined)) {
    // In pages, as everything is.
  }
  const counts = await openHeldCounts(store, room, deps.clock)
  const parts = createParts(store, room, counts, deps)
  const { counters } = counts
  const admission = createAdmission({ limits: () => deps.limits(), space: store.space, counters })
  const kept = createKeptQuota({ ...parts, limit: () => admission.limit, dropped: (entry) => deps.dropped(entry) })
  let isClosed = false

  // The limit may be lower than it was.
  kept.trim()
  const swept = sweep({ ...parts, corrupt: parts.markCorrupt, isClosed: () => isClosed })

  return {
    ...createIntake(parts, store, admission),
    ...createTasks(parts),
    ...createSettling(parts, kept),
    ...createLooking(parts),
    wake: (nowMs, farMs = Number.MAX_SAFE_INTEGER) => wake(room, counts, nowMs, farMs),
    nextWakeMs: counts.nextWakeMs,
    relane: (laneOf) => relane(room, counts, laneOf),
    lanes: counters.lanes,
    domains: counters.domains,
    get totals() {
      return counters.totals
    },
    swept,
    async close() {
      isClosed = true
      counts.close()
      await kept.close()
      await swept
    },
  }
}

function createParts(
  store: Store,
  room: StoreRoom<RowOperations>,
  counts: HeldCounts,
  { clock, corrupt }: SqliteQueueDeps,
): QueueParts {
  function markCorrupt(id: string, why: string): void {
    void room
      .write('spoil', id, {
        committed: (change) => {
          if (change) counts.apply([change])
        },
      })
      .then((change) => change && corrupt(id, why), counts.noteFailure)
  }

  return {
    room,
    clock,
    counts,
    files: createBodyFiles(join(store.folder, 'hold'), markCorrupt),
    turns: createFairTurns(),
    ahead: createReadAhead(mostAhead),
    markCorrupt,
    decode: (rows, lanes) => decode(rows, new Map(lanes), markCorrupt),
  }
}

/** Rows that hold what we never wrote are set aside as corrupt, and never stop those behind them. */
function decode(
  rows: readonly EntryRow[],
  lanes: ReadonlyMap<number, string>,
  markCorrupt: QueueParts['markCorrupt'],
): HeldEntry[] {
  return rows.flatMap((row) => {
    try {
      return [heldEntry(row, lanes)]
    } catch (error) {
      markCorrupt(row.message[1], `its row cannot be read: ${error instanceof Error ? error.message : ''}`)
      return []
    }
  })
}
