/**
 * Places that are to serve others where what they wait for takes too long: sessions that wait for their senders (`cut-through`), attempts that wait for
 * a backend's first word (`lane-drain`). One timer for all that wait equally long: one for each would be set and cancelled with every message.
 */
import type { Clock, Timer } from '../../base/clock.ts'

/** Whoever keeps a place while it waits. */
export interface Waiting {
  /** Its time is over: the place serves others from now on. */
  ranOut(): void
}

export class Patience {
  readonly #clock: Clock
  readonly #patienceMs: number
  /** Until when, in the order of that. */
  readonly #waiting = new Map<Waiting, number>()
  #timer: Timer | undefined

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock
    this.#patienceMs = patienceMs
  }

  /** From now on; whoever waits already begins anew. */
  begin(who: Waiting): void {
    this.#waiting.delete(who)
    this.#waiting.set(who, this.#clock.monotonicMs() + this.#patienceMs)
    this.#timer ??= this.#clock.after(this.#patienceMs, () => this.#look())
  }

  end(who: Waiting): void {
    this.#waiting.delete(who)
  }

  #look(): void {
    this.#timer = undefined
    // Timers may fire up to a millisecond early.
    const nowMs = this.#clock.monotonicMs() + 1
    for (const [who, untilMs] of this.#waiting) {
      if (untilMs > nowMs) {
        this.#timer = this.#clock.after(untilMs - nowMs + 1, () => this.#look())
        return
      }
      this.#waiting.delete(who)
      who.ranOut()
    }
  }
}
