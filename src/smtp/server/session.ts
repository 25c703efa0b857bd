/**
 * One connection of a sender, from the greeting to the end: line → command → reply, in order (RFC 5321 §4.1.4). `server.ts` makes one
 * for each connection; who answers for the mail is the handler.
 *
 *   greet → ( take a command → answer it )* → end
 *
 * Replies wait in `#out` while more commands are there to be read, where RFC 2920 §3.2 lets them.
 */
import type { Socket } from 'node:net'
import type { Client, Envelope, Recipient } from '../../mail/message.ts'
import { encodeReply, isPositive, type Reply } from '../../mail/reply.ts'
import type { Command } from '../wire/command.ts'
import { Connection } from '../wire/connection.ts'
import type { Scratch } from '../wire/data-decoder.ts'
import { takeBody } from './body.ts'
import { Conduct } from './conduct.ts'
import type { GreetingMoment } from './early-talker.ts'
import type { BodySink, SessionHandler } from './handler.ts'
import { CommandInput } from './input.ts'
import type { SmtpServerDeps, SmtpServerOptions } from './options.ts'
import type { SocketPeer } from './peer.ts'
import { type NamedReplies, replies } from './replies.ts'
import { startTls } from './tls.ts'

/** What all sessions of a server have in common. */
export interface SessionContext {
  readonly options: SmtpServerOptions
  readonly named: NamedReplies
  readonly deps: SmtpServerDeps
  readonly greetingMoment: GreetingMoment
  readonly scratch: Scratch
}

/** Replies that wait are sent when there are so many characters of them. */
const mostUnsent = 4096

export class Session {
  readonly #context: SessionContext
  readonly #options: SmtpServerOptions
  readonly #peer: SocketPeer
  readonly #connection: Connection
  readonly #input: CommandInput
  #handler: SessionHandler | undefined
  /** Replies that wait to be sent. */
  #out = ''
  #client: Client | undefined
  #tls: Client['tls']
  #isInTransaction = false
  #accepted = 0
  readonly #conduct: Conduct
  /** The sender talked before the greeting: nothing is done for it but QUIT. */
  #isUnwelcome = false
  /** The last reply is said; no command is read any more. */
  #isOver = false
  #isClosing = false
  #isTakingBody = false
  #hasQuit = false
  /** Waits for a command, with nothing of it here that matters. */
  #isIdle = false

  constructor(socket: Socket, peer: SocketPeer, context: SessionContext) {
    this.#context = context
    this.#options = context.options
    this.#peer = peer
    this.#connection = new Connection(socket, context.deps.clock)
    this.#input = new CommandInput(this.#connection, context.options.budgets.commandMs)
    this.#conduct = new Conduct(context.options.limits, context.deps.clock)
    this.#connection.onGone = () => this.#peerEnded()
    this.#connection.onLost = () => this.#peerLost()
  }

  /** Serves the connection; resolves when it is closed. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#serve()
    } catch (error) {
      this.#context.deps.log.error('smtp session failed', { peer: this.#peer.address, error })
      this.#finish(replies.internal)
    }
    if (this.#isInTransaction) this.#reset()
    this.#flush()
    // Who was refused has no place, so it may not linger in one either; who has said QUIT waits for nothing but our last word.
    if (this.#handler && !this.#hasQuit) this.#connection.end()
    else this.#connection.endNow()
    await this.#connection.closed()
    this.#handler?.closed()
  }

  /** Idle: 421 now. Else: when what is being done has been answered. */
  shutdown(): void {
    this.#isClosing = true
    if (this.#isIdle) this.#connection.interrupt()
    this.#conduct.hurry()
  }

  /** The end. Within DATA the sender hears that it must come again; behind its dot silence is the only honest answer (SEMANTICS.md §13). */
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
      this.#finish(encodeReply(answer.reply))
      return
    }
    this.#handler = answer.handler
    await this.#context.greetingMoment(this.#options.greetDelayMs)
    this.#isUnwelcome = this.#connection.hasInput
    this.#say(this.#isUnwelcome ? replies.earlyGreeting : this.#context.named.greeting)
    if (this.#isUnwelcome) this.#note('early talker')
    this.#flush()
    while (!this.#isOver && !this.#peer.isGone) {
      const command = this.#input.take()
      if (command === undefined) {
        if (!(await this.#more())) return
        continue
      }
      const done = this.#answer(command, answer.handler)
      if (done) {
        await done
        if (this.#connection.isFull && !(await this.#drained())) return
      }
      const verdict = this.#conduct.verdict
      if (verdict !== undefined) this.#finish(verdict)
    }
  }

  // ---- reading

  /** Waits for octets. @returns whether any came; else the session is over */
  async #more(): Promise<boolean> {
    this.#flush()
    if (this.#isClosing) return this.#finish(replies.shutdown)
    if (this.#connection.isFull && !(await this.#drained())) return false
    this.#isIdle = true
    const nothing = await this.#input.wait()
    this.#isIdle = false
    if (nothing === undefined) return true
    if (nothing === 'timeout') this.#finish(this.#isClosing ? replies.shutdown : replies.timeout)
    return false
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

  #say(text: string): void {
    this.#out += text
    if (this.#out.length > mostUnsent) this.#flush()
  }

  #sayNow(text: string): void {
    this.#say(text)
    this.#flush()
  }

  #flush(): void {
    if (this.#out === '') return
    this.#connection.write(this.#out)
    this.#out = ''
  }

  /** The last word. @returns false, for `#more` */
  #finish(text: string): false {
    if (!this.#isOver) this.#say(text)
    this.#isOver = true
    return false
  }

  /** What a handler said. 421 is the last word (RFC 5321 §3.8). */
  #pass(said: Reply): boolean {
    if (said.code === 421) this.#finish(encodeReply(said))
    else this.#say(encodeReply(said))
    return isPositive(said)
  }

  /** An error of the sender. */
  #fail(text: string): void | Promise<void> {
    const pause = this.#isClosing ? undefined : this.#conduct.error()
    if (!pause) return this.#sayNow(text)
    this.#flush()
    return pause.then(() => this.#sayNow(text))
  }

  /** An error behind which the connection cannot be trusted to hold commands. */
  #end(text: string, why: string): void {
    this.#note(why)
    this.#finish(text)
  }

  #note(why: string): void {
    this.#context.deps.log.info('smtp session refused', { peer: this.#peer.address, why })
  }

  #answer(command: Command, handler: SessionHandler): void | Promise<void> {
    if (command.kind === 'foreign') return this.#end(replies.foreign, 'another protocol')
    if (command.kind === 'quit') return this.#quit()
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
        return this.#say(replies.ok)
      case 'noop':
        return this.#idle(replies.ok)
      case 'vrfy':
        return this.#idle(replies.verify)
      case 'help':
        return this.#idle(replies.help)
      case 'expn':
        return this.#fail(replies.notImplemented)
      case 'starttls':
        return this.#startTls()
      case 'bdat':
        return this.#end(replies.notImplemented, 'BDAT, which was not offered')
      case 'invalid':
        return this.#fail(encodeReply(command.reply))
    }
  }

  #idle(text: string): void {
    this.#conduct.idle()
    this.#sayNow(text)
  }

  #quit(): void {
    // Closing over octets that nobody read resets the connection, and the 221 may be lost with it.
    this.#hasQuit = !this.#input.hasMore
    if (this.#isInTransaction) this.#reset()
    this.#finish(replies.bye)
  }

  #reset(): void {
    this.#isInTransaction = false
    this.#handler?.reset()
  }

  #hello(command: { kind: 'ehlo' | 'helo'; name: string }): void {
    const isEsmtp = command.kind === 'ehlo'
    // RFC 2920 §3.1: EHLO is the last of its group; who does not wait for the answer cannot know what we offer.
    if (isEsmtp && this.#input.hasMore) {
      this.#end(replies.pipelined, 'pipelined behind EHLO')
      return
    }
    if (this.#isInTransaction) this.#reset()
    const { address, port } = this.#peer
    this.#client = { address, port, hello: command.name, esmtp: isEsmtp, tls: this.#tls }
    const { named } = this.#context
    // RFC 3207 §4.2: not offered inside of TLS.
    const isTlsOffered = isEsmtp && !this.#tls && this.#options.tls() !== undefined
    this.#idle(isTlsOffered ? named.ehloWithStartTls : isEsmtp ? named.ehlo : named.helo)
  }

  async #startTls(): Promise<void> {
    if (this.#tls) return this.#fail(replies.alreadyTls)
    const context = this.#options.tls()
    if (!context) return this.#fail(replies.notImplemented)
    if (this.#isInTransaction) this.#reset()
    // RFC 3207 §4.2: what was said before is forgotten, and what is here already was not said inside of TLS.
    this.#client = undefined
    this.#input.clear()
    this.#idle(replies.readyForTls)
    const { handshakeMs } = this.#options.budgets
    this.#tls = await startTls(this.#connection, context, handshakeMs, this.#context.deps.clock)
    if (this.#tls) return
    this.#note('TLS handshake failed')
    this.#isOver = true
  }

  // ---- a transaction

  #mail(command: Command & { kind: 'mail' }, handler: SessionHandler): void | Promise<void> {
    const client = this.#client
    if (!client) return this.#fail(replies.helloFirst)
    if (this.#isInTransaction) return this.#fail(replies.nestedMail) // RFC 5321 §4.1.4
    // RFC 1870 §6.1
    if (command.size !== undefined && command.size > this.#options.limits.messageBytes)
      return this.#fail(replies.tooBig)
    const envelope: Envelope = { sender: command.sender, body: command.body, declaredSize: command.size }
    const said = handler.mail(envelope, client)
    if (said instanceof Promise) return said.then((later) => this.#begin(later))
    this.#begin(said)
  }

  #begin(said: Reply): void {
    if (!this.#pass(said)) return
    this.#isInTransaction = true
    this.#accepted = 0
  }

  /** Asks for this recipient and for those that have arrived behind it, together. */
  #rcpt(first: Recipient, handler: SessionHandler): void | Promise<void> {
    if (!this.#isInTransaction) return this.#fail(replies.mailFirst)
    const room = this.#options.limits.recipients - this.#accepted
    if (room <= 0) return this.#say(replies.tooManyRecipients)
    const most = Math.min(room, handler.recipientsAtOnce())
    const recipients = [first]
    while (recipients.length < most) {
      const next = this.#input.take()
      if (next?.kind !== 'rcpt') {
        this.#input.putBack(next)
        break
      }
      recipients.push(next.recipient)
    }
    return handler.recipients(recipients).then((said) => this.#passAll(said, recipients.length))
  }

  #passAll(said: readonly Reply[], asked: number): void {
    for (const one of said) {
      if (this.#isOver) return
      if (this.#pass(one)) this.#accepted++
    }
    if (said.length !== asked && !this.#isOver) throw new Error(`${said.length} replies for ${asked} recipients`)
  }

  #data(handler: SessionHandler): void | Promise<void> {
    // RFC 2920 §3.1. Octets here before our 354 are a message sent unasked, or commands hidden behind one.
    if (this.#input.hasMore) return this.#end(replies.pipelined, 'pipelined behind DATA')
    if (!this.#isInTransaction) return this.#fail(replies.mailFirst)
    if (this.#accepted === 0) return this.#fail(replies.noRecipients)
    const sink = handler.data()
    if ('code' in sink) {
      this.#pass(sink)
      this.#flush()
      return
    }
    this.#sayNow(replies.goAhead)
    return this.#message(sink)
  }

  async #message(sink: BodySink): Promise<void> {
    const { deps, scratch } = this.#context
    // Whatever comes, sink and handler have heard of the end of this transaction.
    this.#isInTransaction = false
    this.#isTakingBody = true
    const intake = await takeBody(this.#connection, this.#input.lines, sink, this.#options, deps.clock, scratch)
      .catch((error: unknown) => {
        sink.abort('failed')
        throw error
      })
      .finally(() => {
        this.#isTakingBody = false
      })
    this.#input.retime()
    switch (intake.kind) {
      case 'whole': {
        if (this.#pass(await sink.end(intake.has8bit))) this.#conduct.delivered()
        break
      }
      case 'refused':
        this.#note(intake.why)
        return this.#fail(intake.reply)
      case 'too-slow':
        this.#end(replies.tooSlow, 'too slow')
        break
      case 'gone':
        this.#isOver = true
    }
    this.#flush()
  }
}
