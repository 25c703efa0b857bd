/**
 * The counts of what is held, kept in step with the rows: loaded at the start, changed with each COMMIT, and read anew where one left open whether it
 * happened. For `queue.ts` beside; what is counted, `../counters.ts` says.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import { StoreFailure } from '../../store/failure.ts'
import type { Store, StoreRoom } from '../../store/store.ts'
import { type Counters, createCounters, type LoadedCounts } from '../counters.ts'
import type { NewHeld, RecipientState } from '../queue.ts'
import type { Counts } from './count-rows.ts'
import { countedNew, countedRow } from './message-codec.ts'
import { type Change, stateOf } from './rows.ts'
import type { RowOperations } from './tables.ts'

export interface HeldCounts {
  readonly counters: Counters
  /** False where nothing of that lane is in that state for certain: then the rows need not be asked. */
  mayHave(lane: string, state: RecipientState): boolean
  /** Of what was committed, in the order of it. */
  apply(changes: readonly Change[]): void
  /** @param size  octets of its body, as it was stored */
  added(message: NewHeld, size: number): void
  /** Something waits until then. */
  wakeBy(ms: number | null | undefined): void
  /** Everything that waited until now has been woken; the next waits until then. */
  woken(nextMs: number | undefined): void
  nextWakeMs(): number | undefined
  /** Passes failures of the store alone; where one left open what happened, the rows are counted anew. Throws everything else. */
  noteFailure(error: unknown): void
  close(): void
}

const oldestSoonMs = 500
const oldestLaterMs = 30_000
/** So many messages are gone through in the twinkling of an eye. */
const fewMessages = 10_000

/** Throws a `StoreFailure` where the rows cannot be read. */
export async function openHeldCounts(store: Store, room: StoreRoom<RowOperations>, clock: Clock): Promise<HeldCounts> {
  const counters = createCounters()
  const oldestDue = new Deadline(clock, () => void refreshOldest())
  let nextWakeMs = Number.POSITIVE_INFINITY
  let isDoubtful = false
  let reloading = 0
  let isClosed = false
  let removals = 0

  load(await room.read('counts', undefined))
  store.onState((state) => {
    // What a COMMIT left unknown has been taken back by now, or has happened: only the rows know.
    if (state.kind === 'writable' && isDoubtful) void reload()
  })

  function load(counts: Counts): void {
    nextWakeMs = counts.nextWakeMs ?? Number.POSITIVE_INFINITY
    counters.load(countedOf(counts))
  }

  async function reload(): Promise<void> {
    isDoubtful = false
    reloading++
    try {
      // By the writer, so that it is in order with everything else that changes the counts.
      await room.write('counts', undefined, { committed: load })
    } catch (error) {
      isDoubtful = true
      noteFailure(error)
    } finally {
      reloading--
    }
  }

  function noteFailure(error: unknown): void {
    if (!(error instanceof StoreFailure)) throw error
    if (error.isUnknown) isDoubtful = true
  }

  async function refreshOldest(): Promise<void> {
    const before = removals
    try {
      counters.setOldest(await room.read('oldestMoments', undefined))
      // What left while the rows were read may have been the oldest: look again.
      if (removals !== before && !isClosed) oldestDue.arm(oldestLaterMs)
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
    }
  }

  function wakeBy(ms: number | null | undefined): void {
    if (typeof ms === 'number') nextWakeMs = Math.min(nextWakeMs, ms)
  }

  return {
    counters,
    mayHave: (lane, state) => isDoubtful || reloading > 0 || counters.inLane(lane, state) > 0,
    apply(changes) {
      for (const { before, after } of changes) counters.change(countedRow(before), countedRow(after))
      removals++
      if (counters.isOldestStale && !isClosed)
        oldestDue.arm(counters.totals.messages < fewMessages ? oldestSoonMs : oldestLaterMs)
    },
    added(message, size) {
      counters.change(undefined, countedNew(message, size))
      for (const { notBeforeMs } of message.recipients) wakeBy(notBeforeMs)
    },
    wakeBy,
    woken(nextMs) {
      nextWakeMs = nextMs ?? Number.POSITIVE_INFINITY
    },
    nextWakeMs: () => (nextWakeMs === Number.POSITIVE_INFINITY ? undefined : nextWakeMs),
    noteFailure,
    close() {
      isClosed = true
      oldestDue.end()
    },
  }
}

/** As the rows have it, with its columns named. */
const countedOf = (counts: Counts): LoadedCounts => ({
  ...counts,
  lanes: counts.lanes.map(([lane, state, messages, oldestMs]) => ({ lane, state: stateOf(state), messages, oldestMs })),
  domains: counts.domains.map(([domain, messages, bytes, liveCost, oldestMs]) => ({
    domain,
    messages,
    bytes,
    liveCost,
    oldestMs,
  })),
  states: counts.states.map(([domain, state, recipients]) => ({ domain, state: stateOf(state), recipients })),
})
