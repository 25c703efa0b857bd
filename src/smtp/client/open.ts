/**
 * From a socket that begins to connect to a session that is ready for MAIL: connect, TLS where it comes first (RFC 8314 §3), greeting,
 * EHLO or LHLO, STARTTLS (RFC 3207), EHLO again. Each step has its own limit, so that a server that is not well is known soon.
 * Called by `delivery`, the probes and `waypost send`. Certificates are not judged here: encryption is opportunistic (RFC 7435).
 */
import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import type { Inlet } from '../../base/inlet.ts'
import { printable } from '../../base/printable.ts'
import type { AtTurnEnd } from '../../base/turn-end.ts'
import { isPositive, type Reply, replyText } from '../../mail/reply.ts'
import { Connection } from '../wire/connection.ts'
import type { Scratch } from '../wire/scratch.ts'
import { noExtensions, parseExtensions } from './extensions.ts'
import { type ClientStep, type Failed, failed } from './fault.ts'
import { ClientSession, type Dialogue } from './session.ts'

export interface OpenOptions {
  readonly protocol: 'smtp' | 'lmtp'
  /** What we call ourselves in EHLO. */
  readonly hello: string
  /** `may`: where offered; `require`: or no session; `implicit`: from the first octet. */
  readonly tls: 'off' | 'may' | 'require' | 'implicit'
  /** For SNI; an address is no name and is left out (RFC 6066 §3). */
  readonly serverName: string | undefined
  readonly dialogue?: Dialogue
  readonly limits?: OpenLimits
  /** When commands are written, where many sessions share a loop. */
  readonly atTurnEnd?: AtTurnEnd
  /** What the socket's octets come by until TLS begins, where the door was given one. */
  readonly inlet?: Inlet | undefined
  /** Where messages are put together, if many sessions share it. */
  readonly scratch?: Scratch
}

/** Milliseconds; a whole handshake counts as one step. */
export interface OpenLimits {
  readonly connectMs: number
  readonly greetingMs: number
  readonly helloMs: number
  readonly startTlsMs: number
}

export const openLimits: OpenLimits = { connectMs: 5_000, greetingMs: 10_000, helloMs: 10_000, startTlsMs: 10_000 }

/** What a handshake offers, and how the certificate is judged. */
export type TlsOptions = Omit<ConnectionOptions, 'socket' | 'host' | 'port' | 'path'>

export type Opened = { readonly kind: 'open'; readonly session: ClientSession } | Failed

/**
 * @param socket  connecting; it belongs to the session from now on
 * @param untilMs  on the monotonic clock: the end of all steps together
 */
export async function openSession(
  socket: Socket,
  options: OpenOptions,
  clock: Clock,
  untilMs: number,
): Promise<Opened> {
  const limits = options.limits ?? openLimits
  const within = (limitMs: number) => Math.min(clock.monotonicMs() + limitMs, untilMs)
  const wire = options.tls === 'implicit' ? beginTls(socket, options.serverName) : socket
  const session = new ClientSession(
    options.protocol,
    new Connection(wire, clock, { atTurnEnd: options.atTurnEnd, inlet: options.inlet }),
    clock,
    options.dialogue,
    options.scratch,
  )

  const unconnected = await awaitConnection(session, socket, wire, within(limits.connectMs))
  if (unconnected) return unconnected
  if (options.tls === 'implicit') {
    const secured = await happens(session, wire, 'secureConnect', within(limits.startTlsMs))
    if (secured !== 'happened') return tlsFault(session, wire, secured)
  }

  const greeting = await session.reply('greeting', within(limits.greetingMs))
  if (greeting.kind === 'failed') return greeting
  if (greeting.reply.code !== 220) return rejected(session, 'greeting', greeting.reply)
  const hello = await sayHello(session, options.hello, within(limits.helloMs))
  if (hello) return hello
  if (options.tls === 'off' || options.tls === 'implicit') return { kind: 'open', session }
  if (!session.extensions.startTls) {
    if (options.tls === 'may') return { kind: 'open', session }
    session.quit()
    return failed('tls', 'starttls', 'TLS is required here, and the server does not offer STARTTLS')
  }
  const refused = await startTls(session, options.serverName, within(limits.startTlsMs))
  // RFC 3207 §4.2: what was learnt before is forgotten, and EHLO is said again.
  const again = refused ?? (await sayHello(session, options.hello, within(limits.helloMs)))
  return again ?? { kind: 'open', session }
}

/** EHLO, or HELO where the server does not know EHLO (RFC 5321 §3.2); LHLO (RFC 2033 §4.1). */
async function sayHello(session: ClientSession, hello: string, untilMs: number): Promise<Failed | undefined> {
  session.send(`${session.protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${hello}\r\n`)
  const answer = await session.reply('hello', untilMs)
  if (answer.kind === 'failed') return answer
  if (isPositive(answer.reply)) {
    session.extensions = parseExtensions(answer.reply)
    return undefined
  }
  const knowsNoEhlo = answer.reply.code === 500 || answer.reply.code === 502
  if (!knowsNoEhlo || session.protocol === 'lmtp') return rejected(session, 'hello', answer.reply)

  session.send(`HELO ${hello}\r\n`)
  const plain = await session.reply('hello', untilMs)
  if (plain.kind === 'failed') return plain
  if (!isPositive(plain.reply)) return rejected(session, 'hello', plain.reply)
  session.extensions = noExtensions
  return undefined
}

async function startTls(
  session: ClientSession,
  serverName: string | undefined,
  untilMs: number,
): Promise<Failed | undefined> {
  session.send('STARTTLS\r\n')
  const answer = await session.reply('starttls', untilMs)
  if (answer.kind === 'failed') return answer
  if (answer.reply.code !== 220) return rejected(session, 'starttls', answer.reply)

  const secured = await secureSession(session, { ...serverNameOption(serverName), rejectUnauthorized: false }, untilMs)
  return secured.kind === 'secured' ? undefined : secured.failed
}

/** Waits until the socket of a new session is connected. @param wire  what the session reads: the socket, or TLS on it */
export async function awaitConnection(
  session: ClientSession,
  socket: Socket,
  wire: Socket,
  untilMs: number,
): Promise<Failed | undefined> {
  const connected = await happens(session, socket, 'connect', untilMs)
  return connected === 'happened' ? undefined : connectFault(session, socket, wire, connected)
}

/** `code`: OpenSSL's or the system's, where there is one. */
export type Securing =
  | { readonly kind: 'secured'; readonly socket: TLSSocket }
  | {
      readonly kind: 'failed'
      readonly failed: Failed
      readonly why: 'timeout' | 'gone'
      readonly code: string | undefined
    }

/** The handshake, behind a 220 to STARTTLS (RFC 3207 §4). The session goes on under TLS, and has forgotten what was said before. */
export async function secureSession(session: ClientSession, options: TlsOptions, untilMs: number): Promise<Securing> {
  const { socket } = session.connection
  // Nothing of the old connection may hear the octets of the handshake; what it had buffered goes with it (RFC 3207 §4.2).
  session.connection.leave()
  const secure = tlsConnect({ ...options, socket })
  session.moveTo(new Connection(secure, session.clock))
  const secured = await happens(session, secure, 'secureConnect', untilMs)
  if (secured === 'happened') return { kind: 'secured', socket: secure }
  const { code } = (secure.errored ?? {}) as NodeJS.ErrnoException
  return { kind: 'failed', failed: tlsFault(session, secure, secured), why: secured, code }
}

function beginTls(socket: Socket, serverName: string | undefined): TLSSocket {
  return tlsConnect({ socket, rejectUnauthorized: false, ...serverNameOption(serverName) })
}

/** An address is no name (RFC 6066 §3). */
export const serverNameOption = (name: string | undefined) =>
  name !== undefined && isIP(name) === 0 ? { servername: name } : {}

/** Waits for an event of the socket; octets that come first count as the end, because nothing may come before it. */
async function happens(
  session: ClientSession,
  socket: Socket,
  event: 'connect' | 'secureConnect',
  untilMs: number,
): Promise<'happened' | 'timeout' | 'gone'> {
  session.connection.deadline.armAt(untilMs)
  return new Promise((resolve) => {
    socket.once(event, () => resolve('happened'))
    session.watch().then((what) => resolve(what === 'timeout' ? 'timeout' : 'gone'))
  })
}

function connectFault(session: ClientSession, socket: Socket, wire: Socket, why: 'timeout' | 'gone'): Failed {
  const code = ((socket.errored ?? wire.errored) as NodeJS.ErrnoException | null)?.code
  if (why === 'timeout') return session.fail('timeout', 'connect', 'no connection in time')
  // No such socket, or nobody behind it, is what a TCP reset is: an answer.
  const isRefused = code === 'ECONNREFUSED' || code === 'ENOENT'
  return session.fail(isRefused ? 'refused' : 'unreachable', 'connect', code ?? 'no connection')
}

function tlsFault(session: ClientSession, wire: Socket, why: 'timeout' | 'gone'): Failed {
  const error = wire.errored as NodeJS.ErrnoException | null
  const detail =
    why === 'timeout' ? 'not done in time' : printable(error?.code ?? error?.message ?? 'connection closed')
  return session.fail('tls', 'starttls', `TLS handshake: ${detail}`)
}

function rejected(session: ClientSession, step: ClientStep, reply: Reply): Failed {
  session.quit()
  return failed('rejected', step, `the server said ${replyText(reply)}`, reply)
}
