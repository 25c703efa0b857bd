/**
 * A sender with its hands on every octet: raw writes, cut points, pipelining, STARTTLS, half-close and reset, and replies read one
 * at a time, each wait with an end. Opened by `lab.connect()`; `send.ts` builds the simple form on it.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { Timer } from '../../src/base/clock.ts'
import { steadyClock } from './fast-clock.ts'
import { resetSocket } from './loopback.ts'

/** A reply as it was heard. */
export interface HeardReply {
  readonly code: number
  /** `5.1.1`, where the first line has one of its code's class. */
  readonly enhanced: string | undefined
  /** The text of all lines, code and enhanced code taken away, joined by `\n`. */
  readonly text: string
  /** The lines as they came, without CRLF. */
  readonly lines: readonly string[]
}

export interface DialogueOptions {
  readonly address: string
  readonly port: number
  /** The address to come from, any of 127.0.0.0/8. */
  readonly source?: string
  /** The longest wait for a reply or an end, default 60 s. */
  readonly waitMs?: number
}

export class Dialogue {
  /** What was said, for people who read a failed test: `<` heard, `>` said. */
  readonly transcript: string[] = []
  readonly #waitMs: number
  #socket: Socket
  #input: Buffer = Buffer.alloc(0)
  #end: 'closed' | 'reset' | undefined
  #wake: (() => void) | undefined

  private constructor(socket: Socket, waitMs: number) {
    this.#socket = socket
    this.#waitMs = waitMs
    this.#listen(socket)
  }

  static async open(options: DialogueOptions): Promise<Dialogue> {
    const { address, port, source } = options
    const local = source ? { localAddress: source } : {}
    const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true, ...local })
    const dialogue = new Dialogue(socket, options.waitMs ?? 60_000)
    await once(socket, 'connect').catch((error: NodeJS.ErrnoException) => {
      // Accepted and reset before we looked: an ended connection, not a failed one.
      if (error.code !== 'ECONNRESET') throw error
    })
    return dialogue
  }

  get socket(): Socket {
    return this.#socket
  }

  /** How the other side ended the connection, once it has. */
  get ended(): 'closed' | 'reset' | undefined {
    return this.#end
  }

  /** Octets as they are; a string goes as latin1. Resolves when the system has taken them. */
  async write(bytes: string | Uint8Array): Promise<void> {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)
    this.#note('>', buffer.subarray(0, 200).toString('latin1'))
    await new Promise<void>((resolve) => this.#socket.write(buffer, () => resolve()))
  }

  /** The same octets in segments that end at each of `cuts`, with turns of the event loop between them so that each is read alone. */
  async writeCut(bytes: string | Uint8Array, cuts: readonly number[]): Promise<void> {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)
    let from = 0
    for (const cut of [...cuts, buffer.length]) {
      if (cut <= from) continue
      await this.write(buffer.subarray(from, cut))
      for (let turn = 0; turn < 4; turn++) await nextTurn()
      from = cut
    }
  }

  /** The next reply, whatever it says. Rejects where the connection ends or nothing comes in time. */
  async reply(): Promise<HeardReply> {
    const heard = await this.nextReply()
    if (heard) return heard
    throw new Error(`the connection was ${this.#end} where a reply was due\n${this.transcript.join('\n')}`)
  }

  /** The next reply, or undefined where the connection ended before it. */
  async nextReply(): Promise<HeardReply | undefined> {
    const lines: string[] = []
    for (;;) {
      const line = await this.#readLine()
      if (line === undefined) return undefined
      lines.push(line)
      assert.match(line, /^[2-5]\d\d([ -].*)?$/, `not a reply line\n${this.transcript.join('\n')}`)
      if (line[3] !== '-') return asReply(lines)
    }
  }

  /** The next reply, which must have this code, or one of these. */
  async expect(code: number | readonly number[]): Promise<HeardReply> {
    const heard = await this.reply()
    const codes = typeof code === 'number' ? [code] : code
    assert.ok(codes.includes(heard.code), `${codes.join(' or ')} was due\n${this.transcript.join('\n')}`)
    return heard
  }

  /** A line and its reply, which must have the code where one is given. */
  async command(line: string, code?: number | readonly number[]): Promise<HeardReply> {
    await this.write(`${line}\r\n`)
    return code === undefined ? this.reply() : this.expect(code)
  }

  /** Greeting and EHLO; resolves with the keywords that EHLO offered. */
  async hello(name = 'sender.test'): Promise<readonly string[]> {
    await this.expect(220)
    const heard = await this.command(`EHLO ${name}`, 250)
    return heard.text.split('\n').slice(1)
  }

  /** MAIL, RCPT for each recipient and DATA, each with its good reply: what follows is data. */
  async untilData(from: string, ...to: readonly string[]): Promise<void> {
    await this.command(`MAIL FROM:<${from}>`, 250)
    for (const recipient of to) await this.command(`RCPT TO:<${recipient}>`, 250)
    await this.command('DATA', 354)
  }

  /** STARTTLS and the handshake (no certificate is judged). EHLO is left to the caller. */
  async startTls(): Promise<void> {
    await this.command('STARTTLS', 220)
    await this.handshake()
  }

  /** The TLS handshake alone. */
  async handshake(): Promise<void> {
    const plain = this.#socket
    for (const event of ['data', 'end', 'error', 'close']) plain.removeAllListeners(event)
    const tls = connectTls({ socket: plain, rejectUnauthorized: false })
    this.#socket = tls
    await once(tls, 'secureConnect')
    this.#listen(tls)
  }

  /** FIN from our side; replies can still be read. */
  halfClose(): void {
    this.#note('>', '(FIN)')
    this.#socket.end()
  }

  /** RST. */
  reset(): void {
    this.#note('>', '(RST)')
    resetSocket(this.#socket)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** QUIT, its 221, and the end of the connection. */
  async quit(): Promise<void> {
    await this.command('QUIT', 221)
    await this.closed()
  }

  /** Resolves when the other side has ended the connection, with how. What it said before is still there to be read. */
  async closed(): Promise<'closed' | 'reset'> {
    while (this.#end === undefined) await this.#more()
    return this.#end
  }

  /** Octets that came and that no reply was made of. */
  get unread(): Buffer {
    return this.#input
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk])
      this.#stir()
    })
    socket.on('end', () => {
      this.#finish('closed')
      socket.end()
    })
    socket.on('error', () => this.#finish('reset'))
    socket.on('close', () => this.#finish('closed'))
  }

  #finish(how: 'closed' | 'reset'): void {
    if (this.#end) return
    this.#note('<', `(${how})`)
    this.#end = how
    this.#stir()
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  async #readLine(): Promise<string | undefined> {
    for (;;) {
      const end = this.#input.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#input.subarray(0, end).toString('latin1')
        this.#input = this.#input.subarray(end + 2)
        this.#note('<', line)
        return line
      }
      if (this.#end) return undefined
      await this.#more()
    }
  }

  async #more(): Promise<void> {
    let timer: Timer | undefined
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve
      timer = steadyClock.after(this.#waitMs, () => {
        reject(new Error(`nothing came for ${this.#waitMs} ms\n${this.transcript.join('\n')}`))
      })
    }).finally(() => timer?.cancel())
  }

  #note(way: '<' | '>', text: string): void {
    if (this.transcript.length < 500) this.transcript.push(`${way} ${JSON.stringify(text)}`)
  }
}

function asReply(lines: readonly string[]): HeardReply {
  const code = Number(lines[0]?.slice(0, 3))
  const enhanced = new RegExp(`^${String(code)[0]}\\.\\d{1,3}\\.\\d{1,3}(?= |$)`).exec(lines[0]?.slice(4) ?? '')?.[0]
  const text = lines.map((line) => {
    const said = line.slice(4)
    return enhanced && said.startsWith(enhanced) ? said.slice(enhanced.length + 1) : said
  })
  return { code, enhanced, text: text.join('\n'), lines }
}
