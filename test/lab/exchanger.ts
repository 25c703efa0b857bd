/**
 * A mail exchanger of the lab's internet, as a stranger meets it: greeting, EHLO, STARTTLS with a chain of the test's choice, an answer to each
 * recipient. It takes no message: nobody who looks on says DATA. Its faults are words; it ends with the test.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls'
import type { Issued } from '../unit/certificate-maker.ts'

export interface ExchangerWords {
  /** What it calls itself. */
  readonly name: string
  /** The leaf first, then what is sent beside it. Without it STARTTLS is not offered. */
  readonly chain?: readonly Issued[]
  /** Beside `chain`, for the other kind of key. */
  readonly secondChain?: readonly Issued[]
  readonly tls?: Pick<SecureContextOptions, 'minVersion' | 'maxVersion' | 'ciphers'>
  /** Ends the handshake of who sends no server name. */
  readonly needsServerName?: boolean
  /** Replies as they stand on the wire, lines joined by CRLF; `silence` and `close` are what they say. Default: what everybody says. */
  readonly greeting?: string | ((socket: Socket) => void)
  readonly keywords?: readonly string[]
  readonly ehlo?: string
  readonly helo?: string
  readonly startTls?: string
  readonly mail?: (path: string, isSecure: boolean) => string | undefined
  /** Default: 250 to postmaster and abuse, else 550. */
  readonly rcpt?: (path: string) => string | undefined
  readonly quit?: string
  /** Keeps what came behind STARTTLS, and answers it under TLS: the fault of RFC 3207 §4.2. */
  readonly keepsInput?: boolean
}

export interface LabExchanger {
  readonly address: string
  readonly port: number
  readonly commands: readonly string[]
  /** Connections so far, and the most at once. */
  readonly connections: { readonly all: number; readonly atOnce: number }
  /** The server names that clients sent. */
  readonly serverNames: readonly (string | undefined)[]
  stop(): Promise<void>
}

/** @param port  0: the system chooses */
export async function startExchanger(
  t: TestContext,
  words: ExchangerWords,
  address = '127.0.0.1',
  port = 0,
): Promise<LabExchanger> {
  const commands: string[] = []
  const serverNames: (string | undefined)[] = []
  const connections = { all: 0, atOnce: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    connections.all++
    connections.atOnce = Math.max(connections.atOnce, sockets.size)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    new Visit(socket, words, commands, serverNames).begin()
  })
  const listening = once(server, 'listening')
  server.listen(port, address)
  await listening
  const bound = server.address()
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  t.after(stop)
  return {
    address,
    port: bound && typeof bound === 'object' ? bound.port : port,
    commands,
    connections,
    serverNames,
    stop,
  }
}

class Visit {
  #socket: Socket
  #input = ''
  #isSecure = false
  readonly #words: ExchangerWords
  readonly #commands: string[]
  readonly #serverNames: (string | undefined)[]

  constructor(socket: Socket, words: ExchangerWords, commands: string[], serverNames: (string | undefined)[]) {
    this.#socket = socket
    this.#words = words
    this.#commands = commands
    this.#serverNames = serverNames
  }

  begin(): void {
    const { greeting, name } = this.#words
    this.#listen()
    if (typeof greeting === 'function') greeting(this.#socket)
    else this.#say(greeting ?? `220 ${name} ESMTP`)
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#input += chunk.toString('latin1')
      this.#read()
    })
  }

  #read(): void {
    for (let end = this.#input.indexOf('\r\n'); end >= 0; end = this.#input.indexOf('\r\n')) {
      const line = this.#input.slice(0, end)
      this.#input = this.#input.slice(end + 2)
      this.#commands.push(line)
      if (!this.#answer(line)) return
    }
  }

  /** @returns whether this connection goes on as it is */
  #answer(line: string): boolean {
    const { words, path } = { words: this.#words, path: /<(.*)>/.exec(line)?.[1] ?? '' }
    const verb = line.split(' ')[0]?.toUpperCase()
    switch (verb) {
      case 'EHLO':
        return this.#say(words.ehlo ?? this.#hello())
      case 'HELO':
        return this.#say(words.helo ?? `250 ${words.name}`)
      case 'STARTTLS':
        return this.#startTls(words.startTls ?? '220 2.0.0 ready')
      case 'MAIL':
        return this.#say(words.mail?.(path, this.#isSecure) ?? '250 2.1.0 ok')
      case 'RCPT':
        return this.#say(words.rcpt?.(path) ?? usualAnswer(path))
      case 'QUIT':
        this.#say(words.quit ?? '221 2.0.0 bye')
        this.#socket.end()
        return false
      default:
        return this.#say('250 2.0.0 ok')
    }
  }

  #hello(): string {
    const usual = ['PIPELINING', 'SIZE 52428800', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SMTPUTF8']
    const keywords = [...(this.#words.keywords ?? usual)]
    if (this.#words.chain && !this.#isSecure) keywords.push('STARTTLS')
    const lines = [this.#words.name, ...keywords]
    return lines.map((text, at) => `250${at === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n')
  }

  #say(reply: string): boolean {
    if (reply === 'close') this.#socket.destroy()
    else if (reply !== 'silence') this.#socket.write(`${reply}\r\n`, 'latin1')
    if (reply.startsWith('421')) this.#socket.end()
    return reply !== 'close' && !reply.startsWith('421')
  }

  #startTls(reply: string): boolean {
    if (!this.#say(reply)) return false
    if (!reply.startsWith('220')) return true
    this.#socket.removeAllListeners('data')
    const early = this.#input
    this.#input = ''
    const context = this.#context()
    const secure = new TLSSocket(this.#socket, {
      isServer: true,
      // Without a certificate there is nothing to agree on, until a server name brings one.
      secureContext: this.#words.needsServerName ? createSecureContext(this.#words.tls) : context,
      SNICallback: (name, done) => {
        this.#serverNames.push(name)
        done(null, this.#words.needsServerName ? context : undefined)
      },
    })
    secure.on('error', () => this.#socket.destroy())
    secure.on('secure', () => {
      if (typeof secure.servername !== 'string') this.#serverNames.push(undefined)
    })
    this.#socket = secure
    this.#isSecure = true
    this.#listen()
    if (this.#words.keepsInput) {
      this.#input = early
      secure.on('secure', () => this.#read())
    }
    return false
  }

  #context() {
    const { chain = [], secondChain, tls } = this.#words
    const pems = (issued: readonly Issued[]) => issued.map(({ pem }) => pem).join('')
    const both = [chain, ...(secondChain ? [secondChain] : [])]
    return createSecureContext({
      // What a test serves may be weak, which this library would refuse to serve.
      ciphers: 'DEFAULT:@SECLEVEL=0',
      ...tls,
      cert: both.map(pems),
      key: both.map(([leaf]) => leaf?.keyPem ?? ''),
    })
  }
}

const usualAnswer = (path: string) =>
  /^(postmaster|abuse)(@|$)/i.test(path) ? '250 2.1.5 ok' : '550 5.1.1 no such recipient'
