/**
 * The TCP side of the server (RFC 7766, RFC 9210): many questions a connection, answered in order, and whole zones for secondaries. Who is
 * slow, idle or does not read costs a bounded amount of memory for a bounded time. Used by `authority.ts`.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { type Clock, Deadline } from '../../base/clock.ts'
import { clientKey, type IpAddress, isIpv6, parseIp } from '../../base/ip.ts'
import { createBudget, createKeyedBudget } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { type AtTurnEnd, createTurnEnd } from '../../base/turn-end.ts'
import type { NameServer } from '../servers.ts'
import type { Answerer } from './answer.ts'
import { createTcpPace, type TcpPace } from './tcp-pace.ts'
import type { Transfers } from './transfer-out.ts'

export interface TcpServer {
  /** Resolves when each address is bound; rejects with the system's error when one cannot be, with none left open. */
  start(): Promise<void>
  /** Ends every connection. */
  stop(): Promise<void>
  /** Where it listens now, in the order of the listeners. */
  readonly bound: readonly NameServer[]
  readonly connections: number
}

export interface TcpLimits {
  readonly connections: number
  /** From one IPv4 address or one IPv6 /64. */
  readonly connectionsPerClient: number
  /** From one IPv4 address or one IPv6 /64, over all of its connections; 0: no limit. What is beyond it waits. */
  readonly questionsPerSecond: number
  /** Without a whole question, and for a reader to take what waits for it. A quarter of it while most connections are taken. */
  readonly idleMs: number
}

export interface TcpServerDeps {
  readonly answerer: Answerer
  readonly transfers: Transfers
  readonly isSecondary: (address: IpAddress) => boolean
  /** Who may ask as fast as it likes, beside the secondaries. */
  readonly isExempt: (address: IpAddress) => boolean
  readonly clock: Clock
  readonly log: Log
}

/** No question that we answer is longer, with every option and signature. */
const mostQueryBytes = 4096
/** So much may wait for the reader before no more questions are answered. */
const mostWaitingBytes = 65_536
/** Messages for one connection in one turn of the event loop; then everybody else has theirs. */
const mostInTurn = 50
/** Who asks more often for zones that it does not get needs no connection. */
const mostRefused = 10
/** RFC 7766 §6.2.3: idle connections end sooner when there are many. From this part of the ceiling on, to this part of the usual time. */
const crowdedPart = 0.75
const crowdedIdlePart = 0.25

export function createTcpServer(listen: readonly NameServer[], limits: TcpLimits, deps: TcpServerDeps): TcpServer {
  const servers: Server[] = []
  const sessions = new Set<Session>()
  const all = createBudget(() => limits.connections)
  const each = createKeyedBudget(() => limits.connectionsPerClient)
  /** One for all: an answer is copied out before the next is made. */
  const out = Buffer.allocUnsafe(65_535)
  const atTurnEnd = createTurnEnd()
  const isExempt = (address: IpAddress) => deps.isSecondary(address) || deps.isExempt(address)
  const pace = createTcpPace({ perSecond: limits.questionsPerSecond, isExempt }, deps.clock)
  const crowdedAt = Math.ceil(limits.connections * crowdedPart)
  const idleMsOf = (address: IpAddress) =>
    sessions.size < crowdedAt || deps.isSecondary(address) ? limits.idleMs : limits.idleMs * crowdedIdlePart

  function accept(socket: Socket): void {
    const address = parseIp(socket.remoteAddress ?? '')
    // It may be gone already.
    if (!address || !takePlace(clientKey(address))) {
      socket.destroy()
      return
    }
    const session = new Session(socket, address, { out, idleMsOf, pace, atTurnEnd, ...deps })
    sessions.add(session)
    if (sessions.size === crowdedAt) for (const each of sessions) each.hurry()
    socket.once('close', () => leave(session))
  }

  function takePlace(client: string): boolean {
    if (!each.take(client, 1)) return false
    if (all.take(1)) return true
    const idlest = idlestOf(sessions, deps.isSecondary)
    if (idlest) {
      idlest.end()
      leave(idlest)
      if (all.take(1)) return true
    }
    each.give(client, 1)
    return false
  }

  function leave(session: Session): void {
    if (!sessions.delete(session)) return
    all.give(1)
    each.give(clientKey(session.address), 1)
  }

  async function stop(): Promise<void> {
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const session of sessions) session.end()
    pace.stop()
    await Promise.all(closed)
    servers.length = 0
  }

  return {
    async start() {
      try {
        for (const at of listen) servers.push(await bind(at, accept))
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
    get bound() {
      return servers.map((server, index) => {
        const bound = server.address()
        const at = listen[index]
        if (!at || !bound || typeof bound === 'string') throw new TypeError('a TCP server without a port')
        return { address: at.address, port: bound.port }
      })
    },
    get connections() {
      return sessions.size
    },
  }
}

/**
 * Whose connection makes room when all are taken (RFC 7766 §6.2.3): or a few hundred that ask nothing would lock everybody out. Never a
 * secondary's, which has to learn of changes while we are under attack, too.
 */
function idlestOf(sessions: Iterable<Session>, isSecondary: (address: IpAddress) => boolean): Session | undefined {
  let idlest: Session | undefined
  for (const session of sessions)
    if ((!idlest || session.activeMs < idlest.activeMs) && !isSecondary(session.address)) idlest = session
  return idlest
}

function bind(at: NameServer, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, accept)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: at.address, port: at.port, ipv6Only: isIpv6(at.address), exclusive: true }, () => {
      server.removeListener('error', reject)
      // Out of file descriptors, say: those that have one are served.
      server.on('error', () => undefined)
      resolve(server)
    })
  })
}

interface SessionDeps extends TcpServerDeps {
  readonly out: Buffer
  readonly idleMsOf: (address: IpAddress) => number
  readonly pace: TcpPace
  readonly atTurnEnd: AtTurnEnd
}

class Session {
  readonly #socket: Socket
  readonly address: IpAddress
  /** When there was a whole question last, or its reader took something of a zone; monotonic. */
  activeMs = 0
  readonly #deps: SessionDeps
  readonly #idle: Deadline
  /** What came and is not answered. */
  #input: Buffer = Buffer.alloc(0)
  #transfer: Iterator<Buffer, void> | undefined
  #refused = 0
  /** For its turn, or for its pace. */
  #isWaiting = false
  #hasEnded = false

  constructor(socket: Socket, address: IpAddress, deps: SessionDeps) {
    this.#socket = socket
    this.address = address
    this.#deps = deps
    this.#idle = new Deadline(deps.clock, () => this.end())
    this.#stirred()
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('drain', () => this.#pump())
    socket.on('error', () => this.end())
    socket.on('close', () => this.end())
  }

  end(): void {
    this.#hasEnded = true
    this.#idle.end()
    this.#input = Buffer.alloc(0)
    this.#transfer = undefined
    this.#socket.destroy()
  }

  #stirred(): void {
    this.activeMs = this.#deps.clock.monotonicMs()
    this.hurry()
  }

  /** Lets it end when it will have been idle for as long as it may be now. */
  hurry(): void {
    this.#idle.armAt(this.activeMs + this.#deps.idleMsOf(this.address))
  }

  #take(chunk: Buffer): void {
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk])
    this.#pump()
  }

  /** Answers what is there, until nothing is, the reader is behind, or others have their turn. */
  #pump(): void {
    if (this.#isWaiting) return
    for (let count = 0; !this.#hasEnded; count++) {
      if (count === mostInTurn) {
        this.#wait(this.#deps.atTurnEnd)
        return
      }
      if (this.#socket.writableLength >= mostWaitingBytes) {
        this.#socket.pause()
        return
      }
      if (this.#transfer) this.#sendNext(this.#transfer)
      else if (!this.#answerNext()) break
    }
    if (!this.#hasEnded && !this.#isWaiting && this.#socket.isPaused()) this.#socket.resume()
  }

  /** Reads and answers nothing until then. */
  #wait(until: (run: () => void) => void): void {
    this.#isWaiting = true
    this.#socket.pause()
    until(() => {
      this.#isWaiting = false
      this.#pump()
    })
  }

  #sendNext(transfer: Iterator<Buffer, void>): void {
    const next = transfer.next()
    if (next.done) this.#transfer = undefined
    else this.#send(next.value)
    // A reader that keeps up may take as long as the zone is.
    this.#stirred()
  }

  /** @returns whether there was a whole question, and its time has come */
  #answerNext(): boolean {
    const input = this.#input
    if (input.length < 2) return false
    const length = input.readUInt16BE(0)
    if (length > mostQueryBytes) {
      this.end()
      return false
    }
    if (input.length < 2 + length) {
      // Not a view of the chunk that it came in: that one may be 64 KiB.
      if (input.length < input.buffer.byteLength / 2) this.#input = Buffer.from(input)
      return false
    }
    if (!this.#deps.pace.take(this.address)) {
      this.#wait(this.#deps.pace.whenThere)
      return false
    }
    const query = input.subarray(2, 2 + length)
    this.#input = input.subarray(2 + length)
    // RFC 7766 §6.2.3: only whole messages count, so that octet by octet nobody stays for ever.
    this.#stirred()
    const transfer = this.#deps.transfers.begin(query, this.address)
    if (transfer?.isRefused && ++this.#refused > mostRefused) {
      this.end()
      return false
    }
    this.#transfer = transfer?.messages
    if (this.#transfer) return true
    const { answerer, out } = this.#deps
    const size = answerer.overTcp(query, this.address, out)
    // What has no answer is no query; who sends such things needs no connection.
    if (size === 0) this.end()
    else this.#send(out.subarray(0, size))
    return true
  }

  /** RFC 7766 §8: length and message in one write. */
  #send(message: Buffer): void {
    const framed = Buffer.allocUnsafe(2 + message.length)
    framed.writeUInt16BE(message.length)
    message.copy(framed, 2)
    this.#socket.write(framed)
  }
}
