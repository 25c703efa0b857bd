/**
 * One connection to a fake backend: reads commands, does what the words say at each step, and notes what came. Made by `backend.ts`.
 */

import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type SecureContext, TLSSocket } from 'node:tls'
import { resetSocket } from './loopback.ts'
import type { Answer, BackendMessage, BackendSession, BackendWords, Fault, InBody } from './words.ts'

/** What all sessions of a backend share. */
export interface SessionHost {
  words(): BackendWords
  /** How often the step has been reached, this time included. */
  count(step: string): number
  readonly secureContext: SecureContext
  arrived(message: BackendMessage): void
  command(line: string): void
  violation(what: string): void
}

/** What `message.asked`, `message.answers` and the session's fields are while they are being written. */
type Writable<T> = { -readonly [K in keyof T]: T[K] }

export class FakeSession {
  readonly record: Writable<BackendSession> & { commands: string[] }
  readonly #host: SessionHost
  #socket: Socket
  #input: Buffer = Buffer.alloc(0)
  #over = false
  #isDeaf = false
  #wake: (() => void) | undefined
  #spoken: ((text: string) => void) | undefined
  #from: string | undefined
  #mail = ''
  #to: string[] = []

  constructor(socket: Socket, number: number, host: SessionHost) {
    this.#socket = socket
    this.#host = host
    this.record = { number, remotePort: socket.remotePort ?? 0, commands: [], tls: false, open: true }
  }

  /** Serves the connection to its end. Never rejects: what goes wrong on a socket is the end of the session. */
  async run(): Promise<void> {
    await this.#serve()
    // What still comes is not kept: a sender may have megabytes on their way.
    this.#isDeaf = true
    this.#input = Buffer.alloc(0)
  }

  async #serve(): Promise<void> {
    const words = this.#host.words()
    if (words.implicitTls) this.#upgrade()
    else this.#listen(this.#socket)
    const name = words.protocol === 'lmtp' ? 'LMTP' : 'ESMTP'
    if (!(await this.#answer('greeting', words.greeting, this.record, `220 backend.test ${name}`))) return
    for (;;) {
      const line = await this.#readLine()
      if (typeof line !== 'string' || !(await this.#command(line))) break
    }
  }

  /** Ends a silence, or says it out of turn. */
  say(text: string): void {
    const spoken = this.#spoken
    this.#spoken = undefined
    if (spoken) spoken(text)
    else this.#socket.write(`${text}\r\n`, 'latin1')
  }

  get isSilent(): boolean {
    return this.#spoken !== undefined
  }

  hangUp(how: 'close' | 'reset'): void {
    if (how === 'reset') this.#reset()
    else this.#socket.end()
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      if (this.#isDeaf) return
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk])
      this.#stir()
    })
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#over = true
      this.record.open = false
      this.#stir()
      this.#spoken?.('close')
    })
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  async #more(): Promise<boolean> {
    if (this.#over) return false
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    return true
  }

  async #readLine(): Promise<string | undefined> {
    for (;;) {
      const end = this.#input.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#input.subarray(0, end).toString('latin1')
        this.#input = this.#input.subarray(end + 2)
        if (/[\r\n]/.test(line)) this.#host.violation(`a bare CR or LF in a command: ${JSON.stringify(line)}`)
        if (line.length > 510) this.#host.violation(`a command of ${line.length + 2} octets`)
        return line
      }
      if (!(await this.#more())) return undefined
    }
  }

  async #command(line: string): Promise<boolean> {
    this.record.commands.push(line)
    this.#host.command(line)
    const words = this.#host.words()
    const verb = (/^[a-z]+/i.exec(line)?.[0] ?? '').toUpperCase()
    // RFC 2920 §3.1: without the offer a client waits for each reply.
    if (words.pipelining === false && this.#input.length > 0) this.#host.violation(`more came behind ${line}`)
    switch (verb) {
      case 'EHLO':
        if (words.protocol === 'lmtp') return this.#say('500 5.5.1 this is LMTP')
        return this.#hello('ehlo', words.ehlo, line, this.#offers())
      case 'LHLO':
        if (words.protocol !== 'lmtp') return this.#say('500 5.5.1 this is SMTP')
        return this.#hello('ehlo', words.ehlo, line, this.#offers())
      case 'HELO':
        return this.#hello('helo', words.helo, line, '250 backend.test')
      case 'STARTTLS':
        return this.#startTls(words)
      case 'MAIL':
        return this.#mailFrom(words, line)
      case 'RCPT':
        return this.#rcptTo(words, line)
      case 'DATA':
        return this.#data(words, line)
      case 'RSET':
        this.#forget()
        return this.#answer('rset', words.rset, line, '250 2.0.0 forgotten')
      case 'NOOP':
        return this.#answer('noop', words.noop, line, '250 2.0.0 fine')
      case 'QUIT':
        if (await this.#answer('quit', words.quit, line, '221 2.0.0 bye')) this.#socket.end()
        return false
      default:
        this.#host.violation(`an unknown command: ${line}`)
        return this.#say('500 5.5.2 what?')
    }
  }

  #hello(step: string, fault: Fault<string> | undefined, line: string, usual: string): Promise<boolean> {
    this.#forget()
    return this.#answer(step, fault, line, usual)
  }

  #offers(): string {
    const words = this.#host.words()
    const lines = ['backend.test']
    if (words.pipelining !== false) lines.push('PIPELINING')
    if (words.eightBitMime !== false) lines.push('8BITMIME')
    if (words.enhancedStatusCodes !== false) lines.push('ENHANCEDSTATUSCODES')
    if (words.size !== undefined) lines.push(`SIZE ${words.size}`)
    if (words.startTls !== undefined && !this.record.tls) lines.push('STARTTLS')
    lines.push(...(words.offers ?? []))
    return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n')
  }

  async #startTls(words: BackendWords): Promise<boolean> {
    if (words.startTls === undefined) return this.#say('502 5.5.1 not offered')
    if (words.startTls !== 'offer' && words.startTls !== 'hang')
      return this.#answer('startTls', words.startTls, 'STARTTLS', '')
    await this.#say('220 2.0.0 go ahead')
    if (words.startTls === 'hang') return this.#untilEnd()
    this.#forget()
    this.#upgrade()
    return true
  }

  #upgrade(): void {
    const plain = this.#socket
    plain.removeAllListeners('data')
    plain.removeAllListeners('end')
    plain.removeAllListeners('close')
    plain.on('error', () => {})
    const tls = new TLSSocket(plain, { isServer: true, secureContext: this.#host.secureContext })
    this.#input = Buffer.alloc(0)
    this.#socket = tls
    this.record.tls = true
    this.#listen(tls)
  }

  async #mailFrom(words: BackendWords, line: string): Promise<boolean> {
    if (this.#from !== undefined) this.#host.violation('MAIL inside of a transaction')
    const answer = await this.#decide('mail', words.mail, pathOf(line), '250 2.1.0 fine')
    if (isPositive(answer)) {
      this.#from = pathOf(line)
      this.#mail = line
    }
    return this.#perform(answer)
  }

  async #rcptTo(words: BackendWords, line: string): Promise<boolean> {
    if (this.#from === undefined) return this.#say('503 5.5.1 MAIL first')
    const answer = await this.#decide('rcpt', words.rcpt, pathOf(line), '250 2.1.5 fine')
    if (isPositive(answer)) this.#to.push(pathOf(line))
    return this.#perform(answer)
  }

  async #data(words: BackendWords, line: string): Promise<boolean> {
    if (this.#to.length === 0) return this.#say('503 5.5.1 RCPT first')
    const opening = await this.#decide('data', words.data, line, '354 go on')
    if (!(await this.#perform(opening))) return false
    if (typeof opening !== 'string' || !opening.startsWith('3')) return true
    const wire = await this.#readData(words)
    if (!wire) return false
    const message: Writable<BackendMessage> & { answers: string[] } = {
      session: this.record,
      from: this.#from ?? '',
      to: this.#to,
      mail: this.#mail,
      content: unstuff(wire, words.endOfData === 'lenient'),
      wire,
      answers: [],
      asked: undefined,
    }
    this.#host.arrived(message)
    this.#forget()
    for (const asked of words.protocol === 'lmtp' ? message.to : [undefined]) {
      message.asked = asked
      const answer = await this.#decide('afterDot', this.#host.words().afterDot, message, '250 2.0.0 taken')
      if (typeof answer === 'string') message.answers.push(answer)
      if (typeof answer === 'object' && 'say' in answer) message.answers.push(answer.say)
      if (!(await this.#perform(answer))) return false
    }
    return true
  }

  /** The octets up to the dot, or undefined where the session ended before it. */
  async #readData(words: BackendWords): Promise<Buffer | undefined> {
    const inBody: InBody | undefined = typeof words.inBody === 'function' ? words.inBody(this.record) : words.inBody
    const parts: Buffer[] = []
    let read = 0
    let isDone = inBody === undefined
    // The line end of the command stands before the first line, so that a lone dot at once is an empty message.
    let tail: Buffer = Buffer.from('\r\n')
    for (;;) {
      const chunk = this.#input
      this.#input = Buffer.alloc(0)
      const joined = Buffer.concat([tail, chunk])
      const end = words.endOfData === 'lenient' ? lenientEnd(joined) : strictEnd(joined)
      const taken = end === undefined ? chunk : chunk.subarray(0, end - tail.length)
      read += taken.length
      if (inBody && !isDone && read >= inBody.afterBytes) {
        isDone = true
        if (!(await this.#interrupt(inBody))) return undefined
      }
      parts.push(taken)
      if (end !== undefined) {
        this.#input = Buffer.concat([chunk.subarray(taken.length), this.#input])
        return Buffer.concat(parts)
      }
      tail = joined.subarray(-6)
      if (this.#input.length === 0 && !(await this.#more())) return undefined
    }
  }

  async #interrupt(inBody: InBody): Promise<boolean> {
    if (inBody.do !== 'pause') return this.#perform(inBody.do)
    this.#socket.pause()
    await inBody.until
    this.#socket.resume()
    return !this.#over
  }

  #forget(): void {
    this.#from = undefined
    this.#to = []
  }

  async #decide<S>(step: string, fault: Fault<S> | undefined, subject: S, usual: string): Promise<Answer> {
    const count = this.#host.count(step)
    const chosen = (typeof fault === 'function' ? await fault(subject, count) : fault) ?? usual
    if (chosen !== 'silence') return chosen
    return new Promise((resolve) => {
      if (this.#over) resolve('close')
      else this.#spoken = resolve
    })
  }

  async #answer<S>(step: string, fault: Fault<S> | undefined, subject: S, usual: string): Promise<boolean> {
    return this.#perform(await this.#decide(step, fault, subject, usual))
  }

  /** Does it. @returns whether the session goes on */
  async #perform(answer: Answer): Promise<boolean> {
    if (this.#over) return false
    if (answer === 'close') this.#socket.end()
    else if (answer === 'reset') this.#reset()
    else if (answer === 'garbage') return this.#send(Buffer.from('\x16\x03\x01 not SMTP at all \x80\xff\r\n', 'latin1'))
    else if (typeof answer === 'string') {
      await this.#say(answer)
      if (!answer.startsWith('421')) return true
      this.#socket.end()
    } else if ('raw' in answer) return this.#send(Buffer.from(answer.raw as string, 'latin1'))
    else {
      await this.#say(answer.say)
      return this.#perform(answer.and)
    }
    return false
  }

  async #say(text: string): Promise<boolean> {
    return this.#send(Buffer.from(`${text}\r\n`, 'latin1'))
  }

  async #send(bytes: Buffer): Promise<boolean> {
    const size = this.#host.words().replySplit ?? bytes.length
    for (let at = 0; at < bytes.length; at += size) {
      if (this.#over || !this.#socket.writable) return false
      this.#socket.write(bytes.subarray(at, at + size))
      if (size < bytes.length) await nextTurn()
    }
    return !this.#over
  }

  async #untilEnd(): Promise<boolean> {
    while (await this.#more());
    return false
  }

  #reset(): void {
    resetSocket(this.#socket)
  }
}

const isPositive = (answer: Answer) =>
  typeof answer === 'string' ? /^2\d\d/.test(answer) : 'say' in answer && /^2\d\d/.test(answer.say)

const pathOf = (line: string) => /<(.*)>/.exec(line)?.[1] ?? line

function strictEnd(joined: Buffer): number | undefined {
  const at = joined.indexOf('\r\n.\r\n')
  return at < 0 ? undefined : at + 5
}

function lenientEnd(joined: Buffer): number | undefined {
  const found = /(?:\r\n|\n|\r)\.(?:\r\n|\n|\r(?=[^\n]))/.exec(joined.toString('latin1'))
  return found ? found.index + found[0].length : undefined
}

/** RFC 5321 §4.5.2: takes the dot line and one dot in front of each line away. */
function unstuff(wire: Buffer, lenient: boolean): Buffer {
  const content = lenient
    ? Buffer.from(wire.toString('latin1').replace(/\.(?:\r\n|\n|\r)$/, ''), 'latin1')
    : wire.subarray(0, -3)
  const parts: Buffer[] = []
  let from = content[0] === 0x2e ? 1 : 0
  for (let at = content.indexOf('\r\n.', from); at >= 0; at = content.indexOf('\r\n.', at + 3)) {
    parts.push(content.subarray(from, at + 2))
    from = at + 3
  }
  parts.push(content.subarray(from))
  return Buffer.concat(parts)
}
