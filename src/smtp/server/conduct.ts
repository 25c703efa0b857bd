/**
 * How a sender behaves: errors, recipients and commands without a mail, counted, with the pauses that make guessing slow. One a session.
 */
import type { Clock } from '../../base/clock.ts'
import { errorDelayMs, errorsBeforeDelay, fruitlessASecond, fruitlessAtOnce, type ServerLimits } from './options.ts'
import { replies } from './replies.ts'

export class Conduct {
  readonly #limits: ServerLimits
  readonly #clock: Clock
  #errors = 0
  #idleCommands = 0
  #accepted = 0
  #notAccepted = 0
  #isHurried = false
  #endPause: (() => void) | undefined

  constructor(limits: ServerLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Counts an error. @returns what to wait for before it is answered, where it is not the first few */
  error(): Promise<void> | undefined {
    this.#errors++
    return this.#errors < errorsBeforeDelay ? undefined : this.#pause()
  }

  /**
   * Counts recipients that were answered. They are no errors, and whoever names too many must still come to its DATA; but an answer that asks
   * nobody is so quick that a sender could keep us busy with it. @returns what to wait for before the next, where there were many without a message
   */
  countRecipients(accepted: number, notAccepted: number): Promise<void> | undefined {
    const before = this.#fruitlessSeconds
    this.#accepted += accepted
    this.#notAccepted += notAccepted
    return this.#fruitlessSeconds > before ? this.#pause() : undefined
  }

  get #fruitlessSeconds(): number {
    const surplus = Math.max(0, this.#accepted - this.#limits.recipients)
    return Math.floor((surplus + Math.max(0, this.#notAccepted - fruitlessAtOnce)) / fruitlessASecond)
  }

  #pause(): Promise<void> | undefined {
    if (this.#isHurried) return undefined
    return new Promise<void>((resolve) => {
      const timer = this.#clock.after(errorDelayMs, () => this.#endPause?.())
      this.#endPause = () => {
        this.#endPause = undefined
        timer.cancel()
        resolve()
      }
    })
  }

  /** Ends a pause, and lets there be none any more: the sender has gone, or the server goes. */
  hurry(): void {
    this.#isHurried = true
    this.#endPause?.()
  }

  /** A command that leads to no mail. */
  idle(): void {
    this.#idleCommands++
  }

  /** A message was taken: what was before is forgiven. */
  delivered(): void {
    this.#errors = 0
    this.#idleCommands = 0
    this.#accepted = 0
    this.#notAccepted = 0
  }

  /** What ends the session, once a limit is reached: the last word, and why, for the log. */
  get enough(): { readonly reply: string; readonly why: string } | undefined {
    if (this.#errors >= this.#limits.errors) return { reply: replies.tooManyErrors, why: 'too many errors' }
    if (this.#idleCommands < this.#limits.idleCommands) return undefined
    return { reply: replies.tooManyIdle, why: 'too many commands without a mail' }
  }
}
