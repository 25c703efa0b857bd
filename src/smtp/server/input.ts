/**
 * What a sender says, command by command, for `session` and `transactions`: what is here already, and waiting for more with one deadline for a whole
 * line, so that octets that trickle in win nothing.
 */
import type { Recipient } from '../../mail/message.ts'
import { type Command, parseCommand } from '../wire/command.ts'
import type { Connection, NoMore } from '../wire/connection.ts'
import { type LineProblem, LineReader } from '../wire/line-reader.ts'
import { commandLineOctets } from './options.ts'

const quit = 'quit\r\n'

export class CommandInput {
  /** What `takeBody` gives back of what stands behind a message. */
  readonly lines = new LineReader(commandLineOctets)
  readonly #connection: Connection
  readonly #commandMs: number
  readonly #isDsnOffered: boolean
  /** A command that was read ahead. */
  #ahead: Command | undefined
  /** The deadline of the line that is coming in is set. */
  #isTimed = false

  constructor(connection: Connection, commandMs: number, isDsnOffered: boolean) {
    this.#connection = connection
    this.#commandMs = commandMs
    this.#isDsnOffered = isDsnOffered
  }

  /** The next command that is here already. */
  take(): Command | undefined {
    const ahead = this.#ahead
    if (ahead) {
      this.#ahead = undefined
      return ahead
    }
    for (;;) {
      const line = this.lines.next()
      if (line !== undefined) {
        this.#isTimed = false
        return typeof line === 'string' ? parseCommand(line, this.#isDsnOffered) : problems[line.kind]
      }
      if (!this.#connection.hasInput) return undefined
      const chunk = this.#connection.read()
      if (Buffer.isBuffer(chunk)) this.lines.feed(chunk)
    }
  }

  /** The recipient of this RCPT, and those of further ones that are here already: at most so many in all. */
  recipientsFrom(first: Recipient, most: number): readonly Recipient[] {
    const recipients = [first]
    while (recipients.length < most) {
      const next = this.take()
      if (next?.kind !== 'rcpt') {
        this.#ahead = next
        break
      }
      recipients.push(next.recipient)
    }
    return recipients
  }

  /** Whether octets are here behind the command at hand. */
  get hasMore(): boolean {
    return this.#ahead !== undefined || !this.lines.isEmpty || this.#connection.hasInput
  }

  /** Whether the last that is here is a QUIT. */
  get endsWithQuit(): boolean {
    if (this.#ahead?.kind === 'quit') return true
    // It may have come in pieces, of which the first stood behind a message.
    const last = this.lines.tail(quit.length) + this.#connection.unreadTail(quit.length)
    return last.toLowerCase().endsWith(quit)
  }

  /**
   * Waits for octets, to the deadline of the line that they belong to.
   * @param nowMs  on the monotonic clock
   * @param latestMs  no longer than this, likewise
   */
  wait(nowMs: number, latestMs: number): 'input' | NoMore | Promise<'input' | NoMore> {
    if (!this.#isTimed) {
      this.#connection.deadline.armAt(Math.min(nowMs + this.#commandMs, latestMs))
      this.#isTimed = true
    }
    return this.#connection.input()
  }

  /** The connection's deadline was used for something else: the next wait sets it anew. */
  retime(): void {
    this.#isTimed = false
  }

  /** Forgets what is here (RFC 3207 §4.2). What the connection holds is thrown away by `startTls`. */
  clear(): void {
    this.#ahead = undefined
    this.#isTimed = false
    this.lines.clear()
  }
}

const refused = (text: string): Command => ({
  kind: 'invalid',
  reply: { code: 500, enhanced: '5.5.2', text: [text] },
})

const problems: Readonly<Record<LineProblem['kind'], Command>> = {
  'too-long': refused('Line too long'),
  'bare-lf': refused('Lines end in CRLF'),
  'tls-hello': { kind: 'foreign' },
}
