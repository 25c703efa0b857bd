/**
 * One connection of a sender, from the greeting to the end: line → command → reply, in order (RFC 5321 §4.1.4). `server.ts` makes one
 * for each connection; who answers for the mail is the handler.
 *
 *   greet → ( take a command → answer it )* → end
 *
 * Commands are read by `input`, who says them stands in `introduction`, answers go by `outgoing`; `conduct` and `session-age` say when it is enough.
 */
import type { Socket } from 'node:net'
import type { AtTurnEnd } from '../../base/turn-end.ts'
import type { Envelope, Recipient } from '../../mail/message.ts'
import { encodeReply, isPositive, isReply, type Reply } from '../../mail/reply.ts'
import type { Command, EtrnNode } from '../wire/command.ts'
import { Connection, type NoMore } from '../wire/connection.ts'
import type { Scratch } from '../wire/scratch.ts'
import { Conduct } from './conduct.ts'
import type { GreetingMoment } from './early-talker.ts'
import type { BodySink, SessionHandler } from './handler.ts'
import { CommandInput } from './input.ts'
import { Introduction } from './introduction.ts'
import type { SmtpServerDeps, SmtpServerOptions } from './options.ts'
import { Outgoing } from './outgoing.ts'
import type { SocketPeer } from './peer.ts'
import { type NamedReplies, replies } from './replies.ts'
import { SessionAge } from './session-age.ts'
import { type Intake, takeBody } from './take-body.ts'

/** So many commands that are here already are answered before the clock is asked again. */
const commandsUnchecked = 16

/** What all sessions of a server have in common. */
export interface SessionContext {
  readonly options: SmtpServerOptions
  readonly named: NamedReplies
  readonly deps: SmtpServerDeps
  readonly greetingMoment: GreetingMoment
  readonly scratch: Scratch
  readonly atTurnEnd: AtTurnEnd
}

export class ServerSession {
  readonly #context: SessionContext
  readonly #options: SmtpServerOptions
  readonly #peer: SocketPeer
  readonly #connection: Connection
  readonly #input: CommandInput
  readonly #out: Outgoing
  #handler: SessionHandler | undefined
  readonly #introduction: Introduction
  #isInTransaction = false
  #accepted = 0
  readonly #conduct: Conduct
  /** The sender talked before the greeting: nothing is done for it but QUIT. */
  #isUnwelcome = false
  readonly #age: SessionAge
  /** Commands since it was last asked whether this has lasted long enough. */
  #unchecked = 0
  #isClosing = false
  #isTakingBody = false
  #mayCloseAtOnce = false
  /** Waits for a command, with nothing of it here that matters. */
  #isWaiting = false

  constructor(socket: Socket, peer: SocketPeer, context: SessionContext) {
    this.#context = context
    this.#options = context.options
    this.#peer = peer
    this.#connection = new Connection(socket, context.deps.clock, { atTurnEnd: context.atTurnEnd })
    const { clock } = context.deps
    const { budgets, limits, dsn } = context.options
    this.#input = new CommandInput(this.#connection, budgets.commandMs, dsn)
    this.#out = new Outgoing(this.#connection)
    this.#introduction = new Introduction(peer, context.options, context.named)
    this.#age = new SessionAge(clock, budgets)
    this.#conduct = new Conduct(limits, clock)
    this.#connection.onGone = () => this.#peerEnded()
    this.#connection.onLost = () => this.#peerLost()
  }

  /** Serves the connection; resolves when it is closed. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#serve()
    } catch (error) {
      this.#context.deps.log.error('smtp session failed', { peer: this.#peer.address, error })
      this.#out.finish(replies.internal)
    }
    if (this.#isInTransaction) this.#reset()
    this.#out.flush()
    // Who was refused has no place, so it may not linger in one either; who has said QUIT waits for nothing but our last word.
    if (this.#handler && !this.#mayCloseAtOnce) this.#connection.end()
    else this.#connection.endNow()
    await this.#connection.closed()
    this.#handler?.closed()
  }

  /** One that waits for a command: 421 now. Else: when what is being done has been answered. */
  shutdown(): void {
    this.#isClosing = true
    if (this.#isWaiting) this.#connection.interrupt()
    this.#conduct.hurry()
  }

  /** The end. Within DATA the sender hears that it must come again; behind its dot silence is the only honest answer: the backend may have taken it. */
  cutOff(): void {
    if (!this.#isTakingBody) {
      this.#connection.destroy()
      return
    }
    this.#connection.write(replies.shutdown)
    this.#connection.end()
  }

  async #serve(): Promise<void> {
    const answer = this.#options.onConnect(this.#peer)
    if (answer.kind === 'refused') {
      this.#out.finish(encodeReply(answer.reply))
      return
    }
    this.#handler = answer.handler
    await this.#context.greetingMoment()
    this.#isUnwelcome = this.#connection.hasInput
    this.#out.say(this.#isUnwelcome ? replies.earlyGreeting : this.#context.named.greeting)
    if (this.#isUnwelcome) this.#handler.misbehaved?.('early talker')
    this.#out.flush()
    while (!this.#out.isOver && !this.#peer.isGone) {
      const command = this.#input.take()
      if (command === undefined) {
        this.#out.flush()
        if (this.#connection.isFull && !(await this.#drained())) return
        const nowMs = this.#context.deps.clock.monotonicMs()
        if (!this.#mayGoOn(nowMs)) return
        this.#isWaiting = true
        const came = await this.#input.wait(nowMs, this.#age.untilMs)
        this.#isWaiting = false
        if (came !== 'input') return this.#heardNothing(came)
        continue
      }
      const done = this.#answer(command, answer.handler)
      if (done) {
        await done
        if (this.#connection.isFull && !(await this.#drained())) return
      }
      const enough = this.#conduct.enough
      if (enough) this.#end(enough.reply, enough.why)
    }
  }

  // ---- reading

  /** Whether another command is waited for; else the session is over. */
  #mayGoOn(nowMs: number): boolean {
    this.#unchecked = 0
    const last = this.#isClosing ? replies.shutdown : this.#age.lateReply(nowMs)
    if (last !== undefined) this.#out.finish(last)
    return last === undefined
  }

  /** The same for a command that is here already: who never pauses is never waited for. */
  #mayAnswer(): boolean {
    if (!this.#isClosing && ++this.#unchecked < commandsUnchecked) return true
    return this.#mayGoOn(this.#context.deps.clock.monotonicMs())
  }

  #heardNothing(why: NoMore): void {
    if (why !== 'timeout') return
    const late = this.#age.lateReply(this.#context.deps.clock.monotonicMs())
    this.#out.finish(this.#isClosing ? replies.shutdown : (late ?? replies.timeout))
  }

  /** Waits until the sender has taken our replies: who sends commands and reads nothing gets no more of our memory. */
  async #drained(): Promise<boolean> {
    this.#connection.deadline.arm(this.#options.budgets.blockMs)
    this.#input.retime()
    if ((await this.#connection.written()) === 'written') return true
    this.#connection.destroy()
    return false
  }

  #peerEnded(): void {
    // A FIN behind a QUIT that we have not come to is a sender that waits for its answers.
    const isQuitPending = this.#connection.noMore === 'ended' && this.#input.endsWithQuit
    if (!isQuitPending) this.#peerLost()
  }

  #peerLost(): void {
    this.#peer.leave()
    this.#conduct.hurry()
  }

  // ---- answering

  /** What a handler said. 421 is the last word (RFC 5321 §3.8). */
  #pass(said: Reply): boolean {
    if (said.code === 421) this.#out.finish(encodeReply(said))
    else this.#out.say(encodeReply(said))
    return isPositive(said)
  }

  /** An error of the sender that nobody but the server knows of. */
  #refuse(text: string): void | Promise<void> {
    this.#handler?.commandRefused?.(text.trimEnd())
    return this.#fail(text)
  }

  #fail(text: string): void | Promise<void> {
    const pause = this.#isClosing ? undefined : this.#conduct.error()
    if (!pause) return this.#out.sayNow(text)
    this.#out.flush()
    return pause.then(() => this.#out.sayNow(text))
  }

  /** The last word to a sender that is told off: it misbehaved, or its connection cannot be trusted to hold commands. */
  #end(text: string, why: string): void {
    this.#handler?.misbehaved?.(why)
    this.#out.finish(text)
  }

  #answer(command: Command, handler: SessionHandler): void | Promise<void> {
    if (command.kind === 'foreign') return this.#end(replies.foreign, 'another protocol')
    if (command.kind === 'quit') return this.#quit()
    if (!this.#mayAnswer()) return
    if (this.#isUnwelcome) return this.#fail(replies.notAfterEarlyTalk)
    switch (command.kind) {
      case 'mail':
        return this.#mail(command, handler)
      case 'rcpt':
        return this.#rcpt(command.recipient, handler)
      case 'data':
        return this.#data(handler)
      case 'ehlo':
      case 'helo':
        return this.#hello(command)
      case 'rset':
        if (this.#isInTransaction) this.#reset()
        this.#conduct.idle()
        return this.#out.say(replies.ok)
      case 'noop':
        handler.noop?.(command.text)
        return this.#idle(replies.ok)
      case 'vrfy':
        return this.#idle(replies.verify)
      case 'help':
        return this.#idle(replies.help)
      case 'expn':
        return this.#refuse(replies.notImplemented)
      case 'starttls':
        return this.#startTls()
      case 'etrn':
        return this.#etrn(command.node, handler)
      case 'bdat':
        return this.#end(replies.notImplemented, 'BDAT, which was not offered')
      case 'invalid':
        return this.#refuse(encodeReply(command.reply))
      default:
        command.kind satisfies never
    }
  }

  #etrn(node: EtrnNode, handler: SessionHandler): void | Promise<void> {
    if (!handler.etrn) return this.#refuse(replies.notImplemented)
    if (!this.#introduction.client) return this.#refuse(replies.helloFirst)
    if (this.#isInTransaction) return this.#refuse(replies.etrnInMail)
    this.#idle(encodeReply(handler.etrn(node)))
  }

  #idle(text: string): void {
    this.#conduct.idle()
    this.#out.sayNow(text)
  }

  #quit(): void {
    // Closing over octets that nobody read resets the connection, and the 221 may be lost with it.
    this.#mayCloseAtOnce = !this.#input.hasMore
    if (this.#isInTransaction) this.#reset()
    this.#out.finish(replies.bye)
  }

  #reset(): void {
    this.#isInTransaction = false
    this.#handler?.reset()
  }

  #hello(command: { kind: 'ehlo' | 'helo'; name: string }): void {
    // RFC 2920 §3.1: EHLO is the last of its group; who does not wait for the answer cannot know what we offer.
    if (command.kind === 'ehlo' && this.#input.hasMore) {
      this.#end(replies.pipelined, 'pipelined behind EHLO')
      return
    }
    if (this.#isInTransaction) this.#reset()
    this.#idle(this.#introduction.hello(command, this.#handler?.etrn !== undefined))
  }

  async #startTls(): Promise<void> {
    if (this.#introduction.isTls) return this.#refuse(replies.alreadyTls)
    const context = this.#options.tls()
    if (!context) return this.#refuse(replies.notImplemented)
    if (this.#isInTransaction) this.#reset()
    // RFC 3207 §4.2: what is here already was not said inside of TLS.
    this.#input.clear()
    this.#idle(replies.readyForTls)
    if (await this.#introduction.startTls(this.#connection, context, this.#context.deps)) return
    this.#handler?.misbehaved?.('TLS handshake failed')
    this.#out.breakOff()
  }

  // ---- a transaction

  #mail(command: Command & { kind: 'mail' }, handler: SessionHandler): void | Promise<void> {
    const { client } = this.#introduction
    if (!client) return this.#refuse(replies.helloFirst)
    if (this.#isInTransaction) return this.#refuse(replies.nestedMail) // RFC 5321 §4.1.4
    const { sender, body, size: declaredSize, ret, envid } = command
    const envelope: Envelope = { sender, body, declaredSize, ret, envid }
    // RFC 1870 §6.1
    if (declaredSize !== undefined && declaredSize > this.#options.limits.messageBytes) {
      handler.tooBig?.(envelope)
      return this.#fail(replies.tooBig)
    }
    const said = handler.mail(envelope, client)
    if (said instanceof Promise) return said.then((later) => this.#begin(later))
    this.#begin(said)
  }

  #begin(said: Reply): void {
    if (!this.#pass(said)) return
    this.#isInTransaction = true
    this.#age.mailBegan()
    this.#accepted = 0
  }

  /** Asks for this recipient and for those that have arrived behind it, together. */
  #rcpt(first: Recipient, handler: SessionHandler): void | Promise<void> {
    if (!this.#isInTransaction) return this.#refuse(replies.mailFirst)
    const room = this.#options.limits.recipients - this.#accepted
    if (room <= 0) {
      handler.commandRefused?.(replies.tooManyRecipients.trimEnd())
      this.#out.say(replies.tooManyRecipients)
      return this.#paced(0, 1)
    }
    const most = Math.min(room, handler.recipientsAtOnce())
    const recipients = this.#input.recipientsFrom(first, most)
    return handler.rcpt(recipients).then((said) => this.#passAll(said, recipients.length))
  }

  #passAll(said: readonly Reply[], asked: number): void | Promise<void> {
    let accepted = 0
    for (const one of said) {
      if (this.#out.isOver) return
      if (this.#pass(one)) accepted++
    }
    this.#accepted += accepted
    if (this.#out.isOver) return
    if (said.length !== asked) throw new Error(`${said.length} replies for ${asked} recipients`)
    return this.#paced(accepted, asked - accepted)
  }

  #paced(accepted: number, notAccepted: number): void | Promise<void> {
    const pause = this.#isClosing ? undefined : this.#conduct.countRecipients(accepted, notAccepted)
    if (!pause) return
    this.#out.flush()
    return pause
  }

  #data(handler: SessionHandler): void | Promise<void> {
    // RFC 2920 §3.1. Octets here before our 354 are a message sent unasked, or commands hidden behind one.
    if (this.#input.hasMore) return this.#end(replies.pipelined, 'pipelined behind DATA')
    if (!this.#isInTransaction) return this.#refuse(replies.mailFirst)
    if (this.#accepted === 0) return this.#refuse(replies.noRecipients)
    const sink = handler.data()
    if (isReply(sink)) {
      this.#pass(sink)
      this.#out.flush()
      return
    }
    this.#out.sayNow(replies.goAhead)
    return this.#message(sink)
  }

  async #message(sink: BodySink): Promise<void> {
    const { deps, scratch } = this.#context
    // Whatever comes, sink and handler have heard of the end of this transaction.
    this.#isInTransaction = false
    this.#isTakingBody = true
    let intake: Intake
    try {
      intake = await takeBody(this.#connection, this.#input.lines, sink, this.#options, deps.clock, scratch)
    } catch (error) {
      sink.abort('failed')
      throw error
    } finally {
      this.#isTakingBody = false
    }
    this.#input.retime()
    switch (intake.kind) {
      case 'whole': {
        if (this.#pass(await sink.end(intake.has8bit))) this.#conduct.delivered()
        this.#out.flush()
        // What waits for the end of the turn may find the sender gone.
        this.#connection.whenHanded((isHanded) => sink.answerHanded?.(isHanded && !this.#peer.isGone))
        break
      }
      case 'refused':
        return this.#fail(intake.reply)
      case 'too-slow':
        this.#end(replies.tooSlow, 'too slow')
        break
      case 'gone':
        this.#out.breakOff()
    }
    this.#out.flush()
  }
}
