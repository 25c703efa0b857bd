/**
 * One connection of a sender, from the greeting to the end: line → command → reply, in order (RFC 5321 §4.1.4). `server.ts` makes one
 * for each connection; who answers for the mail is the handler.
 *
 *   greet → ( take a command → answer it )* → end
 *
 * Commands are read by `input` and answered by `commands`; answers go by `outgoing`; `conduct` and `session-age` say when it is enough.
 */
import type { Socket } from 'node:net'
import { encodeReply } from '../../mail/reply.ts'
import { Connection, type NoMore } from '../wire/connection.ts'
import { Answers } from './answers.ts'
import { Commands } from './commands.ts'
import { Conduct } from './conduct.ts'
import type { SessionHandler } from './handler.ts'
import { CommandInput } from './input.ts'
import { Outgoing } from './outgoing.ts'
import type { SocketPeer } from './peer.ts'
import { replies } from './replies.ts'
import { SessionAge } from './session-age.ts'
import type { SessionContext, SessionParts } from './session-parts.ts'

/** So many commands that are here already are answered before the clock is asked again. */
const commandsUnchecked = 16

export class ServerSession {
  readonly #context: SessionContext
  readonly #peer: SocketPeer
  readonly #connection: Connection
  readonly #input: CommandInput
  readonly #out: Outgoing
  readonly #conduct: Conduct
  readonly #age: SessionAge
  /** Undefined where the connection is refused. */
  #handler: SessionHandler | undefined
  /** Undefined before the greeting. */
  #commands: Commands | undefined
  /** Commands since it was last asked whether this has lasted long enough. */
  #unchecked = 0
  #isClosing = false
  /** Waits for a command, with nothing of it here that matters. */
  #isWaiting = false

  constructor(socket: Socket, peer: SocketPeer, context: SessionContext) {
    const { clock } = context.deps
    const { budgets, limits, dsn } = context.options
    this.#context = context
    this.#peer = peer
    this.#connection = new Connection(socket, clock, { atTurnEnd: context.atTurnEnd })
    this.#input = new CommandInput(this.#connection, budgets.commandMs, dsn)
    this.#out = new Outgoing(this.#connection)
    this.#conduct = new Conduct(limits, clock)
    this.#age = new SessionAge(clock, budgets)
    this.#connection.onGone = () => this.#peerEnded()
    this.#connection.onLost = () => this.#peerLost()
  }

  /** Serves the connection; resolves when it is closed. Never rejects. */
  async run(): Promise<void> {
    try {
      const answer = this.#context.options.onConnect(this.#peer)
      if (answer.kind === 'refused') this.#out.finish(encodeReply(answer.reply))
      else await this.#serve(answer.handler)
    } catch (error) {
      this.#context.deps.log.error('smtp session failed', { peer: this.#peer.address, error })
      this.#out.finish(replies.internal)
    }
    this.#commands?.end()
    this.#out.flush()
    // Who was refused has no place, so it may not linger in one either; who has said QUIT waits for nothing but our last word.
    if (this.#handler && !this.#commands?.mayCloseAtOnce) this.#connection.end()
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
    if (!this.#commands?.isTakingBody) {
      this.#connection.destroy()
      return
    }
    this.#connection.write(replies.shutdown)
    this.#connection.end()
  }

  async #serve(handler: SessionHandler): Promise<void> {
    this.#handler = handler
    await this.#context.greetingMoment()
    const answers = new Answers(this.#out, this.#conduct, handler)
    const commands = this.#greet(handler, answers)
    while (!this.#out.isOver && !this.#peer.isGone) {
      const command = this.#input.take()
      if (command === undefined) {
        this.#out.flush()
        if (this.#connection.isFull && !(await this.#drained())) return
        const nowMs = this.#context.deps.clock.monotonicMs()
        if (!this.#mayWait(nowMs)) return
        this.#isWaiting = true
        const came = await this.#input.wait(nowMs, this.#age.untilMs)
        this.#isWaiting = false
        if (came !== 'input') return this.#heardNothing(came)
        continue
      }
      if (command.kind !== 'quit' && !this.#mayAnswer()) return
      const done = commands.answer(command)
      if (done) {
        await done
        if (this.#connection.isFull && !(await this.#drained())) return
      }
      const enough = this.#conduct.enough
      if (enough) answers.end(enough.reply, enough.why)
    }
  }

  /** Who has talked by now is told so instead. */
  #greet(handler: SessionHandler, answers: Answers): Commands {
    const isUnwelcome = this.#connection.hasInput
    this.#out.sayNow(isUnwelcome ? replies.earlyGreeting : this.#context.named.greeting)
    if (isUnwelcome) handler.misbehaved?.('early talker')
    const parts: SessionParts = {
      context: this.#context,
      peer: this.#peer,
      connection: this.#connection,
      handler,
      input: this.#input,
      out: this.#out,
      answers,
      conduct: this.#conduct,
      age: this.#age,
    }
    this.#commands = new Commands(parts, isUnwelcome)
    return this.#commands
  }

  /** Whether another command is waited for; else the session is over. */
  #mayWait(nowMs: number): boolean {
    this.#unchecked = 0
    const last = this.#isClosing ? replies.shutdown : this.#age.lateReply(nowMs)
    if (last !== undefined) this.#out.finish(last)
    return last === undefined
  }

  /** The same for one that is here already, asked less often: who never pauses is never waited for. */
  #mayAnswer(): boolean {
    if (!this.#isClosing && ++this.#unchecked < commandsUnchecked) return true
    return this.#mayWait(this.#context.deps.clock.monotonicMs())
  }

  #heardNothing(why: NoMore): void {
    if (why !== 'timeout') return
    const late = this.#age.lateReply(this.#context.deps.clock.monotonicMs())
    this.#out.finish(this.#isClosing ? replies.shutdown : (late ?? replies.timeout))
  }

  /** Waits until the sender has taken our replies: who sends commands and reads nothing gets no more of our memory. */
  async #drained(): Promise<boolean> {
    this.#connection.deadline.arm(this.#context.options.budgets.blockMs)
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
}
