/**
 * What is done at each command, for `session`: mail goes by `transactions`, who the sender is stands in `introduction`, and the rest is answered here.
 */
import { encodeReply } from '../../mail/reply.ts'
import type { Command, EtrnNode } from '../wire/command.ts'
import { Introduction } from './introduction.ts'
import { replies } from './replies.ts'
import type { SessionParts } from './session-parts.ts'
import { Transactions } from './transactions.ts'

export class Commands {
  readonly #parts: SessionParts
  readonly #isUnwelcome: boolean
  readonly #introduction: Introduction
  readonly #transactions: Transactions
  #mayCloseAtOnce = false

  /** @param isUnwelcome  it talked before the greeting: nothing is done for it but QUIT */
  constructor(parts: SessionParts, isUnwelcome: boolean) {
    this.#parts = parts
    this.#isUnwelcome = isUnwelcome
    this.#introduction = new Introduction(parts.peer, parts.context.options, parts.context.named)
    this.#transactions = new Transactions(parts)
  }

  /** A message comes in, to its dot. */
  get isTakingBody(): boolean {
    return this.#transactions.isTakingBody
  }

  /** The sender has said QUIT, and nothing behind it. */
  get mayCloseAtOnce(): boolean {
    return this.#mayCloseAtOnce
  }

  /** No command comes any more. */
  end(): void {
    this.#transactions.reset()
  }

  /** @returns what to wait for before the next command; mostly it is answered at once */
  answer(command: Command): void | Promise<void> {
    const { answers, handler } = this.#parts
    if (command.kind === 'foreign') return answers.end(replies.foreign, 'another protocol')
    if (command.kind === 'quit') return this.#quit()
    if (this.#isUnwelcome) return answers.fail(replies.notAfterEarlyTalk)
    switch (command.kind) {
      case 'mail':
        return this.#transactions.mail(command, this.#introduction.client)
      case 'rcpt':
        return this.#transactions.rcpt(command.recipient)
      case 'data':
        return this.#transactions.data()
      case 'ehlo':
      case 'helo':
        return this.#hello(command)
      case 'rset':
        return this.#rset()
      case 'noop':
        handler.noop?.(command.text)
        return answers.idle(replies.ok)
      case 'vrfy':
        return answers.idle(replies.verify)
      case 'help':
        return answers.idle(replies.help)
      case 'expn':
        return answers.refuse(replies.notImplemented)
      case 'starttls':
        return this.#startTls()
      case 'etrn':
        return this.#etrn(command.node)
      case 'bdat':
        return answers.end(replies.notImplemented, 'BDAT, which was not offered')
      case 'invalid':
        return answers.refuse(encodeReply(command.reply))
      default:
        command.kind satisfies never
    }
  }

  #quit(): void {
    // Closing over octets that nobody read resets the connection, and the 221 may be lost with it.
    this.#mayCloseAtOnce = !this.#parts.input.hasMore
    this.#transactions.reset()
    this.#parts.out.finish(replies.bye)
  }

  #rset(): void {
    this.#transactions.reset()
    this.#parts.conduct.idle()
    this.#parts.out.say(replies.ok)
  }

  #hello(command: { kind: 'ehlo' | 'helo'; name: string }): void {
    const { answers, handler, input } = this.#parts
    // RFC 2920 §3.1: EHLO is the last of its group; who does not wait for the answer cannot know what we offer.
    if (command.kind === 'ehlo' && input.hasMore) {
      answers.end(replies.pipelined, 'pipelined behind EHLO')
      return
    }
    this.#transactions.reset()
    answers.idle(this.#introduction.hello(command, handler.etrn !== undefined))
  }

  #etrn(node: EtrnNode): void | Promise<void> {
    const { answers, handler } = this.#parts
    if (!handler.etrn) return answers.refuse(replies.notImplemented)
    if (!this.#introduction.client) return answers.refuse(replies.helloFirst)
    if (this.#transactions.isOpen) return answers.refuse(replies.etrnInMail)
    answers.idle(encodeReply(handler.etrn(node)))
  }

  async #startTls(): Promise<void> {
    const { answers, handler, input, out, connection, context } = this.#parts
    if (this.#introduction.isTls) return answers.refuse(replies.alreadyTls)
    const secureContext = context.options.tls()
    if (!secureContext) return answers.refuse(replies.notImplemented)
    this.#transactions.reset()
    // RFC 3207 §4.2: what is here already was not said inside of TLS.
    input.clear()
    answers.idle(replies.readyForTls)
    if (await this.#introduction.startTls(connection, secureContext, context.deps)) return
    handler.misbehaved?.('TLS handshake failed')
    out.breakOff()
  }
}
