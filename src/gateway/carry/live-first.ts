/**
 * Live mail before held mail: while a sender waits for a backend's word, the drain begins nothing new, so that live mail meets neither a busy
 * process of ours nor a busy backend. Where senders wait all the time the drain has a turn now and then, so that it comes to its end as well. Without
 * live mail nothing is held up. `cut-through` says who waits, `drain/attempt-turns` asks before each attempt; one a gateway.
 *
 * As disk schedulers do it: reads go before writes, which are given a turn so that they do not starve (`writes_starved` of Linux's deadline
 * scheduler), and who has just been served asks again in a moment, which is worth waiting for (Iyer and Druschel, "Anticipatory scheduling", SOSP 2001).
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import { InOrder, type Place } from '../../base/in-order.ts'

/** The next command of a sender that is near: RCPT, DATA and the dot follow one upon the other. */
const lingerMs = 4
/** So long at a stretch the drain stands back, and so long it goes on then: a fifth of the time is its own, whatever comes in. */
const mostYieldMs = 100
const turnMs = 25

/** A sender's wait for one answer, since a moment of the monotonic clock. */
export type Wait = Place<number>

export class LiveFirst {
  readonly #clock: Clock
  readonly #alarm: Deadline
  /** Senders that wait for a backend, but for those that wait for longer than the drain stands back: that backend is slow by itself. */
  readonly #waiting = new InOrder<number>()
  /** When the last one was answered. */
  #endedMs = Number.NEGATIVE_INFINITY
  /** Since when the drain stands back. */
  #yieldsFromMs: number | undefined
  #turnUntilMs = Number.NEGATIVE_INFINITY
  readonly #standingBack: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
    this.#alarm = new Deadline(clock, () => this.#look())
  }

  /** A sender waits for a backend from now on. @param nowMs  on the monotonic clock */
  begin(nowMs: number): Wait {
    return this.#waiting.add(nowMs)
  }

  /** It has its answer. @param nowMs  likewise */
  end(wait: Wait, nowMs: number): void {
    this.#waiting.leave(wait)
    this.#endedMs = nowMs
    if (this.#waiting.size === 0 && this.#standingBack.length > 0) this.#look()
  }

  /** Resolves when the drain may begin one more; undefined where it may at once. */
  turn(): Promise<void> | undefined {
    const waitMs = this.#waitMs()
    if (waitMs === 0) return undefined
    this.#alarm.arm(waitMs)
    return new Promise((resolve) => this.#standingBack.push(resolve))
  }

  #look(): void {
    const waitMs = this.#waitMs()
    if (waitMs > 0) this.#alarm.arm(waitMs)
    else {
      this.#alarm.disarm()
      for (const go of this.#standingBack.splice(0)) go()
    }
  }

  /** How long the drain stands back, as far as is known now. */
  #waitMs(): number {
    const nowMs = this.#clock.monotonicMs()
    for (let oldest = this.#waiting.first; oldest; oldest = this.#waiting.first) {
      if (nowMs - oldest.value < mostYieldMs) break
      this.#waiting.leave(oldest)
    }
    const quietMs = this.#waiting.size > 0 ? mostYieldMs : this.#endedMs + lingerMs - nowMs
    if (quietMs <= 0) {
      this.#yieldsFromMs = undefined
      return 0
    }
    if (nowMs < this.#turnUntilMs) return 0
    this.#yieldsFromMs ??= nowMs
    const leftMs = this.#yieldsFromMs + mostYieldMs - nowMs
    if (leftMs > 0) return Math.min(leftMs, quietMs)
    this.#yieldsFromMs = undefined
    this.#turnUntilMs = nowMs + turnMs
    return 0
  }
}
