/** Refused and expired mail, kept for a person, has a quota of its own: the oldest goes. For `queue.ts` beside. */
import type { StoreRoom } from '../../store/store.ts'
import type { HeldEntry } from '../queue.ts'
import { keptLimit } from '../quota.ts'
import type { BodyFiles } from './body-files.ts'
import type { HeldCounts } from './held-counts.ts'
import type { EntryRow } from './rows.ts'
import type { RowOperations } from './tables.ts'

export interface KeptQuota {
  /** Looks, behind whoever asks, whether more is kept than may be. */
  trim(): void
  /** Resolves when what has been begun is done. */
  close(): Promise<void>
}

export interface KeptQuotaDeps {
  readonly room: StoreRoom<RowOperations>
  readonly counts: HeldCounts
  readonly files: BodyFiles
  /** Of the hold, octets. */
  readonly limit: () => number
  readonly decode: (rows: readonly EntryRow[], lanes: readonly (readonly [number, string])[]) => HeldEntry[]
  /** For the log. */
  dropped(entry: HeldEntry): void
}

export function createKeptQuota({ room, counts, files, limit, decode, dropped }: KeptQuotaDeps): KeptQuota {
  let isClosed = false
  let trimming: Promise<void> | undefined

  async function dropOldest(): Promise<void> {
    for (;;) {
      const excess = counts.counters.totals.keptCost - keptLimit(limit())
      if (excess <= 0 || isClosed) return
      const { entries, lanes } = await room.write('dropKept', excess, {
        committed: (done) => counts.apply(done.changes),
      })
      if (entries.length === 0) return
      for (const entry of decode(entries, lanes)) {
        await files.remove(entry.message.id).catch(() => undefined)
        dropped(entry)
      }
    }
  }

  return {
    trim() {
      trimming ??= dropOldest()
        .catch(counts.noteFailure)
        .finally(() => {
          trimming = undefined
        })
    },
    async close() {
      isClosed = true
      await trimming
    },
  }
}
