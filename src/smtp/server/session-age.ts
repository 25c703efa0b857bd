/**
 * How long a session may be there at all, for `session.ts`: RFC 5321 §4.5.3.2.7 bounds the wait for one command alone, and who says one every few minutes
 * would stay for ever.
 */
import type { Clock } from '../../base/clock.ts'
import type { SmtpServerOptions } from './options.ts'
import { replies } from './replies.ts'

export class SessionAge {
  /** When the connection is too old, and when its first MAIL is due; on the monotonic clock. */
  readonly #oldMs: number
  #mailDueMs: number

  constructor(clock: Clock, { connectionMs, firstMailMs }: SmtpServerOptions['budgets']) {
    const nowMs = clock.monotonicMs()
    this.#oldMs = nowMs + connectionMs
    this.#mailDueMs = nowMs + firstMailMs
  }

  /** A transaction has begun. */
  mailBegan(): void {
    this.#mailDueMs = Number.POSITIVE_INFINITY
  }

  /** Until when a command may be waited for, on the monotonic clock. */
  get untilMs(): number {
    return Math.min(this.#oldMs, this.#mailDueMs)
  }

  /** The last word to who has been here too long; undefined where it may stay. @param nowMs  on the monotonic clock */
  lateReply(nowMs: number): string | undefined {
    // Timers may fire up to a millisecond early.
    const soonMs = nowMs + 1
    if (soonMs >= this.#oldMs) return replies.tooOld
    return soonMs >= this.#mailDueMs ? replies.noMail : undefined
  }
}
