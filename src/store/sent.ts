/**
 * Transactions that the writer's thread has been sent and has not answered: what becomes of those who wait for them, what a failed COMMIT left unknown
 * until it is taken back, and a disk that gives no answer at all. For `group-commit.ts`.
 */
import { type Clock, Deadline } from '../base/clock.ts'
import { packBatch, type Write } from './batch.ts'
import { fromWords, StoreFailure } from './failure.ts'
import type { Answer, BatchAnswer, Call, Order } from './protocol.ts'
import type { StoreState } from './store.ts'
import { createWritability } from './writability.ts'

export type WriterAnswer = BatchAnswer | Extract<Answer, { kind: 'probe' }>

export interface Sent {
  /** Throws where something cannot be sent to a thread. */
  send(writes: readonly Write[]): void
  /** What the thread said of the first one. */
  answered(answer: WriterAnswer): void
  /** @returns what was not answered, to be told so */
  end(): readonly Write[]
  /** How many there are. */
  readonly count: number
  /** Those who asked were told that it failed, and the answer is still to come. */
  readonly isGivenUp: boolean
  readonly state: StoreState
}

export interface SentDeps {
  readonly clock: Clock
  post(order: Order, transfer: readonly ArrayBuffer[]): void
  changed(state: StoreState): void
  /** The disk gives no answer: who waits to be sent need not wait any longer. */
  gaveUp(failure: StoreFailure): void
}

interface Transaction {
  /** Empty for a probe, and where those who asked were told that it failed. */
  writes: readonly Write[]
  /** How many of `undos` it takes with it. */
  undos: number
  readonly isProbe: boolean
}

/** A disk that gives no answer for so long has failed, for those who wait; what it does later is taken back. */
const answerMs = 30_000

export function createSent({ clock, post, changed, gaveUp }: SentDeps): Sent {
  /** In order. */
  const underWay: Transaction[] = []
  let undos: readonly Call[] = []
  let isGivenUp = false
  const answer = new Deadline(clock, giveUp)
  const writability = createWritability(clock, changed, probe)

  function probe(octets: number): void {
    if (underWay.length > 0) {
      // What is under way will tell, and whoever it tells nothing of asks again.
      writability.trySoon()
      return
    }
    post({ kind: 'probe', undos, octets }, [])
    begin([], true)
  }

  function begin(writes: readonly Write[], isProbe: boolean): void {
    underWay.push({ writes, undos: undos.length, isProbe })
    if (underWay.length === 1) answer.arm(answerMs)
  }

  function giveUp(): void {
    const failure = new StoreFailure('io', `the disk gives no answer for ${answerMs / 1000} s`, true)
    isGivenUp = true
    writability.failing(failure)
    for (const transaction of underWay) {
      const { writes } = transaction
      transaction.writes = []
      refuse(writes, failure)
    }
    gaveUp(failure)
  }

  function refuse(writes: readonly Write[], failure: StoreFailure): void {
    for (const write of writes) {
      // A new array: what was sent keeps what it was sent with.
      if (failure.isUnknown && write.undo) undos = [...undos, write.undo]
      write.reject(failure)
    }
  }

  function failed({ writes, isProbe }: Transaction, failure: StoreFailure): void {
    if (isProbe) writability.trialFailed(failure)
    else writability.failed(failure)
    refuse(writes, failure)
  }

  function worked(transaction: Transaction, said: WriterAnswer): void {
    undos = undos.slice(transaction.undos)
    // Another that is under way was sent with the same ones, which do no harm twice.
    for (const other of underWay) other.undos = Math.max(0, other.undos - transaction.undos)
    if (said.kind === 'batch') settle(transaction.writes, said, writability.failed)
    else if (!isGivenUp) writability.trialWorked()
    writability.quietFromNow()
  }

  return {
    send(writes) {
      const { calls, payloads } = packBatch(writes)
      post({ kind: 'batch', undos, calls, payloads }, [payloads])
      begin(writes, false)
    },
    answered(said) {
      const transaction = underWay.shift()
      if (!transaction) return
      if (underWay.length > 0) answer.arm(answerMs)
      else answer.disarm()
      if (said.failure) failed(transaction, fromWords(said.failure))
      else worked(transaction, said)
      if (underWay.length > 0) return
      // It answers again: what was given up is taken back now.
      if (isGivenUp) writability.tryNow()
      isGivenUp = false
    },
    end() {
      const writes = underWay.splice(0).flatMap((transaction) => transaction.writes)
      writability.close()
      answer.end()
      return writes
    },
    get count() {
      return underWay.length
    },
    get isGivenUp() {
      return isGivenUp
    },
    get state() {
      return writability.state
    },
  }
}

/** Tells each what became of it within a transaction that was committed. @param failed  hears of those that the disk failed for */
function settle(
  writes: readonly Write[],
  { results, failed: notDone }: BatchAnswer,
  failed: (failure: StoreFailure) => void,
): void {
  const outcomes = new Map(notDone)
  writes.forEach((write, index) => {
    const outcome = outcomes.get(index)
    if (!outcome) {
      write.committed(results[index])
      write.resolve(results[index])
    } else if (outcome.kind === 'failed') {
      const failure = fromWords(outcome.failure)
      failed(failure)
      write.reject(failure)
    } else write.reject(new Error(outcome.message))
  })
}
