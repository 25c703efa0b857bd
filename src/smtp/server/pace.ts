/**
 * How long the sender of a message may still take: for the next octets, for any minute's worth of them, for the
 * whole. `take-body.ts` asks before each wait. Times are on the monotonic clock; nothing here waits.
 */
import { rateWindowMs, type ServerBudgets, type ServerLimits } from './options.ts'

/** Arrivals closer than this to one another are one: a message never has more than a handful of marks. */
const slotMs = rateWindowMs / 12

/** How much had come when. Times leave out what the sink held us up. */
interface Mark {
  atMs: number
  octets: number
}

export class Pace {
  readonly #blockMs: number
  readonly #octetsPerWindow: number
  readonly #messageDueMs: number
  #blockDueMs: number
  /** Oldest first: the ends of arrivals whose next minute has not brought enough yet. What a fast sender has sent leaves one. */
  readonly #marks: Mark[]
  /** Until then what comes belongs to the last mark. */
  #slotEndMs: number
  #octets = 0
  #heldUpMs = 0
  #isFresh = true

  constructor(options: { readonly budgets: ServerBudgets; readonly limits: ServerLimits }, nowMs: number) {
    this.#blockMs = options.budgets.blockMs
    this.#octetsPerWindow = options.limits.minimumRate * (rateWindowMs / 1000)
    this.#messageDueMs = nowMs + options.budgets.messageMs
    this.#blockDueMs = nowMs + this.#blockMs
    this.#marks = [{ atMs: nowMs, octets: 0 }]
    this.#slotEndMs = nowMs
  }

  took(octets: number): void {
    this.#octets += octets
    this.#isFresh = true
  }

  /** The sink held us up, which is not the sender's fault. */
  waited(durationMs: number): void {
    this.#heldUpMs += durationMs
  }

  /** The moment to look again at, or undefined where the sender is too slow. */
  nextMs(nowMs: number): number | undefined {
    if (this.#isFresh) {
      this.#isFresh = false
      this.#blockDueMs = nowMs + this.#blockMs
      this.#mark(nowMs - this.#heldUpMs)
    }
    const dueMs = Math.min(this.#blockDueMs, this.#messageDueMs, this.#windowEndMs())
    // A timer may fire up to a millisecond early.
    return nowMs + 1 >= dueMs ? undefined : dueMs
  }

  #mark(atMs: number): void {
    const last = this.#marks.at(-1)
    if (last && atMs < this.#slotEndMs) {
      last.atMs = atMs
      last.octets = this.#octets
    } else {
      this.#marks.push({ atMs, octets: this.#octets })
      this.#slotEndMs = atMs + slotMs
    }
  }

  /** When the first minute that has not brought enough is over: each begins where octets ended, because no other can hold less. */
  #windowEndMs(): number {
    const marks = this.#marks
    while (marks[0] && this.#octets - marks[0].octets >= this.#octetsPerWindow) marks.shift()
    return marks[0] ? marks[0].atMs + this.#heldUpMs + rateWindowMs : Number.POSITIVE_INFINITY
  }
}
