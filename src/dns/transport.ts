/**
 * One question to one name server: over UDP, and over TCP where the answer was truncated; with EDNS, and without it to servers that do not
 * know it. What comes back is decoded and answers this very question. Used by the resolver.
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { Random } from '../base/random.ts'
import { decodeMessage, type Edns, encodeMessage, type Message, query } from './message.ts'
import { type NameServer, nameServerText } from './servers.ts'
import { askOverTcp } from './tcp.ts'
import { rcodes } from './types.ts'
import { sameQuestion, UdpClient } from './udp.ts'
import type { WireName } from './wire-name.ts'

export type Exchanged =
  | { readonly kind: 'response'; readonly message: Message; readonly bytes: number }
  /** `why` for logs: words of ours, numbers and system codes. */
  | { readonly kind: 'timeout' | 'unreachable' | 'malformed'; readonly why: string }

export interface Transport {
  /** @param timeoutMs  for UDP, and once more for TCP */
  exchange(server: NameServer, name: WireName, type: number, timeoutMs: number): Promise<Exchanged>
  close(): void
}

export interface TransportDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
}

interface Tools extends TransportDeps {
  /** What closes each TCP connection in use. */
  readonly openTcp: Set<() => void>
}

/** What DNS Flag Day 2020 settled on: it fits into one packet nearly everywhere, so nothing is fragmented. */
const edns: Edns = { udpBytes: 1232, version: 0, dnssecOk: false, options: [] }

/** How long a server that did not understand EDNS is asked without. */
const plainForMs = 600_000

export function createTransport(deps: TransportDeps): Transport {
  const clients = new Map<string, UdpClient>()
  const plainUntilMs = new Map<string, number>()
  const openTcp = new Set<() => void>()
  const tools: Tools = { ...deps, openTcp }
  let isClosed = false

  const clientFor = (server: NameServer, key: string): UdpClient => {
    const known = clients.get(key)
    if (known) return known
    const client = new UdpClient(server, deps)
    clients.set(key, client)
    return client
  }

  return {
    async exchange(server, name, type, timeoutMs) {
      if (isClosed) return { kind: 'unreachable', why: 'closed' }
      const key = nameServerText(server)
      const isPlain = (plainUntilMs.get(key) ?? 0) > deps.clock.monotonicMs()
      const client = clientFor(server, key)
      const first = await once(server, client, name, type, isPlain ? undefined : edns, timeoutMs, tools)
      if (isPlain || !misunderstandsEdns(first)) return first
      // RFC 6891 §6.2.2, §7: asked again without, and remembered.
      plainUntilMs.set(key, deps.clock.monotonicMs() + plainForMs)
      return once(server, client, name, type, undefined, timeoutMs, tools)
    },
    close() {
      isClosed = true
      for (const close of openTcp) close()
      for (const client of clients.values()) client.close()
      clients.clear()
    },
  }
}

function misunderstandsEdns(exchanged: Exchanged): boolean {
  if (exchanged.kind !== 'response') return false
  const { rcode, edns: theirs } = exchanged.message
  // RFC 6891 §7: who answers with OPT has understood it, and complains of something else.
  return rcode === rcodes.badVers || (!theirs && (rcode === rcodes.formErr || rcode === rcodes.notImp))
}

async function once(
  server: NameServer,
  client: UdpClient,
  name: WireName,
  type: number,
  withEdns: Edns | undefined,
  timeoutMs: number,
  tools: Tools,
): Promise<Exchanged> {
  const bytes = encodeMessage(query(name, type, 0, withEdns))
  const questionEnd = 12 + name.length + 4
  const udp = await client.ask(bytes, questionEnd, timeoutMs)
  if (udp.kind === 'timeout') return { kind: 'timeout', why: 'no answer over UDP' }
  if (udp.kind === 'unreachable') return { kind: 'unreachable', why: `UDP: ${udp.code}` }
  // RFC 2181 §9: what a truncated answer holds is not used, so it need not even be readable.
  if (!isTruncated(udp.bytes)) return decoded(udp.bytes)

  bytes.set(tools.random.bytes(2), 0)
  const tcp = await askOverTcp(server, bytes, timeoutMs, tools.openTcp, tools)
  if (tcp.kind === 'timeout') return { kind: 'timeout', why: 'no answer over TCP' }
  if (tcp.kind === 'unreachable') return { kind: 'unreachable', why: `TCP: ${tcp.code}` }
  if (!answersTcp(tcp.bytes, bytes, questionEnd)) return { kind: 'malformed', why: 'TCP: an answer to something else' }
  return isTruncated(tcp.bytes) ? { kind: 'malformed', why: 'truncated over TCP' } : decoded(tcp.bytes)
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
  return { kind: 'response', message: result.message, bytes: bytes.length }
}
