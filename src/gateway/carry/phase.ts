/** The time that one question to the backends may take, step by step. Made by `cut-through` for each group of recipients and for the dot; `staging` spends it. */
import type { Clock } from '../../base/clock.ts'
import type { RecipientsOutcome } from '../../delivery/outcome.ts'
import type { Budgets } from '../settings.ts'

/** For `Transaction.askRecipients`, on the monotonic clock. */
export interface AskingLimits {
  readonly fromMs: number
  readonly mailUntilMs: number
  readonly untilMs: number
  readonly isLast: boolean
}

/**
 * How long the sender may have to wait for one answer, over all candidates: 25 s for connecting; 100 s for the recipients, of which 50 s for what
 * ends at MAIL. Each budget is spent by its own step alone, so that silence at MAIL leaves time to connect elsewhere, and at RCPT to say MAIL there.
 */
export class Phase {
  readonly #clock: Clock
  readonly #capMs: number
  #askUntilMs: number
  #connectLeftMs: number
  #mailLeftMs: number

  /**
   * @param fromMs  when it begins, on the monotonic clock
   * @param capMs  no step lasts longer than this, likewise
   */
  constructor(clock: Clock, budgets: Budgets, fromMs: number, capMs = Number.POSITIVE_INFINITY) {
    this.#clock = clock
    this.#capMs = capMs
    this.#askUntilMs = fromMs + budgets.rcptMs
    this.#connectLeftMs = budgets.connectMs
    this.#mailLeftMs = budgets.mailMs
  }

  /** Whether there is time for one more backend. */
  mayTryAnother(nowMs: number): boolean {
    return this.#connectLeftMs > 0 && this.#mailLeftMs > 0 && nowMs < this.#capMs && nowMs < this.#askUntilMs
  }

  /** @param nowMs  on the monotonic clock */
  connectUntilMs(nowMs: number): number {
    return Math.min(this.#capMs, nowMs + this.#connectLeftMs)
  }

  /** What was spent on connecting since `fromMs` is not spent on asking. */
  connected(fromMs: number): void {
    const spentMs = this.#clock.monotonicMs() - fromMs
    this.#connectLeftMs -= spentMs
    this.#askUntilMs += spentMs
  }

  /** What is left for MAIL, where that was not said yet, and RCPT. @param isLast  see `Transaction.askRecipients` */
  limits(isLast = false): AskingLimits {
    const fromMs = this.#clock.monotonicMs()
    const untilMs = Math.min(this.#capMs, this.#askUntilMs)
    return { fromMs, mailUntilMs: Math.min(untilMs, fromMs + this.#mailLeftMs), untilMs, isLast }
  }

  /** Takes what ended at MAIL off the budget of MAIL. */
  charge(outcome: RecipientsOutcome, { fromMs }: AskingLimits): void {
    const isEndedAtMail = outcome.kind === 'mail-refused' || (outcome.kind === 'lost' && outcome.fault.step === 'mail')
    if (isEndedAtMail) this.#mailLeftMs -= this.#clock.monotonicMs() - fromMs
  }
}
