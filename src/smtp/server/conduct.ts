/**
 * How a sender behaves: errors and commands without a mail, counted, with the pause that makes guessing slow. One a session.
 */
import type { Clock } from '../../base/clock.ts'
import { errorDelayMs, errorsBeforeDelay, type ServerLimits } from './options.ts'
import { replies } from './replies.ts'

export class Conduct {
  readonly #limits: ServerLimits
  readonly #clock: Clock
  #errors = 0
  #idleCommands = 0
  #endPause: (() => void) | undefined

  constructor(limits: ServerLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Counts an error. @returns what to wait for before it is answered, where it is not the first few */
  error(): Promise<void> | undefined {
    this.#errors++
    if (this.#errors < errorsBeforeDelay) return undefined
    return new Promise<void>((resolve) => {
      const timer = this.#clock.after(errorDelayMs, () => this.hurry())
      this.#endPause = () => {
        this.#endPause = undefined
        timer.cancel()
        resolve()
      }
    })
  }

  /** Ends a pause: the sender has gone, or the server goes. */
  hurry(): void {
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
  }

  /** What ends the session, once a limit is reached. */
  get verdict(): string | undefined {
    if (this.#errors >= this.#limits.errors) return replies.tooManyErrors
    return this.#idleCommands >= this.#limits.idleCommands ? replies.tooManyIdle : undefined
  }
}
