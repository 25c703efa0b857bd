/** The main side of the reader: asks it one thing after the other, each with a deadline. For `open.ts`. */
import { type Clock, Deadline } from '../base/clock.ts'
import { fromWords, StoreFailure } from './failure.ts'
import type { Answer, Call, Order } from './protocol.ts'

export interface Reads {
  ask(call: Call): Promise<unknown>
  answered(answer: Extract<Answer, { kind: 'read' }>): void
  end(why: string): void
  idle(): Promise<void>
}

interface Asked {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly askedMs: number
}

/** Longer than any reading takes; a disk that is slower has failed. */
const answerMs = 60_000

export function createReads(post: (order: Order) => void, clock: Clock): Reads {
  const asked = new Map<number, Asked>()
  let last = 0
  let ended: string | undefined
  let idlers: (() => void)[] = []
  const deadline = new Deadline(clock, giveUp)

  /** The oldest stands first. */
  const oldest = () => asked.entries().next().value

  function rearm(): void {
    const first = oldest()
    if (first) {
      deadline.armAt(first[1].askedMs + answerMs)
      return
    }
    deadline.disarm()
    const waiters = idlers
    idlers = []
    for (const resolve of waiters) resolve()
  }

  function giveUp(): void {
    const first = oldest()
    if (first) {
      asked.delete(first[0])
      first[1].reject(new StoreFailure('io', `the disk gives no answer for ${answerMs / 1000} s`))
    }
    rearm()
  }

  return {
    ask(call) {
      if (ended !== undefined) return Promise.reject(new StoreFailure('closed', ended))
      const number = ++last
      return new Promise((resolve, reject) => {
        asked.set(number, { resolve, reject, askedMs: clock.monotonicMs() })
        if (asked.size === 1) deadline.arm(answerMs)
        post({ kind: 'read', number, call })
      })
    },
    answered({ number, outcome }) {
      const waiter = asked.get(number)
      // Given up before.
      if (!waiter) return
      asked.delete(number)
      if (outcome.kind === 'done') waiter.resolve(outcome.result)
      else if (outcome.kind === 'failed') waiter.reject(fromWords(outcome.failure))
      else waiter.reject(new Error(outcome.message))
      rearm()
    },
    end(why) {
      ended ??= why
      deadline.end()
      for (const { reject } of asked.values()) reject(new StoreFailure('closed', why))
      asked.clear()
      for (const resolve of idlers.splice(0)) resolve()
    },
    async idle() {
      if (asked.size > 0) await new Promise<void>((resolve) => idlers.push(resolve))
    },
  }
}
