/**
 * A fake backend on loopback: SMTP or LMTP, with faults in words at each step (`words.ts`), which notes every session, command and
 * message. Started by `lab.backend()`; it speaks real TCP, or a Unix socket, and reads strictly.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import { FakeSession } from './backend-session.ts'
import { openBlackHole } from './black-hole.ts'
import { freeAddress, resetSocket } from './loopback.ts'
import type { BackendMessage, BackendSession, BackendWords } from './words.ts'

export interface FakeBackend {
  /** `smtp://127.3.2.1:4242`, `smtps://…`, `lmtp://…` or `lmtp:/path`: as it stands in waypost.yaml. */
  readonly url: string
  readonly protocol: 'smtp' | 'smtps' | 'lmtp'
  /** Where it listens: an address and port, or the path of a Unix socket. */
  readonly address: string
  readonly port: number
  readonly path: string | undefined
  readonly sessions: readonly BackendSession[]
  /** Every message whose dot came, answered or not. */
  readonly messages: readonly BackendMessage[]
  /** Those that were answered 2yz (for LMTP: for at least one recipient). */
  readonly accepted: readonly BackendMessage[]
  readonly commands: readonly string[]
  /** What no sender may do: bare line ends in commands, pipelining that was not offered, commands out of order. */
  readonly violations: readonly string[]
  /** Sessions that are open now. */
  readonly openSessions: number
  /** Other words from now on, also for sessions in progress; a property set to undefined is the usual behaviour again. */
  change(words: Partial<{ [K in keyof BackendWords]: BackendWords[K] | undefined }>): void
  /** Ends the silence of every session that is silent with this reply; where none is, every open session hears it out of turn. */
  say(text: string): void
  /** Ends every open session; the backend goes on listening. */
  hangUp(how?: 'close' | 'reset'): void
  /** Nothing listens any more and every session is reset, as when the process is killed. */
  kill(): Promise<void>
  /** Listens again at the same address. */
  restart(): Promise<void>
  /** The end; called by the lab. */
  stop(): Promise<void>
}

export async function startBackend(
  words: BackendWords,
  lab: { readonly folder: string; readonly secureContext: SecureContext; readonly number: number },
): Promise<FakeBackend> {
  const backend = new Backend(words, lab)
  await backend.begin()
  return backend
}

class Backend implements FakeBackend {
  readonly protocol: 'smtp' | 'smtps' | 'lmtp'
  readonly address: string
  readonly path: string | undefined
  readonly sessions: BackendSession[] = []
  readonly messages: BackendMessage[] = []
  readonly commands: string[] = []
  readonly violations: string[] = []
  readonly #live = new Map<Socket, FakeSession>()
  readonly #counts = new Map<string, number>()
  readonly #secureContext: SecureContext
  #words: BackendWords
  #server: Server | undefined
  #hole: { close(): Promise<void> } | undefined
  #port = 0

  constructor(words: BackendWords, lab: { folder: string; secureContext: SecureContext; number: number }) {
    this.#words = words
    this.#secureContext = lab.secureContext
    this.protocol = words.protocol === 'lmtp' ? 'lmtp' : words.implicitTls ? 'smtps' : 'smtp'
    this.path = words.on === 'unix' ? join(lab.folder, `backend-${lab.number}.sock`) : undefined
    this.address = freeAddress()
    this.#port = words.port ?? 0
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return this.path ? `lmtp:${this.path}` : `${this.protocol}://${this.address}:${this.#port}`
  }

  get accepted(): readonly BackendMessage[] {
    return this.messages.filter((message) => message.answers.some((answer) => answer.startsWith('2')))
  }

  get openSessions(): number {
    return this.#live.size
  }

  async begin(): Promise<void> {
    if (this.#words.connect === 'silence') {
      const hole = await openBlackHole(this.address)
      this.#hole = hole
      this.#port = hole.port
      return
    }
    await this.restart()
    if (this.#words.connect === 'refuse') await this.kill()
  }

  change(words: Partial<{ [K in keyof BackendWords]: BackendWords[K] | undefined }>): void {
    const changed = { ...this.#words, ...words }
    for (const [key, value] of Object.entries(changed)) if (value === undefined) Reflect.deleteProperty(changed, key)
    this.#words = changed as BackendWords
  }

  say(text: string): void {
    const sessions = [...this.#live.values()]
    const silent = sessions.filter((session) => session.isSilent)
    for (const session of silent.length > 0 ? silent : sessions) session.say(text)
  }

  hangUp(how: 'close' | 'reset' = 'close'): void {
    for (const session of this.#live.values()) session.hangUp(how)
  }

  async kill(): Promise<void> {
    await this.#hole?.close()
    this.#hole = undefined
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of this.#live.keys()) resetSocket(socket)
    await closed
  }

  async restart(): Promise<void> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket))
    const where = this.path ? { path: this.path } : { host: this.address, port: this.#port, backlog: 1024 }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(where, () => resolve())
    })
    const bound = server.address()
    if (bound && typeof bound === 'object') this.#port = bound.port
    this.#server = server
  }

  stop(): Promise<void> {
    return this.kill()
  }

  #accept(socket: Socket): void {
    if (this.#words.connect === 'reset') {
      socket.on('error', () => {})
      resetSocket(socket)
      return
    }
    const session = new FakeSession(socket, this.sessions.length + 1, {
      words: () => this.#words,
      count: (step) => this.#count(step),
      secureContext: this.#secureContext,
      arrived: (message) => this.messages.push(message),
      command: (line) => this.commands.push(line),
      violation: (what) => this.violations.push(what),
    })
    this.sessions.push(session.record)
    this.#live.set(socket, session)
    socket.on('error', () => {})
    socket.once('close', () => this.#live.delete(socket))
    void session.run()
  }

  #count(step: string): number {
    const count = (this.#counts.get(step) ?? 0) + 1
    this.#counts.set(step, count)
    return count
  }
}
