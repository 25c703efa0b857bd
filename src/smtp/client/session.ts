/**
 * One outgoing session, SMTP (RFC 5321) or LMTP (RFC 2033): commands out, replies in, each wait with its own deadline on the
 * connection's one timer. What is said in which order stands beside it: `open.ts`, `envelope.ts`, `data.ts`.
 */
import type { Clock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Connection, NoMore } from '../wire/connection.ts'
import { type ParsedReply, ReplyParser } from '../wire/reply-parser.ts'
import { Scratch } from '../wire/scratch.ts'
import { type Extensions, noExtensions } from './extensions.ts'
import { type Answer, type ClientStep, type Failed, failed } from './fault.ts'

/** Hears what is said, line by line, for a person who looks on. Lines are not yet made printable. */
export type Dialogue = (side: 'client' | 'server', line: string) => void

const rsetMs = 5_000

export class ClientSession {
  readonly protocol: 'smtp' | 'lmtp'
  readonly clock: Clock
  /** For what is put together to be sent: it is used up, or left, before anything else runs. */
  readonly scratch: Scratch
  extensions: Extensions = noExtensions
  /** DATA went out in one write with the recipients, and its reply has not been read: nothing else may be sent until it is. */
  isDataAhead = false
  #connection: Connection
  readonly #parser = new ReplyParser()
  readonly #dialogue: Dialogue | undefined
  #isAbandoned = false
  #watching: Promise<'input' | NoMore> | undefined

  constructor(
    protocol: 'smtp' | 'lmtp',
    connection: Connection,
    clock: Clock,
    dialogue: Dialogue | undefined,
    scratch = new Scratch(),
  ) {
    this.protocol = protocol
    this.#connection = connection
    this.clock = clock
    this.#dialogue = dialogue
    this.scratch = scratch
  }

  /** The address that we are connected from; undefined over a Unix socket. Known while the session lives. */
  get localAddress(): string | undefined {
    return this.#connection.socket.localAddress
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Goes on over another connection (STARTTLS). What was heard on the old one is forgotten (RFC 3207 §4.2). */
  moveTo(connection: Connection): void {
    this.#connection = connection
    this.#parser.discardInput()
    this.#watching = undefined
    this.extensions = noExtensions
  }

  /** Whether the session can be given to another transaction: nothing has ended, and nothing was said that nobody asked for. */
  get isQuiet(): boolean {
    return this.#connection.noMore === undefined && !this.hasInput
  }

  /** Sends commands, each with its CRLF, in one write. */
  send(commands: string): void {
    if (this.#dialogue) for (const line of commands.split('\r\n').slice(0, -1)) this.#dialogue('client', line)
    this.#connection.write(commands)
  }

  /** Tells the dialogue what no command is. */
  note(line: string): void {
    this.#dialogue?.('client', line)
  }

  /**
   * The next reply, without waiting where it is here. Whatever else comes ends the session.
   * @param untilMs  on the monotonic clock; the reply is whole by then
   * @param mostMs  the same, from now on
   */
  reply(step: ClientStep, untilMs: number, mostMs?: number): Answer | Promise<Answer> {
    return this.#here(step) ?? this.#read(step, untilMs, mostMs)
  }

  /** The same, but one that is merely silent at the end of the wait keeps its session: its word may still come. */
  replyOrSilence(step: ClientStep, untilMs: number): Answer | Promise<Answer | 'silent'> {
    return this.#here(step) ?? this.#read(step, untilMs, undefined, true)
  }

  #here(step: ClientStep): Answer | undefined {
    const parsed = this.#parser.next()
    return parsed && this.#judge(parsed, step)
  }

  #judge(parsed: ParsedReply, step: ClientStep): Answer {
    if (parsed.kind === 'garbage') return this.fail('garbage', step, printable(parsed.why))
    if (this.#dialogue) this.#tell(parsed.reply)
    // An intermediate reply to anything but DATA (RFC 5321 §4.2.1) means that we have lost our place.
    const { code } = parsed.reply
    if (code >= 300 && code < 400 && step !== 'data')
      return this.fail('garbage', step, `an intermediate reply, ${code}, to ${step}`)
    return parsed
  }

  #read(step: ClientStep, untilMs: number, mostMs?: number): Promise<Answer>
  #read(step: ClientStep, untilMs: number, mostMs: number | undefined, maySilence: true): Promise<Answer | 'silent'>
  #read(step: ClientStep, untilMs: number, mostMs?: number, maySilence = false): Promise<Answer | 'silent'> {
    const dueMs = mostMs === undefined ? untilMs : Math.min(untilMs, this.clock.monotonicMs() + mostMs)
    this.#connection.deadline.armAt(dueMs)
    return new Promise((resolve, reject) => {
      const take = (read: Buffer | 'input' | NoMore) => {
        try {
          const answer = this.#answerOf(read, step, maySilence)
          if (answer) resolve(answer)
          else wait()
        } catch (error) {
          reject(error)
        }
      }
      const wait = () => {
        if (this.#watching) this.#watching.then(take, reject)
        else this.#connection.next(take)
      }
      wait()
    })
  }

  /** What a wait has brought; undefined where it is not a whole reply yet. */
  #answerOf(read: Buffer | 'input' | NoMore, step: ClientStep, maySilence: boolean): Answer | 'silent' | undefined {
    if (read === 'timeout' && maySilence && !this.#isAbandoned && this.#connection.noMore === undefined) return 'silent'
    if (read === 'input') return this.#here(step)
    if (typeof read === 'string') return this.failOver(read, step)
    const parsed = this.#parser.take(read)
    return parsed && this.#judge(parsed, step)
  }

  /**
   * What the server said before we said anything: a 421 (RFC 5321 §3.8) counts as the answer to what we are about to say. Anything else
   * would be taken for the answer to the wrong command, so it ends the session. Undefined where all is well.
   */
  async unasked(step: ClientStep): Promise<Answer | undefined> {
    if (!this.hasInput) return undefined
    const answer = await this.reply(step, this.clock.monotonicMs() + 1_000)
    if (answer.kind === 'failed' || answer.reply.code === 421) return answer
    return this.fail('garbage', step, `a reply, ${answer.reply.code}, to nothing`)
  }

  /** Resolves when octets came, which `reply` then reads, or with why none will: for who writes and wants to know meanwhile. */
  watch(): Promise<'input' | NoMore> {
    this.#watching ??= this.#watch()
    return this.#watching
  }

  /** Whether octets wait for `reply`. */
  get hasInput(): boolean {
    return this.#parser.hasInput || this.#connection.hasInput
  }

  /** RSET (RFC 5321 §4.1.1.5). @returns whether the session is fit for another transaction; it is ended where it is not */
  async reset(): Promise<boolean> {
    if (this.isDataAhead && !(await this.#isDataRefused())) {
      this.destroy()
      return false
    }
    const unasked = await this.unasked('rset')
    if (!unasked) this.send('RSET\r\n')
    const answer = unasked ?? (await this.reply('rset', this.clock.monotonicMs() + rsetMs))
    if (answer.kind === 'reply' && answer.reply.code < 300) return true
    this.destroy()
    return false
  }

  /**
   * The reply to a DATA that went ahead, where there is nothing to send. A server that says 354 waits for a message, and whatever we say is one: RFC 2920
   * §3.1 would send it a dot, but it may have accepted somebody meanwhile, who would get an empty message.
   */
  async #isDataRefused(): Promise<boolean> {
    this.isDataAhead = false
    const answer = await this.reply('data', this.clock.monotonicMs() + rsetMs)
    return answer.kind === 'reply' && answer.reply.code >= 400
  }

  /** QUIT and the end, without waiting for the reply: it would tell nothing. */
  quit(): void {
    if (this.isDataAhead) {
      this.destroy()
      return
    }
    this.send('QUIT\r\n')
    this.#connection.end()
  }

  destroy(): void {
    this.#connection.destroy()
  }

  /** We give up: whoever waits here gets 'abandoned'. */
  abandon(): void {
    this.#isAbandoned = true
    this.destroy()
  }

  /** Ends the session and says why. */
  fail(kind: Failed['fault']['kind'], step: ClientStep, detail: string, reply?: Reply): Failed {
    this.destroy()
    if (this.#isAbandoned) return failed('abandoned', step, 'given up by us', reply)
    return failed(kind, step, detail, reply)
  }

  /** The same, for a wait that brought no octets. */
  failOver(why: NoMore, step: ClientStep): Failed {
    const code = (this.#connection.socket.errored as NodeJS.ErrnoException | null)?.code
    if (why === 'timeout') return this.fail('timeout', step, 'no answer in time')
    return this.fail(
      'closed',
      step,
      why === 'ended' ? 'the server closed the connection' : `connection lost${code ? `: ${code}` : ''}`,
    )
  }

  async #watch(): Promise<'input' | NoMore> {
    const connection = this.#connection
    const came = await connection.input()
    if (this.#connection !== connection) return 'lost'
    this.#watching = undefined
    return came
  }

  #tell({ code, enhanced, text }: Reply): void {
    for (const [index, line] of text.entries()) {
      const separator = index === text.length - 1 ? ' ' : '-'
      this.#dialogue?.('server', `${code}${separator}${enhanced ? `${enhanced} ` : ''}${line}`)
    }
  }
}
