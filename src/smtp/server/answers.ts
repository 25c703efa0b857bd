/**
 * How a command is answered that is not as it should be, or leads to no mail: with what it costs its sender (`conduct`), and with the handler told where
 * nobody else would know. For `session`, `commands` and `transactions`.
 */
import type { Conduct } from './conduct.ts'
import type { SessionHandler } from './handler.ts'
import type { Outgoing } from './outgoing.ts'

export class Answers {
  readonly #out: Outgoing
  readonly #conduct: Conduct
  readonly #handler: SessionHandler

  constructor(out: Outgoing, conduct: Conduct, handler: SessionHandler) {
    this.#out = out
    this.#conduct = conduct
    this.#handler = handler
  }

  /** An error of the sender that nobody but the server knows of. */
  refuse(text: string): void | Promise<void> {
    this.#handler.commandRefused?.(text.trimEnd())
    return this.fail(text)
  }

  /** An error of the sender. @returns what to wait for before the next command, where it has made some already */
  fail(text: string): void | Promise<void> {
    const pause = this.#conduct.error()
    if (!pause) return this.#out.sayNow(text)
    this.#out.flush()
    return pause.then(() => this.#out.sayNow(text))
  }

  /** Recipients were answered, which has been said. @returns what to wait for before the next command, where there were many without a message */
  afterRecipients(accepted: number, notAccepted: number): void | Promise<void> {
    const pause = this.#conduct.countRecipients(accepted, notAccepted)
    if (pause) this.#out.flush()
    return pause
  }

  /** To a command that leads to no mail. */
  idle(text: string): void {
    this.#conduct.idle()
    this.#out.sayNow(text)
  }

  /** The last word to a sender that is told off: it misbehaved, or its connection cannot be trusted to hold commands. */
  end(text: string, why: string): void {
    this.#handler.misbehaved?.(why)
    this.#out.finish(text)
  }
}
