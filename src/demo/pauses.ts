/** Pauses that can be ended before their time, all at once. For `sender` and `mailbox`. */
import type { Clock, Timer } from '../base/clock.ts'

export class Pauses {
  readonly #clock: Clock
  /** By what ends the waiting. */
  readonly #timers = new Map<() => void, Timer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.set(
        resolve,
        this.#clock.after(delayMs, () => this.#end(resolve)),
      )
    })
  }

  endAll(): void {
    for (const resolve of [...this.#timers.keys()]) this.#end(resolve)
  }

  #end(resolve: () => void): void {
    this.#timers.get(resolve)?.cancel()
    this.#timers.delete(resolve)
    resolve()
  }
}
