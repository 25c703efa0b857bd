/**
 * How long the sender of a message may still take: for the next octets, for each minute's worth of them, for the
 * whole. `take-body.ts` asks before each wait. Times are on the monotonic clock; nothing here waits.
 */
import { rateWindowMs, type ServerBudgets, type ServerLimits } from './options.ts'

export class Pace {
  readonly #blockMs: number
  readonly #octetsPerWindow: number
  readonly #messageDueMs: number
  #blockDueMs: number
  #windowEndMs: number
  #windowOctets = 0
  #isFresh = true

  constructor(options: { readonly budgets: ServerBudgets; readonly limits: ServerLimits }, nowMs: number) {
    this.#blockMs = options.budgets.blockMs
    this.#octetsPerWindow = options.limits.minimumRate * (rateWindowMs / 1000)
    this.#messageDueMs = nowMs + options.budgets.messageMs
    this.#blockDueMs = nowMs + this.#blockMs
    this.#windowEndMs = nowMs + rateWindowMs
  }

  took(octets: number): void {
    this.#windowOctets += octets
    this.#isFresh = true
  }

  /** The sink held us up, which is not the sender's fault. */
  waited(durationMs: number): void {
    this.#windowEndMs += durationMs
  }

  /** The moment to look again at, or undefined where the sender is too slow. */
  nextMs(nowMs: number): number | undefined {
    if (this.#isFresh) {
      this.#isFresh = false
      this.#blockDueMs = nowMs + this.#blockMs
    }
    // A timer may fire up to a millisecond early.
    const soonMs = nowMs + 1
    if (soonMs >= this.#messageDueMs || soonMs >= this.#blockDueMs) return undefined
    if (soonMs >= this.#windowEndMs) {
      if (this.#windowOctets < this.#octetsPerWindow) return undefined
      this.#windowOctets = 0
      this.#windowEndMs = nowMs + rateWindowMs
    }
    return Math.min(this.#blockDueMs, this.#messageDueMs, this.#windowEndMs)
  }
}
