/** The time that one question to the backends may take, step by step. Made by `cut-through` for each group of recipients and for the dot; `staging` spends it. */
import type { Clock } from '../../base/clock.ts'
import type { Budgets } from '../settings.ts'

/**
 * How long the sender may have to wait for one answer: 25 s for connecting, over all candidates; 50 s for MAIL; 100 s for the
 * recipients. Each budget is spent by its own step alone, so that silence at MAIL leaves time to connect elsewhere.
 */
export class Phase {
  readonly #clock: Clock
  readonly #budgets: Budgets
  readonly #capMs: number
  #askUntilMs: number
  #connectLeftMs: number

  /** @param capMs  no step lasts longer than this, on the monotonic clock */
  constructor(clock: Clock, budgets: Budgets, capMs = Number.POSITIVE_INFINITY) {
    this.#clock = clock
    this.#budgets = budgets
    this.#capMs = capMs
    this.#askUntilMs = clock.monotonicMs() + budgets.rcptMs
    this.#connectLeftMs = budgets.connectMs
  }

  /** Whether there is time to connect to one more. */
  get mayConnect(): boolean {
    const nowMs = this.#clock.monotonicMs()
    return this.#connectLeftMs > 0 && nowMs < this.#capMs && nowMs < this.#askUntilMs
  }

  get connectUntilMs(): number {
    return Math.min(this.#capMs, this.#clock.monotonicMs() + this.#connectLeftMs)
  }

  get mailUntilMs(): number {
    return Math.min(this.rcptUntilMs, this.#clock.monotonicMs() + this.#budgets.mailMs)
  }

  get rcptUntilMs(): number {
    return Math.min(this.#capMs, this.#askUntilMs)
  }

  /** What was spent on connecting since `fromMs` is not spent on asking. */
  connected(fromMs: number): void {
    const spentMs = this.#clock.monotonicMs() - fromMs
    this.#connectLeftMs -= spentMs
    this.#askUntilMs += spentMs
  }
}
