/**
 * One question to one name server: over UDP, and over TCP where the answer was truncated; with EDNS, and without it to servers that do not
 * know it. What comes back is decoded and answers this very question. Used by the resolver, and by all who ask one server.
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { Random } from '../base/random.ts'
import { decodeMessage, type Edns, encodeQuery, type Message, refusesEdns } from './message.ts'
import { type NameServer, nameServerText } from './servers.ts'
import { askOverTcp } from './tcp.ts'
import { TcpPipeline } from './tcp-pipeline.ts'
import { sameQuestion, UdpClient } from './udp.ts'
import type { WireName } from './wire-name.ts'

export type Exchanged =
  | { readonly kind: 'response'; readonly message: Message }
  /** `why` for logs: words of ours, numbers and system codes. */
  | { readonly kind: 'timeout' | 'unreachable' | 'malformed'; readonly why: string }

export interface Transport {
  /** @param timeoutMs  for UDP, and once more for TCP */
  exchange(server: NameServer, name: WireName, type: number, timeoutMs: number): Promise<Exchanged>
  close(): void
}

/** The same without a promise, for lists that are asked a hundred thousand times. */
export interface Sender {
  /** @param settle  called once, perhaps at once */
  send(
    server: NameServer,
    name: WireName,
    type: number,
    timeoutMs: number,
    settle: (exchanged: Exchanged) => void,
  ): void
}

export interface TransportDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
  /** Asks over one TCP connection, many questions on their way at once, and over UDP where the server will not have that. */
  readonly pipelines?: boolean
}

interface Tools extends TransportDeps {
  /** What closes each TCP connection in use. */
  readonly openTcp: Set<() => void>
}

/** What DNS Flag Day 2020 settled on: it fits into one packet nearly everywhere, so nothing is fragmented. */
const edns: Edns = { udpBytes: 1232, version: 0, dnssecOk: false, options: [] }

/** How long a server that did not understand EDNS is asked without. */
const plainForMs = 600_000

interface EncodedQuery {
  readonly bytes: Buffer
  readonly questionEnd: number
}

const encoded = (name: WireName, type: number, withEdns: Edns | undefined): EncodedQuery => ({
  bytes: encodeQuery(name, type, withEdns),
  questionEnd: 12 + name.length + 4,
})

/** One server, and what asks it. */
interface Way {
  readonly server: NameServer
  readonly udp: UdpClient
  readonly pipeline: TcpPipeline | undefined
  /** Until then it is asked without EDNS. */
  plainUntilMs: number
}

export function createTransport(deps: TransportDeps): Transport & Sender {
  const ways = new Map<string, Way>()
  // The same by the object, which is the same from one question to the next.
  let byObject = new WeakMap<NameServer, Way>()
  const openTcp = new Set<() => void>()
  const tools: Tools = { ...deps, openTcp }
  let isClosed = false

  const wayTo = (server: NameServer): Way => {
    const known = byObject.get(server)
    if (known) return known
    const key = nameServerText(server)
    const pipeline = () => (deps.pipelines ? new TcpPipeline(server, deps) : undefined)
    const way = ways.get(key) ?? { server, udp: new UdpClient(server, deps), pipeline: pipeline(), plainUntilMs: 0 }
    ways.set(key, way)
    byObject.set(server, way)
    return way
  }

  const send: Sender['send'] = (server, name, type, timeoutMs, settle) => {
    if (isClosed) return settle({ kind: 'unreachable', why: 'closed' })
    const way = wayTo(server)
    const isPlain = way.plainUntilMs > 0 && way.plainUntilMs > deps.clock.monotonicMs()
    once(way, encoded(name, type, isPlain ? undefined : edns), timeoutMs, tools, (first) => {
      if (isPlain || first.kind !== 'response' || !refusesEdns(first.message)) return settle(first)
      // RFC 6891 §6.2.2, §7: asked again without, and remembered.
      way.plainUntilMs = deps.clock.monotonicMs() + plainForMs
      once(way, encoded(name, type, undefined), timeoutMs, tools, settle)
    })
  }

  return {
    send,
    exchange: (server, name, type, timeoutMs) => new Promise((resolve) => send(server, name, type, timeoutMs, resolve)),
    close() {
      isClosed = true
      for (const close of openTcp) close()
      for (const { udp, pipeline } of ways.values()) {
        udp.close()
        pipeline?.close()
      }
      ways.clear()
      byObject = new WeakMap()
    },
  }
}

/** Without promises: it is asked a hundred thousand times, and each layer of them costs as much as decoding the answer. */
function once(
  way: Way,
  query: EncodedQuery,
  timeoutMs: number,
  tools: Tools,
  settle: (exchanged: Exchanged) => void,
): void {
  const { pipeline } = way
  if (!pipeline?.isUsable) return void overUdp(way, query, timeoutMs, tools).then(settle)
  pipeline.ask(query.bytes, query.questionEnd, timeoutMs, (outcome) => {
    if (outcome.kind === 'unusable') void overUdp(way, query, timeoutMs, tools).then(settle)
    else if (outcome.kind === 'timeout') settle({ kind: 'timeout', why: 'no answer over TCP' })
    else settle(isTruncated(outcome.bytes) ? truncatedOverTcp : decoded(outcome.bytes))
  })
}

const truncatedOverTcp = { kind: 'malformed', why: 'truncated over TCP' } as const

async function overUdp(
  { server, udp: client }: Way,
  query: EncodedQuery,
  timeoutMs: number,
  tools: Tools,
): Promise<Exchanged> {
  const udp = await client.ask(query.bytes, query.questionEnd, timeoutMs)
  if (udp.kind === 'timeout') return { kind: 'timeout', why: 'no answer over UDP' }
  if (udp.kind === 'unreachable') return { kind: 'unreachable', why: `UDP: ${udp.code}` }
  // RFC 2181 §9: what a truncated answer holds is not used, so it need not even be readable.
  if (!isTruncated(udp.bytes)) return decoded(udp.bytes)

  const { bytes, questionEnd } = query
  bytes.set(tools.random.bytes(2), 0)
  const tcp = await askOverTcp(server, bytes, timeoutMs, tools.openTcp, tools)
  if (tcp.kind === 'timeout') return { kind: 'timeout', why: 'no answer over TCP' }
  if (tcp.kind === 'unreachable') return { kind: 'unreachable', why: `TCP: ${tcp.code}` }
  if (!answersTcp(tcp.bytes, bytes, questionEnd)) return { kind: 'malformed', why: 'TCP: an answer to something else' }
  return isTruncated(tcp.bytes) ? truncatedOverTcp : decoded(tcp.bytes)
}

const isTruncated = (bytes: Buffer) => ((bytes[2] ?? 0) & 2) !== 0

/** A response (QR) with our id and our question. */
function answersTcp(bytes: Buffer, asked: Buffer, questionEnd: number): boolean {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== asked.readUInt16BE(0)) return false
  return ((bytes[2] ?? 0) & 0x80) !== 0 && sameQuestion(bytes, asked, questionEnd)
}

function decoded(bytes: Buffer): Exchanged {
  const result = decodeMessage(bytes)
  if (result.kind === 'malformed') return { kind: 'malformed', why: result.why }
  return { kind: 'response', message: result.message }
}
