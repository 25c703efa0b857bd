/**
 * An SMTP server on loopback with a handler that writes down what it is asked, and a sender who says exactly the octets that a test
 * gives him. For the tests of `smtp/server`; both end with the test.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createSecureContext, connect as tlsConnect } from 'node:tls'
import type { Clock } from '../../src/base/clock.ts'
import { parseIp } from '../../src/base/ip.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Reply, reply } from '../../src/mail/reply.ts'
import type { OnConnect, Peer, SessionHandler } from '../../src/smtp/server/handler.ts'
import {
  createSmtpServer,
  type ServerBudgets,
  type ServerLimits,
  type SmtpServer,
  type SmtpServerOptions,
} from '../../src/smtp/server/server.ts'
import { steadyClock } from './fast-clock.ts'

export const tlsContext = createSecureContext({
  key: readFileSync(new URL('./tls/key.pem', import.meta.url)),
  cert: readFileSync(new URL('./tls/certificate.pem', import.meta.url)),
})

export interface Recorder {
  /** One word for each call, in order: `mail a@b.example`, `rcpt x@y.example z@y.example`, `data`, `end`, `abort nul`, `reset`, `closed`. */
  readonly calls: string[]
  readonly messages: string[]
  readonly peers: Peer[]
  readonly server: SmtpServer
  readonly port: number
  readonly options: SmtpServerOptions
}

export interface ServerSettings {
  readonly handler?: Partial<SessionHandler>
  readonly onConnect?: OnConnect
  /** What the sink answers at the dot, and where it wants to wait. */
  readonly end?: (has8bit: boolean) => Promise<Reply>
  readonly write?: () => void | Promise<void>
  readonly limits?: Partial<ServerLimits>
  readonly budgets?: Partial<ServerBudgets>
  readonly isTls?: boolean
  readonly bareNewline?: 'repair' | 'reject'
  readonly dsn?: boolean
  readonly clock?: Clock
  readonly address?: string
}

export const ok = reply(250, '2.0.0', 'Ok')

export async function startServer(t: TestContext, settings: ServerSettings = {}): Promise<Recorder> {
  const calls: string[] = []
  const messages: string[] = []
  const peers: Peer[] = []
  const options: SmtpServerOptions = {
    hostname: 'mx1.example.test',
    tls: () => (settings.isTls ? tlsContext : undefined),
    bareNewline: settings.bareNewline ?? 'repair',
    dsn: settings.dsn ?? false,
    limits: {
      messageBytes: 1_000_000,
      recipients: 1000,
      hops: 100,
      errors: 20,
      idleCommands: 100,
      minimumRate: 500,
      ...settings.limits,
    },
    budgets: {
      commandMs: 20_000,
      firstMailMs: 20_000,
      connectionMs: 60_000,
      blockMs: 20_000,
      messageMs: 20_000,
      handshakeMs: 20_000,
      ...settings.budgets,
    },
    onConnect:
      settings.onConnect ??
      ((peer) => {
        peers.push(peer)
        return { kind: 'handler', handler: { ...recordingHandler(calls, messages, settings), ...settings.handler } }
      }),
  }
  const server = createSmtpServer(options, { clock: settings.clock ?? steadyClock, log: silentLog })
  const address = parseIp(settings.address ?? '127.0.0.1')
  if (!address) throw new TypeError('not an address')
  const { port } = await server.listen(address, 0)
  t.after(() => server.close(0))
  return { calls, messages, peers, server, port, options }
}

function recordingHandler(calls: string[], messages: string[], settings: ServerSettings): SessionHandler {
  return {
    mail(envelope, client) {
      calls.push(`mail ${envelope.sender?.text ?? '<>'}${client.tls ? ' in TLS' : ''}`)
      return ok
    },
    async rcpt(recipients) {
      calls.push(`rcpt ${recipients.map((recipient) => recipient.text).join(' ')}`)
      return recipients.map(() => ok)
    },
    recipientsAtOnce: () => 100,
    data() {
      calls.push('data')
      let content = ''
      return {
        write(chunk) {
          content += chunk.toString('latin1')
          return settings.write?.()
        },
        end(has8bit) {
          calls.push('end')
          messages.push(content)
          return settings.end?.(has8bit) ?? Promise.resolve(ok)
        },
        abort: (why) => void calls.push(`abort ${why}`),
      }
    },
    reset: () => void calls.push('reset'),
    closed: () => void calls.push('closed'),
  }
}

/** A sender by hand. */
export class Sender {
  #socket: Socket
  #heard = ''
  #isEnded = false
  #awake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  static async dial(t: TestContext, port: number, host = '127.0.0.1', first?: string): Promise<Sender> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
    const sender = new Sender(socket)
    t.after(() => sender.#socket.destroy())
    if (first !== undefined) socket.write(first, 'latin1')
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return sender
  }

  /** The sender behind greeting and EHLO. */
  static async greeted(t: TestContext, port: number): Promise<Sender> {
    const sender = await Sender.dial(t, port)
    await sender.expect(/^220 .*\r\n$/)
    await sender.say('EHLO sender.example\r\n', /^250 .*\r\n$/m)
    return sender
  }

  get socket(): Socket {
    return this.#socket
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /** Waits until everything unread matches; takes it. */
  async expect(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#heard)) {
      if (this.#isEnded) throw new Error(`ended with ${JSON.stringify(this.#heard)}, not ${pattern}`)
      await this.#next(`${pattern}`)
    }
    const heard = this.#heard
    this.#heard = ''
    return heard
  }

  say(text: string, pattern: RegExp): Promise<string> {
    this.send(text)
    return this.expect(pattern)
  }

  /** All that comes until the server closes. */
  async rest(): Promise<string> {
    while (!this.#isEnded) await this.#next('the end')
    return this.#heard
  }

  fin(): void {
    this.#socket.end()
  }

  async upgrade(): Promise<void> {
    for (const event of ['data', 'end', 'close', 'error']) this.#socket.removeAllListeners(event)
    const secure = tlsConnect({ socket: this.#socket, rejectUnauthorized: false })
    this.#socket.on('error', () => {})
    await new Promise<void>((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
    this.#socket = secure
    this.#listen(secure)
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1')
      this.#awake?.()
    })
    const end = () => {
      this.#isEnded = true
      this.#awake?.()
    }
    socket.on('end', end).on('close', end).on('error', end)
  }

  #next(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`waited for ${what}, heard ${JSON.stringify(this.#heard)}`)),
        60_000,
      )
      this.#awake = () => {
        clearTimeout(timer)
        this.#awake = undefined
        resolve()
      }
    })
  }
}

/** A clock whose waits end at once, and that remembers how long each would have been. */
export function hurriedClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = []
  return {
    ...steadyClock,
    waits,
    after(delayMs, run) {
      if (delayMs > 2_000) return steadyClock.after(delayMs, run)
      waits.push(delayMs)
      return steadyClock.after(0, run)
    },
  }
}
