/**
 * One message to one name server and what comes back, with every flag in the asker's hand. Below the views of the resolver and the questions
 * to authoritative servers; shared by all domains of a run, so that a server is asked no faster than is polite.
 */
import { type Clock, within } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { createQueueByKey, type QueueByKey } from '../../base/queue-by-key.ts'
import type { Random } from '../../base/random.ts'
import { decodeMessage, type Edns, encodeMessage, type Message, query } from '../../dns/message.ts'
import { type NameServer, nameServerText } from '../../dns/servers.ts'
import { askOverTcp } from '../../dns/tcp.ts'
import { sameQuestion, UdpClient } from '../../dns/udp.ts'
import type { WireName } from '../../dns/wire-name.ts'

export interface Question {
  readonly name: WireName
  readonly type: number
  readonly over: 'udp' | 'tcp'
  readonly edns: boolean
  readonly recursion: boolean
  readonly checkingDisabled: boolean
}

export type Exchanged =
  | { readonly kind: 'response'; readonly message: Message; readonly bytes: number; readonly tookMs: number }
  | { readonly kind: 'timeout'; readonly tookMs: number }
  /** Its turn at this server would have come too late. */
  | { readonly kind: 'unsent'; readonly tookMs: number }
  /** `why`: words of ours and codes. */
  | { readonly kind: 'unreachable' | 'malformed'; readonly why: string; readonly tookMs: number }

export interface Exchange {
  /** @param pace  what this server is asked at most, with when it is too late; undefined: as fast as it answers */
  ask(server: NameServer, question: Question, timeoutMs: number, pace?: Pace): Promise<Exchanged>
  close(): void
}

export interface Pace {
  readonly perSecond: number
  readonly untilMs: number
}

export interface ExchangeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
}

/** DO, so that signatures come along (RFC 4035 §3.2.1); the size is that of DNS Flag Day 2020. */
const edns: Edns = { udpBytes: 1232, version: 0, dnssecOk: true, options: [] }

/** Servers whose sockets are kept though nobody asks them now. */
const mostIdleClients = 200
/** Questions to authoritative servers over UDP on their way at once: each holds a socket at most. The resolver's share a few. */
const mostUdpAtOnce = 500
/** Sockets that the questions to one authoritative server share; it is asked no more than some a second. */
const socketsAServer = 2
/** Connections to name servers at once, for a whole run: whoever answers everything with TC gets no more (RFC 7766 §6.2.2). */
const mostTcpAtOnce = 32

export function createExchange(deps: ExchangeDeps): Exchange {
  const clients = new Map<string, { readonly client: UdpClient; inUse: number }>()
  const openTcp = new Set<() => void>()
  const turns = createTurnKeeper(deps.clock)
  const udpTurns = createQueueByKey(mostUdpAtOnce)
  const tcpTurns = createQueueByKey(mostTcpAtOnce)

  const overUdp = async (
    server: NameServer,
    bytes: Buffer,
    questionEnd: number,
    timeoutMs: number,
    isPaced: boolean,
  ) => {
    const key = nameServerText(server)
    const sockets = isPaced ? socketsAServer : undefined
    const kept = clients.get(key) ?? { client: new UdpClient(server, deps, sockets), inUse: 0 }
    clients.set(key, kept)
    kept.inUse++
    try {
      return await kept.client.ask(bytes, questionEnd, timeoutMs)
    } finally {
      kept.inUse--
      for (const [other, { client, inUse }] of clients) {
        if (clients.size <= mostIdleClients) break
        if (inUse > 0) continue
        clients.delete(other)
        client.close()
      }
    }
  }

  /** Work in its turn; undefined where that does not come in time, for then nothing is sent. */
  const inTurn = async <T>(
    take: QueueByKey,
    untilMs: number,
    work: (leftMs: number) => Promise<T>,
  ): Promise<T | undefined> => {
    let isBegun = false
    let begin: (begun: true) => void = () => {}
    const begun = new Promise<true>((resolve) => {
      begin = resolve
    })
    const turn = take('', async () => {
      isBegun = true
      begin(true)
      const leftMs = untilMs - deps.clock.monotonicMs()
      return leftMs > 0 ? work(leftMs) : undefined
    })
    return isBegun || (await within(begun, untilMs, deps.clock)) ? turn : undefined
  }

  return {
    async ask(server, question, timeoutMs, pace) {
      if (pace && !(await turns(server.address, pace))) return { kind: 'unsent', tookMs: 0 }
      const startMs = deps.clock.monotonicMs()
      const took = () => deps.clock.monotonicMs() - startMs
      const bytes = encodeMessage(queryFor(question))
      const questionEnd = 12 + question.name.length + 4
      const untilMs = Math.max(pace?.untilMs ?? 0, startMs + timeoutMs)
      if (question.over === 'udp') {
        const askUdp = (leftMs = timeoutMs) =>
          overUdp(server, bytes, questionEnd, Math.min(timeoutMs, leftMs), pace !== undefined)
        const outcome = pace ? await inTurn(udpTurns, untilMs, askUdp) : await askUdp()
        if (!outcome) return { kind: 'unsent', tookMs: took() }
        if (outcome.kind === 'timeout') return { kind: 'timeout', tookMs: took() }
        if (outcome.kind === 'unreachable') return { kind: 'unreachable', why: `UDP: ${outcome.code}`, tookMs: took() }
        return decoded(outcome.bytes, took())
      }
      bytes.set(deps.random.bytes(2), 0)
      const askTcp = (leftMs: number) => askOverTcp(server, bytes, Math.min(timeoutMs, leftMs), openTcp, deps)
      const outcome = await inTurn(tcpTurns, untilMs, askTcp)
      if (!outcome) return { kind: 'unsent', tookMs: took() }
      if (outcome.kind === 'timeout') return { kind: 'timeout', tookMs: took() }
      if (outcome.kind === 'unreachable') return { kind: 'unreachable', why: `TCP: ${outcome.code}`, tookMs: took() }
      if (!answersThis(outcome.bytes, bytes, questionEnd))
        return { kind: 'malformed', why: 'TCP: an answer to something else', tookMs: took() }
      return decoded(outcome.bytes, took())
    },
    close() {
      for (const close of openTcp) close()
      for (const { client } of clients.values()) client.close()
      clients.clear()
    },
  }
}

function queryFor({ name, type, edns: withEdns, recursion, checkingDisabled }: Question): Message {
  const asked = query(name, type, 0, withEdns ? edns : undefined)
  // RFC 6840 §5.7: AD in a query to a recursive server asks for AD; an authoritative one has nothing to say about it.
  return { ...asked, recursionDesired: recursion, authenticData: recursion, checkingDisabled }
}

function answersThis(bytes: Buffer, asked: Buffer, questionEnd: number): boolean {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== asked.readUInt16BE(0)) return false
  return ((bytes[2] ?? 0) & 0x80) !== 0 && (bytes.readUInt16BE(4) === 0 || sameQuestion(bytes, asked, questionEnd))
}

function decoded(bytes: Buffer, tookMs: number): Exchanged {
  // RFC 2181 §9: what stands in a truncated message is not used, so its head is enough.
  const isTruncated = ((bytes[2] ?? 0) & 2) !== 0
  const result = decodeMessage(bytes)
  if (result.kind === 'message') return { kind: 'response', message: result.message, bytes: bytes.length, tookMs }
  const head = isTruncated ? decodeMessage(headOf(bytes)) : result
  if (head.kind === 'message') return { kind: 'response', message: head.message, bytes: bytes.length, tookMs }
  return { kind: 'malformed', why: head.why, tookMs }
}

/** The header alone, with nothing behind it. */
function headOf(bytes: Buffer): Buffer {
  const head = Buffer.alloc(12)
  bytes.copy(head, 0, 0, 4)
  return head
}

/** At most so many a second to one address, with a second's worth at once. Who is too early waits; false: for too long. */
function createTurnKeeper(clock: Clock): (address: string, pace: Pace) => Promise<boolean> {
  const nextMs = new Map<string, number>()
  return async (address, { perSecond, untilMs }) => {
    const nowMs = clock.monotonicMs()
    const due = Math.max(nextMs.get(address) ?? 0, nowMs - 1000)
    if (due > untilMs) return false
    if (nextMs.size > 10_000) for (const [key, at] of nextMs) if (at <= nowMs) nextMs.delete(key)
    nextMs.set(address, due + 1000 / perSecond)
    if (due > nowMs) await new Promise<void>((resolve) => clock.after(due - nowMs, resolve))
    return true
  }
}
