/**
 * The mail of one connection, one transaction after the other (RFC 5321 §3.3), for `commands`. Down this file a message goes its way:
 *
 *   MAIL → RCPT, as many as have arrived together → DATA → the message itself (`take-body`) → the verdict
 */
import type { Client, Envelope, Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Command } from '../wire/command.ts'
import type { BodySink } from './handler.ts'
import { replies } from './replies.ts'
import type { SessionParts } from './session-parts.ts'
import { type Intake, takeBody } from './take-body.ts'

export class Transactions {
  readonly #parts: SessionParts
  #isOpen = false
  /** Recipients of the one that is open. */
  #accepted = 0
  #isTakingBody = false

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Behind MAIL, and before the message. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** A message comes in, to its dot. */
  get isTakingBody(): boolean {
    return this.#isTakingBody
  }

  /** Ends one that is open without a message. */
  reset(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#parts.handler.reset()
  }

  /** @param client  undefined: it has not said who it is */
  mail(command: Command & { kind: 'mail' }, client: Client | undefined): void | Promise<void> {
    const { answers, handler, context } = this.#parts
    if (!client) return answers.refuse(replies.helloFirst)
    if (this.#isOpen) return answers.refuse(replies.nestedMail) // RFC 5321 §4.1.4
    const { sender, body, size: declaredSize, ret, envid } = command
    const envelope: Envelope = { sender, body, declaredSize, ret, envid }
    // RFC 1870 §6.1
    if (declaredSize !== undefined && declaredSize > context.options.limits.messageBytes) {
      handler.tooBig?.(envelope)
      return answers.fail(replies.tooBig)
    }
    const said = handler.mail(envelope, client)
    if (said instanceof Promise) return said.then((later) => this.#open(later))
    this.#open(said)
  }

  #open(said: Reply): void {
    if (!this.#parts.out.pass(said)) return
    this.#isOpen = true
    this.#accepted = 0
    this.#parts.age.mailBegan()
  }

  /** Asks for this recipient and for those that have arrived behind it, together. */
  rcpt(first: Recipient): void | Promise<void> {
    const { answers, handler, input, out, context } = this.#parts
    if (!this.#isOpen) return answers.refuse(replies.mailFirst)
    const room = context.options.limits.recipients - this.#accepted
    if (room <= 0) {
      handler.commandRefused?.(replies.tooManyRecipients.trimEnd())
      out.say(replies.tooManyRecipients)
      return answers.afterRecipients(0, 1)
    }
    const recipients = input.recipientsFrom(first, Math.min(room, handler.recipientsAtOnce()))
    return handler.rcpt(recipients).then((said) => this.#passAll(said, recipients.length))
  }

  #passAll(said: readonly Reply[], asked: number): void | Promise<void> {
    const { out, answers } = this.#parts
    let accepted = 0
    for (const one of said) {
      if (out.isOver) return
      if (out.pass(one)) accepted++
    }
    this.#accepted += accepted
    if (out.isOver) return
    if (said.length !== asked) throw new Error(`${said.length} replies for ${asked} recipients`)
    return answers.afterRecipients(accepted, asked - accepted)
  }

  data(): void | Promise<void> {
    const { answers, handler, input, out } = this.#parts
    // RFC 2920 §3.1. Octets here before our 354 are a message sent unasked, or commands hidden behind one.
    if (input.hasMore) return answers.end(replies.pipelined, 'pipelined behind DATA')
    if (!this.#isOpen) return answers.refuse(replies.mailFirst)
    if (this.#accepted === 0) return answers.refuse(replies.noRecipients)
    const sink = handler.data()
    out.sayNow(replies.goAhead)
    return this.#message(sink)
  }

  async #message(sink: BodySink): Promise<void> {
    const { connection, input, out, answers, conduct, peer, context } = this.#parts
    const { options, deps, scratch } = context
    // Whatever comes, sink and handler have heard of the end of this transaction.
    this.#isOpen = false
    this.#isTakingBody = true
    let intake: Intake
    try {
      intake = await takeBody(connection, input.lines, sink, options, deps.clock, scratch)
    } catch (error) {
      sink.abort('failed')
      throw error
    } finally {
      this.#isTakingBody = false
    }
    input.retime()
    switch (intake.kind) {
      case 'whole': {
        if (out.pass(await sink.end(intake.has8bit))) conduct.delivered()
        out.flush()
        // What waits for the end of the turn may find the sender gone.
        connection.whenHanded((isHanded) => sink.answerHanded?.(isHanded && !peer.isGone))
        break
      }
      case 'refused':
        return answers.fail(intake.reply)
      case 'too-slow':
        answers.end(replies.tooSlow, 'too slow')
        break
      case 'gone':
        out.breakOff()
    }
    out.flush()
  }
}
