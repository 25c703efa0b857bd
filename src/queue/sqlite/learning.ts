/** Gathers what is told of recipients for half a second, and writes it as one; what could not be written goes along with the next. For `known.ts`. */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Store, StoreRoom } from '../../store/store.ts'
import { type KnownLimits, type KnownOperations, type KnownRow, kinds } from './known-tables.ts'

export interface Learning {
  /** Further ones are forgotten, and told again by the next message. */
  readonly isFull: boolean
  /** @param key  of the row, as text */
  add(key: string, row: KnownRow): void
  /** What waits, or is being written, and no reader sees yet. */
  find(key: string): KnownRow | undefined
  flush(): Promise<void>
  /** Nothing is written by itself any more. */
  end(): void
}

export interface LearningDeps {
  readonly clock: Clock
  readonly store: Pick<Store, 'state'>
  readonly room: StoreRoom<KnownOperations>
  readonly limits: KnownLimits
  /** How long what was told is of use. */
  readonly goodMs: number
  readonly badMs: number
  /** A row had to make room for others. */
  trimmed(key: string): void
}

const gatherMs = 500
/** Where the store cannot be written. */
const longPauseMs = 5000
/** Tellings that wait while the store cannot be written. */
const mostPending = 20_000

export function createLearning({ clock, store, room, limits, goodMs, badMs, trimmed }: LearningDeps): Learning {
  let pending = new Map<string, KnownRow>()
  let writing: ReadonlyMap<string, KnownRow> = new Map()
  let flushing: Promise<void> | undefined
  const due = new Deadline(clock, () => void flush().catch(() => undefined))

  async function flush(): Promise<void> {
    // One at a time, so that what is told twice ends as it was told last.
    while (flushing) await flushing
    if (pending.size === 0) return
    flushing = write().finally(() => {
      flushing = undefined
    })
    await flushing
  }

  async function write(): Promise<void> {
    const batch = pending
    pending = new Map()
    writing = batch
    due.disarm()
    try {
      const nowMs = clock.now()
      const keys = await room.write('learn', {
        rows: [...batch.values()],
        limits,
        goodSinceMs: nowMs - goodMs,
        badSinceMs: nowMs - badMs,
      })
      for (const key of keys) trimmed(Buffer.from(key).toString('latin1'))
    } catch (error) {
      // Kept for the next time, behind what was told meanwhile.
      pending = new Map([...batch, ...pending])
      if (store.state.kind !== 'closed') due.arm(longPauseMs)
      throw error
    } finally {
      writing = new Map()
    }
  }

  return {
    get isFull() {
      return pending.size >= mostPending
    },
    add(key, row) {
      // The better one of two that are written together.
      if (row[2] === kinds.accepted && pending.get(key)?.[2] === kinds.delivered) return
      pending.set(key, row)
      if (pending.size === 1) due.arm(gatherMs)
    },
    find: (key) => pending.get(key) ?? writing.get(key),
    flush,
    end: () => due.end(),
  }
}
