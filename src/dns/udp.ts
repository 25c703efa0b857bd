/**
 * Queries over UDP to one name server. Used by `transport.ts`.
 *
 * Each query has a random id and goes out through a socket whose port the system chose at random. A socket for every query
 * costs three times the query itself, and one socket for all would let an attacker look for its port at leisure; so a few sockets share the
 * work at random, and each is given up after a number of queries or some seconds, or as soon as it gets answers that nobody asked for
 * (RFC 5452 §9.2, §9.3). Sockets are connected, so the system itself drops what other addresses send, and tells at once when nobody listens.
 */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import type { Clock, Timer } from '../base/clock.ts'
import { isIpv6 } from '../base/ip.ts'
import type { Random } from '../base/random.ts'
import type { NameServer } from './servers.ts'

export type UdpOutcome =
  | { readonly kind: 'datagram'; readonly bytes: Buffer }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable'; readonly code: string }

const defaultSockets = 6
const queriesASocket = 400
const lifeMs = 10_000
/** Answers that match nothing: so many happen with late answers; more is somebody who guesses. */
const strangersAtMost = 20

interface Waiting {
  readonly query: Buffer
  readonly questionEnd: number
  readonly settle: (outcome: UdpOutcome) => void
  readonly timer: Timer
}

interface Lane {
  readonly socket: Socket
  readonly waiting: Map<number, Waiting>
  readonly bornMs: number
  /** Queries that wait for the socket to be bound and connected. */
  unsent: Buffer[] | undefined
  served: number
  strangers: number
}

export class UdpClient {
  readonly #server: NameServer
  readonly #clock: Clock
  readonly #random: Random
  readonly #nextId: (taken: TakenIds) => number
  /** In use. */
  readonly #lanes: Lane[] = []
  /** Given up, and kept until their last query is answered. */
  readonly #retired = new Set<Lane>()

  readonly #socketsAtMost: number

  /** @param socketsAtMost  in use at once; those given up live on until their last query is answered */
  constructor(
    server: NameServer,
    deps: { readonly clock: Clock; readonly random: Random },
    socketsAtMost: number = defaultSockets,
  ) {
    this.#server = server
    this.#socketsAtMost = socketsAtMost
    this.#clock = deps.clock
    this.#random = deps.random
    this.#nextId = randomIds(deps.random)
  }

  /**
   * Sends a query, its id chosen here, and waits for the answer with that id and the same question.
   * @param query  header and one question, perhaps OPT; its first two octets are overwritten
   * @param questionEnd  where the question ends
   */
  ask(query: Buffer, questionEnd: number, timeoutMs: number): Promise<UdpOutcome> {
    return new Promise((resolve) => {
      const lane = this.#choose()
      const id = this.#nextId(lane.waiting)
      query.writeUInt16BE(id, 0)
      lane.served++
      if (lane.waiting.size === 0) lane.socket.ref()
      const timer = this.#clock.after(timeoutMs, () => this.#settle(lane, id, { kind: 'timeout' }))
      lane.waiting.set(id, { query, questionEnd, settle: resolve, timer })
      if (lane.unsent) lane.unsent.push(query)
      else lane.socket.send(query)
    })
  }

  /** Ends what waits as unreachable. */
  close(): void {
    for (const lane of [...this.#lanes, ...this.#retired]) this.#fail(lane, 'closed')
  }

  #choose(): Lane {
    const lane = this.#lanes[Math.floor(this.#random.number() * this.#socketsAtMost)]
    if (!lane) return this.#open()
    const isWorn = lane.served >= queriesASocket || this.#clock.monotonicMs() - lane.bornMs > lifeMs
    if (!isWorn) return lane
    this.#retire(lane)
    return this.#open()
  }

  #open(): Lane {
    const isV6 = isIpv6(this.#server.address)
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', lookup: noLookup })
    const bornMs = this.#clock.monotonicMs()
    const lane: Lane = { socket, waiting: new Map(), bornMs, unsent: [], served: 0, strangers: 0 }
    socket.on('message', (bytes) => this.#receive(lane, bytes))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(lane, error.code ?? 'unknown'))
    // Without a callback, a failure to bind or to connect is an 'error' like any other.
    socket.on('connect', () => {
      const unsent = lane.unsent ?? []
      lane.unsent = undefined
      for (const query of unsent) socket.send(query)
    })
    socket.connect(this.#server.port, this.#server.address)
    this.#lanes.push(lane)
    return lane
  }

  #receive(lane: Lane, bytes: Buffer): void {
    const id = bytes.length >= 12 ? bytes.readUInt16BE(0) : -1
    const waiting = lane.waiting.get(id)
    if (waiting && answers(bytes, waiting)) this.#settle(lane, id, { kind: 'datagram', bytes })
    else if (++lane.strangers === strangersAtMost) this.#retire(lane)
  }

  #settle(lane: Lane, id: number, outcome: UdpOutcome): void {
    const waiting = lane.waiting.get(id)
    if (!waiting) return
    lane.waiting.delete(id)
    waiting.timer.cancel()
    waiting.settle(outcome)
    if (lane.waiting.size > 0) return
    if (this.#retired.delete(lane)) closeLane(lane)
    else lane.socket.unref() // An idle socket does not keep the process alive.
  }

  /** A port that nobody listens on is told once a query, so the socket is given up with all of them. */
  #fail(lane: Lane, code: string): void {
    this.#retire(lane)
    for (const id of [...lane.waiting.keys()]) this.#settle(lane, id, { kind: 'unreachable', code })
  }

  #retire(lane: Lane): void {
    const index = this.#lanes.indexOf(lane)
    if (index < 0) return
    this.#lanes.splice(index, 1)
    if (lane.waiting.size === 0) closeLane(lane)
    else this.#retired.add(lane)
  }
}

function closeLane(lane: Lane): void {
  if (lane.unsent) lane.unsent = []
  lane.socket.close()
}

/** Addresses need no look-up; the one that Node would do for each socket goes through a thread. */
const noLookup: SocketOptions['lookup'] = (host, _options, found) => found(null, host, host.includes(':') ? 6 : 4)

export interface TakenIds {
  has(id: number): boolean
}

/** Ids from the cryptographic source, many at a time because each call costs. */
export function randomIds(random: Random): (taken: TakenIds) => number {
  let pool: Buffer = Buffer.alloc(0)
  let at = 0
  return (taken) => {
    for (;;) {
      if (at >= pool.length) {
        pool = random.bytes(512)
        at = 0
      }
      const id = pool.readUInt16BE(at)
      at += 2
      if (!taken.has(id)) return id
    }
  }
}

/** Whether this is a response to that query: QR, opcode and the question, its case aside (RFC 5452 §9.1). */
export function answers(
  bytes: Buffer,
  { query, questionEnd }: { readonly query: Buffer; readonly questionEnd: number },
): boolean {
  const flags = bytes.readUInt16BE(2)
  if ((flags & 0xf800) !== 0x8000) return false
  const questions = bytes.readUInt16BE(4)
  // A server that does not read the query at all may answer with its header alone (FORMERR, NOTIMP).
  if (questions === 0) return [1, 4].includes(flags & 15) && bytes.readUInt16BE(6) === 0
  return questions === 1 && sameQuestion(bytes, query, questionEnd)
}

/** Also used for answers over TCP. */
export function sameQuestion(bytes: Buffer, query: Buffer, questionEnd: number): boolean {
  if (bytes.length < questionEnd) return false
  for (let at = 12; at < questionEnd; at++) {
    // Type and class stand in the last four octets and have no case; neither have the lengths of labels.
    if (lower(bytes[at] ?? 0, at, questionEnd) !== lower(query[at] ?? 0, at, questionEnd)) return false
  }
  return true
}

const lower = (octet: number, at: number, end: number) =>
  octet >= 0x41 && octet <= 0x5a && at < end - 4 ? octet | 0x20 : octet
