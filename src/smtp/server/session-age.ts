/**
 * How long a session may be there at all, for `session.ts`: RFC 5321 §4.5.3.2.7 bounds the wait for one command alone, and who says one every few minutes
 * would stay for ever.
 */
import type { Clock } from '../../base/clock.ts'
import type { SmtpServerOptions } from './options.ts'
import { replies } from './replies.ts'

export class SessionAge {
  readonly #clock: Clock
  /** When the connection is too old, and when its first MAIL is due; on the monotonic clock. */
  readonly #oldMs: number
  #mailDueMs: number

  constructor(clock: Clock, { connectionMs, firstMailMs }: SmtpServerOptions['budgets']) {
    this.#clock = clock
    this.#oldMs = clock.monotonicMs() + connectionMs
    this.#mailDueMs = clock.monotonicMs() + firstMailMs
  }

  /** A transaction has begun. */
  hasMail(): void {
    this.#mailDueMs = Number.POSITIVE_INFINITY
  }

  /** Until when a command may be waited for, on the monotonic clock. */
  get untilMs(): number {
    return Math.min(this.#oldMs, this.#mailDueMs)
  }

  /** The last word to who has been here too long; undefined where it may stay. */
  get lateReply(): string | undefined {
    // Timers may fire up to a millisecond early.
    const nowMs = this.#clock.monotonicMs() + 1
    if (nowMs >= this.#oldMs) return replies.tooOld
    return nowMs >= this.#mailDueMs ? replies.noMail : undefined
  }
}
