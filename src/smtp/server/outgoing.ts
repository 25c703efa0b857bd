/**
 * What we say to a sender, for `session`, `commands` and `transactions`: replies wait here while more commands are there to be read, where RFC 2920 §3.2 lets them, and behind the
 * last word there is none.
 */
import { encodeReply, isPositive, type Reply } from '../../mail/reply.ts'
import type { Connection } from '../wire/connection.ts'

/** Replies that wait are sent when there are so many characters of them. */
const mostUnsent = 4096

export class Outgoing {
  readonly #connection: Connection
  /** Replies that wait to be sent. */
  #unsent = ''
  #isOver = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The last word is said, or the sender can hear none: no command is answered any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** One reply, or some, each with its CRLF. It waits for `flush`. */
  say(text: string): void {
    this.#unsent += text
    if (this.#unsent.length > mostUnsent) this.flush()
  }

  sayNow(text: string): void {
    this.say(text)
    this.flush()
  }

  /** What a handler said. 421 is the last word (RFC 5321 §3.8). @returns whether it is a yes */
  pass(said: Reply): boolean {
    if (said.code === 421) this.finish(encodeReply(said))
    else this.say(encodeReply(said))
    return isPositive(said)
  }

  /** The last word, unless it was said already. */
  finish(text: string): void {
    if (!this.#isOver) this.say(text)
    this.#isOver = true
  }

  /** Over, without a word. */
  breakOff(): void {
    this.#isOver = true
  }

  flush(): void {
    if (this.#unsent === '') return
    this.#connection.write(this.#unsent)
    this.#unsent = ''
  }
}
