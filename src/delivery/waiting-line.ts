/**
 * Those who wait for a session of one endpoint: live mail by key in turn, and what is held, which of the sessions that come free gets every fifth, so that
 * neither starves. Used by `pool.ts`.
 */
import type { Cancel } from '../base/cancel.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { Fault } from './outcome.ts'
import type { PooledSession } from './pooled-session.ts'
import { createTurns } from './turns.ts'

/** What somebody wants of a pool. */
export interface Wish {
  readonly key: string
  /** The end of waiting for a place. */
  readonly sessionUntilMs: number
  readonly readyUntilMs: number
  readonly fresh: boolean
  /** For a message of the hold: at most half of the sessions, at least one, and every fifth that comes free while live mail waits. */
  readonly isFromHold: boolean
  /** The sender has gone: nothing is wanted any more. */
  readonly cancel?: Cancel | undefined
}

export type Taken =
  | { readonly kind: 'taken'; readonly pooled: PooledSession }
  | { readonly kind: 'busy' }
  | { readonly kind: 'failed'; readonly fault: Fault }

export interface Waiter extends Wish {
  /** It is the turn of this one: its time does not end any more. */
  leave(): void
  /** The same, and what came of it. */
  settle(taken: Taken): void
}

/** One in so many goes to what is held while both wait. */
export const heldEvery = 5

export class WaitingLine {
  readonly #clock: Clock
  readonly #live = createTurns<Waiter>()
  /** Of a key as many as are served in a round of all sessions: the others hear that we are busy, so that the drain asks for fewer. */
  readonly #held = createTurns<Waiter>()
  /** Sessions that went to live mail that waited, since one went to held mail that did. */
  #liveInARow = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#live.size + this.#held.size
  }

  get heldSize(): number {
    return this.#held.size
  }

  heldOf(key: string): number {
    return this.#held.countOf(key)
  }

  /** Resolves when its turn has come to something, as busy when its time is over, or as failed when its sender has gone. */
  wait(wish: Wish): Promise<Taken> {
    return new Promise((resolve) => {
      const turns = wish.isFromHold ? this.#held : this.#live
      let timer: Timer | undefined
      let stopListening: (() => void) | undefined
      const leave = () => {
        timer?.cancel()
        stopListening?.()
      }
      const settle = (taken: Taken) => {
        leave()
        resolve(taken)
      }
      const waiter: Waiter = { ...wish, leave, settle }
      turns.add(waiter.key, waiter)
      const leftMs = wish.sessionUntilMs - this.#clock.monotonicMs()
      timer = this.#clock.after(Math.max(0, leftMs), () => {
        if (turns.remove(waiter.key, waiter)) settle({ kind: 'busy' })
      })
      stopListening = wish.cancel?.whenCancelled(() => {
        if (turns.remove(waiter.key, waiter)) settle(senderHasGone)
      })
    })
  }

  /** Takes out whose turn it is, of those who may be served. */
  next(mayBe?: (waiter: Waiter) => boolean): Waiter | undefined {
    const isTurnOfHeld = this.#live.size === 0 || this.#liveInARow >= heldEvery - 1
    return isTurnOfHeld
      ? (this.#nextHeld(mayBe) ?? this.#nextLive(mayBe))
      : (this.#nextLive(mayBe) ?? this.#nextHeld(mayBe))
  }

  #nextHeld(mayBe: ((waiter: Waiter) => boolean) | undefined): Waiter | undefined {
    const waiter = this.#held.next(mayBe)
    if (waiter) this.#liveInARow = 0
    return waiter
  }

  #nextLive(mayBe: ((waiter: Waiter) => boolean) | undefined): Waiter | undefined {
    const waiter = this.#live.next(mayBe)
    if (waiter) this.#liveInARow++
    return waiter
  }

  /** Nobody waits any more. */
  endAll(taken: Taken): void {
    for (let waiter = this.next(); waiter; waiter = this.next()) waiter.settle(taken)
  }
}

export const senderHasGone: Taken = {
  kind: 'failed',
  fault: { kind: 'abandoned', step: 'connect', reply: undefined, detail: 'the sender has gone' },
}
