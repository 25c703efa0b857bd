/**
 * The main side of the writer: collects what is asked for while a transaction is under way, and sends it as one message that becomes one transaction
 * with one sync. What goes into one, `batch.ts` says; what becomes of those that were sent, `sent.ts`, and by it `writability.ts` knows whether the
 * store can be written. For `open.ts`.
 */
import type { Clock } from '../base/clock.ts'
import { batchLength, type Write } from './batch.ts'
import { StoreFailure } from './failure.ts'
import type { Order } from './protocol.ts'
import { createSent, type WriterAnswer } from './sent.ts'
import type { StoreState } from './store.ts'

export interface GroupCommit {
  add(write: Write): void
  /** What the writer thread said. */
  answered(answer: WriterAnswer): void
  /** The thread is gone, or is to go: all that waits fails as `closed`, and what comes later too. */
  end(why: string): void
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>
  readonly isIdle: boolean
  readonly state: StoreState
}

export interface GroupCommitDeps {
  readonly clock: Clock
  post(order: Order, transfer: readonly ArrayBuffer[]): void
  changed(state: StoreState): void
}

/** So many make a second batch worth its sync. */
const worthSending = 16

export function createGroupCommit({ clock, post, changed }: GroupCommitDeps): GroupCommit {
  let waiting: Write[] = []
  let isScheduled = false
  const idlers: (() => void)[] = []
  const sent = createSent({
    ...{ clock, post, changed },
    gaveUp(failure) {
      for (const write of waiting.splice(0)) write.reject(new StoreFailure('io', failure.message))
    },
  })

  /** A second batch goes while the first is at the disk, so that the thread never waits for us; a small one waits to become larger. */
  const maySend = () => sent.count === 0 || (sent.count === 1 && waiting.length >= worthSending)
  const isIdle = () => sent.count === 0 && waiting.length === 0

  function schedule(): void {
    if (isScheduled || waiting.length === 0 || !maySend()) return
    isScheduled = true
    // Whoever else asks in this turn comes along.
    queueMicrotask(() => {
      isScheduled = false
      if (waiting.length > 0 && maySend()) sendBatch()
    })
  }

  function sendBatch(): void {
    const writes = takeBatch()
    try {
      sent.send(writes)
    } catch (error) {
      // Something that cannot be cloned: a bug of whoever asked.
      for (const write of writes) write.reject(error)
      schedule()
    }
  }

  function takeBatch(): readonly Write[] {
    const count = batchLength(waiting)
    const taken = count === waiting.length ? waiting : waiting.slice(0, count)
    waiting = count === waiting.length ? [] : waiting.slice(count)
    return taken
  }

  return {
    add(write) {
      if (sent.state.kind === 'closed') write.reject(new StoreFailure('closed', 'the store is closed'))
      else if (sent.isGivenUp) write.reject(new StoreFailure('io', 'the disk gives no answer'))
      else {
        waiting.push(write)
        schedule()
      }
    },
    answered(answer) {
      sent.answered(answer)
      schedule()
      if (isIdle()) for (const idler of idlers.splice(0)) idler()
    },
    end(why) {
      const failure = new StoreFailure('closed', why, true)
      const waited = waiting
      waiting = []
      for (const write of [...sent.end(), ...waited]) write.reject(failure)
      for (const idler of idlers.splice(0)) idler()
    },
    async idle() {
      if (!isIdle()) await new Promise<void>((resolve) => idlers.push(resolve))
    },
    get isIdle() {
      return isIdle()
    },
    get state() {
      return sent.state
    },
  }
}
