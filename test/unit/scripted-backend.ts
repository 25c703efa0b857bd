/**
 * A small SMTP or LMTP server for unit tests of the outgoing side: well-behaved, but for what a test makes it say.
 * It stops with the test.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import { certificate, privateKey } from './certificate.ts'

export type Verb = 'EHLO' | 'HELO' | 'LHLO' | 'STARTTLS' | 'MAIL' | 'RCPT' | 'DATA' | 'RSET' | 'QUIT' | '.'

/** What to say to a command: the lines; or nothing; or the end. Undefined: what everybody says. */
export type Says = string | 'silence' | 'close' | 'reset' | undefined

export interface Behaviour {
  readonly greeting?: string | 'silence' | 'close'
  readonly extensions?: readonly string[]
  /** Called for each command, and with '.' for the end of a message. */
  readonly on?: (verb: Verb, line: string, peer: Peer) => Says | Promise<Says>
  /** Replies go out octet by octet. */
  readonly dribble?: boolean
  readonly tls?: 'implicit' | 'broken' | 'hangs'
  readonly lmtp?: boolean
}

export interface Backend {
  readonly port: number
  readonly address: string
  /** Everything that was said to it, commands only, over all connections. */
  readonly commands: string[]
  /** Content as it arrived, unstuffed, of messages whose dot came. */
  readonly messages: string[]
  readonly peers: Peer[]
  behaviour: Behaviour
}

export async function startBackend(t: TestContext, behaviour: Behaviour = {}, path?: string): Promise<Backend> {
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const peer = new Peer(socket, backend)
    backend.peers.push(peer)
    // The test ends sockets as it likes.
    peer.serve().catch(() => socket.destroy())
  })
  const listening = once(server, 'listening')
  if (path) server.listen(path)
  else server.listen(0, '127.0.0.1')
  await listening
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : 0
  const backend: Backend = { port, address: '127.0.0.1', commands: [], messages: [], peers: [], behaviour }
  t.after(() => {
    server.close()
    for (const peer of backend.peers) peer.socket.destroy()
  })
  return backend
}

export class Peer {
  socket: Socket
  readonly #backend: Backend
  #input = ''
  #ended = false
  #wake: (() => void) | undefined
  #accepted = 0

  constructor(socket: Socket, backend: Backend) {
    this.socket = socket
    this.#backend = backend
    this.#listen(socket)
  }

  async serve(): Promise<void> {
    const { behaviour } = this.#backend
    if (behaviour.tls === 'implicit') await this.#secure()
    if (behaviour.greeting === 'silence') return
    if (behaviour.greeting === 'close') return void this.socket.destroy()
    this.say(behaviour.greeting ?? '220 backend.example.test ESMTP')
    for (;;) {
      const line = await this.line()
      if (line === undefined) return void this.socket.destroy()
      this.#backend.commands.push(line)
      if (!(await this.#command(line))) return
    }
  }

  /** What has come and was not looked at yet. */
  get unread(): string {
    return this.#input
  }

  /** The next line without its CRLF; undefined at the end. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#input.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#input.slice(0, end)
        this.#input = this.#input.slice(end + 2)
        return line
      }
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  say(...lines: string[]): void {
    const text = lines.map((line) => `${line}\r\n`).join('')
    if (!this.#backend.behaviour.dribble) this.socket.write(text, 'latin1')
    else for (const octet of text) this.socket.write(octet, 'latin1')
  }

  /** Closes with a RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Reads no more from the socket: the client meets back-pressure. */
  pause(): void {
    this.socket.pause()
  }

  async #command(line: string): Promise<boolean> {
    const verb = line.slice(0, 4).toUpperCase() === 'STAR' ? 'STARTTLS' : (line.slice(0, 4).toUpperCase() as Verb)
    const says = (await this.#backend.behaviour.on?.(verb, line, this)) ?? this.#usual(verb)
    if (!this.#speak(says)) return false
    const code = says.slice(0, 3)
    if (verb === 'RCPT' && code === '250') this.#accepted++
    if (verb === 'RSET' || verb === 'MAIL') this.#accepted = 0
    if (verb === 'QUIT') this.socket.end()
    if (verb === 'STARTTLS' && code === '220') await this.#secure()
    if (verb === 'DATA' && code === '354') return this.#message()
    return true
  }

  async #message(): Promise<boolean> {
    let content = ''
    for (let line = await this.line(); line !== '.'; line = await this.line()) {
      if (line === undefined) return false
      content += `${line.startsWith('.') ? line.slice(1) : line}\r\n`
    }
    this.#backend.messages.push(content)
    const says = await this.#backend.behaviour.on?.('.', '.', this)
    const count = this.#backend.behaviour.lmtp ? this.#accepted : 1
    const usual = Array.from({ length: count }, () => '250 2.0.0 taken').join('\r\n')
    this.#accepted = 0
    return this.#speak(says ?? usual)
  }

  #speak(says: string): boolean {
    if (says === 'silence') return true
    if (says === 'close') this.socket.destroy()
    else if (says === 'reset') this.reset()
    else this.say(says)
    return says !== 'close' && says !== 'reset'
  }

  #usual(verb: Verb): string {
    switch (verb) {
      case 'EHLO':
      case 'LHLO': {
        const offered = [
          'backend.example.test',
          ...(this.#backend.behaviour.extensions ?? ['PIPELINING', '8BITMIME', 'SIZE 10000000']),
        ]
        return offered.map((line, at) => `250${at === offered.length - 1 ? ' ' : '-'}${line}`).join('\r\n')
      }
      case 'DATA':
        return '354 go on'
      case 'QUIT':
        return '221 bye'
      case 'STARTTLS':
        return '220 ready'
      case 'RCPT':
        return '250 2.1.5 ok'
      default:
        return '250 ok'
    }
  }

  async #secure(): Promise<void> {
    const { tls } = this.#backend.behaviour
    for (const event of ['data', 'end', 'close']) this.socket.removeAllListeners(event)
    if (tls === 'hangs') return
    if (tls === 'broken') return void this.socket.once('data', () => this.socket.write('this is no handshake\r\n'))
    this.#input = ''
    const secure = new TLSSocket(this.socket, { isServer: true, cert: certificate, key: privateKey })
    this.#listen(secure)
    this.socket = secure
  }

  #listen(socket: Socket): void {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.#input += chunk.toString('latin1')
      this.#wake?.()
    })
    const end = () => {
      this.#ended = true
      this.#wake?.()
    }
    socket.on('end', end)
    socket.on('close', end)
  }
}

/** Waits until the condition holds; the test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** Lets the event loop go round: what the system has of another socket of this process is read by then. */
export async function rounds(count = 3): Promise<void> {
  for (let round = 0; round < count; round++) await new Promise((resolve) => setImmediate(resolve))
}
