/**
 * Places that are to serve others where what they wait for takes too long: sessions that wait for their senders (`cut-through`), attempts that wait for
 * a backend's first word (`lane-drain`). One timer for all that wait equally long: one for each would be set and cancelled with every message.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import { InOrder, type Place } from '../../base/in-order.ts'

/** Whoever keeps a place while it waits. */
export interface Waiting {
  /** Its time is over: the place serves others from now on. */
  giveBack(): void
}

/** A wait that has begun. */
export type Stay = Place<{ readonly who: Waiting; readonly untilMs: number }>

export class WaitingPlaces {
  readonly #clock: Clock
  readonly #patienceMs: number
  /** In the order of their ends. */
  readonly #waiting = new InOrder<{ readonly who: Waiting; readonly untilMs: number }>()
  #timer: Timer | undefined

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock
    this.#patienceMs = patienceMs
  }

  /** @param nowMs  on the monotonic clock */
  begin(who: Waiting, nowMs: number): Stay {
    this.#timer ??= this.#clock.after(this.#patienceMs, () => this.#look())
    return this.#waiting.add({ who, untilMs: nowMs + this.#patienceMs })
  }

  /** Does nothing where it is over. */
  end(stay: Stay): void {
    this.#waiting.leave(stay)
  }

  #look(): void {
    this.#timer = undefined
    // Timers may fire up to a millisecond early.
    const nowMs = this.#clock.monotonicMs() + 1
    for (let stay = this.#waiting.first; stay; stay = this.#waiting.first) {
      const { who, untilMs } = stay.value
      if (untilMs > nowMs) {
        this.#timer = this.#clock.after(untilMs - nowMs + 1, () => this.#look())
        return
      }
      this.#waiting.leave(stay)
      who.giveBack()
    }
  }
}
