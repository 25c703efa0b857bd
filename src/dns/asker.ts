/**
 * One question asked to the end: server after server, round after round, alias after alias, within one deadline. Called by `resolver.ts`,
 * which remembers what comes of it.
 */
import type { Clock } from '../base/clock.ts'
import type { DnsRecord } from './message.ts'
import type { ResolverOptions } from './options.ts'
import type { RdataOf } from './rdata.ts'
import { type Failure, type FailureReason, type Reading, readAnswer } from './read-answer.ts'
import type { Resolution } from './resolver.ts'
import type { ServerChoice } from './server-choice.ts'
import { isLoopback, type NameServer, nameServerText } from './servers.ts'
import type { Transport } from './transport.ts'
import { type RecordType, typeCodes } from './types.ts'
import { foldName, type WireName } from './wire-name.ts'

export interface Asked {
  readonly resolution: Resolution
  /** Octets of the messages that it came in: what keeping it costs. */
  readonly bytes: number
}

/** Questions on their way at once; more wait their turn. Each holds an id of a socket, or a connection. */
const questionsAtOnce = 2_000

interface Heard {
  readonly kind: 'heard'
  readonly reading: Exclude<Reading, Failure>
  readonly bytes: number
  readonly isSecure: boolean
}

interface Query {
  readonly name: WireName
  readonly type: RecordType
  /** Monotonic. */
  readonly untilMs: number
  /** Folded names of the aliases that led to `name`. */
  readonly seen: ReadonlySet<string>
}

export class Asker {
  readonly #options: ResolverOptions
  readonly #transport: Transport
  readonly #choice: ServerChoice
  readonly #clock: Clock
  readonly #turn = new Turn(questionsAtOnce)

  constructor(options: ResolverOptions, transport: Transport, choice: ServerChoice, clock: Clock) {
    this.#options = options
    this.#transport = transport
    this.#choice = choice
    this.#clock = clock
  }

  /** Resolves within `deadlineMs`. */
  async ask(name: WireName, type: RecordType): Promise<Asked> {
    const untilMs = this.#clock.monotonicMs() + this.#options.deadlineMs
    await this.#turn.enter()
    try {
      return await this.#followAliases(name, type, untilMs)
    } finally {
      this.#turn.leave()
    }
  }

  async #followAliases(name: WireName, type: RecordType, untilMs: number): Promise<Asked> {
    const seen = new Set<string>()
    const aliases: WireName[] = []
    let authenticated = true
    let ttlSeconds = this.#options.maxTtlSeconds
    let bytes = 0
    for (;;) {
      const at = aliases.at(-1) ?? name
      const heard = await this.#askServers({ name: at, type, untilMs, seen })
      if (heard.kind === 'failed') return { resolution: heard, bytes: 0 }
      const { reading } = heard
      // The last one is where the next question begins, so it has not been passed yet.
      for (const passed of [at, ...reading.aliases].slice(0, -1)) seen.add(foldName(passed))
      aliases.push(...reading.aliases)
      authenticated &&= heard.isSecure
      bytes += heard.bytes
      ttlSeconds = Math.min(ttlSeconds, reading.ttlSeconds)
      if (reading.kind === 'unfinished') continue
      const known = { canonicalName: aliases.at(-1) ?? name, aliases, authenticated, stale: false }
      if (reading.kind === 'answer') {
        const records = reading.records as readonly DnsRecord<RdataOf<RecordType>>[]
        return { resolution: { kind: 'answer', records, ttlSeconds, ...known }, bytes }
      }
      ttlSeconds = Math.min(ttlSeconds, this.#options.maxNegativeTtlSeconds)
      return { resolution: { kind: reading.kind, ttlSeconds, ...known }, bytes }
    }
  }

  async #askServers(query: Query): Promise<Heard | Failure> {
    const servers = await this.#choice.inOrder()
    const said = new Map<NameServer, Failure>()
    for (let round = 0; round < this.#options.attempts; round++) {
      for (const server of servers) {
        const before = said.get(server)
        // A server that said no says it again; silence is worth another try.
        if (before && before.reason !== 'timeout') continue
        const heard = await this.#askServer(server, query)
        if (heard.kind === 'heard') return heard
        said.set(server, heard)
      }
    }
    const failures = [...said.values()]
    // What a server said tells more than the silence of another.
    const telling = failures.find(({ reason }) => reason !== 'timeout' && reason !== 'unreachable')
    return telling ?? failures[0] ?? { kind: 'failed', reason: 'unreachable', why: 'there is no name server to ask' }
  }

  async #askServer(server: NameServer, { name, type, untilMs, seen }: Query): Promise<Heard | Failure> {
    const failed = (reason: FailureReason, why: string): Failure => ({
      kind: 'failed',
      reason,
      why: `${nameServerText(server)}: ${why}`,
    })
    const leftMs = untilMs - this.#clock.monotonicMs()
    if (leftMs <= 0) return failed('timeout', 'the deadline has passed')
    const timeoutMs = Math.min(this.#options.timeoutMs, leftMs)
    const exchanged = await this.#transport.exchange(server, name, typeCodes[type], timeoutMs)
    if (exchanged.kind !== 'response') {
      if (exchanged.kind !== 'malformed') this.#choice.silent(server)
      return failed(exchanged.kind, exchanged.why)
    }
    this.#choice.answered(server)
    const reading = readAnswer(exchanged.message, name, type, seen)
    if (reading.kind === 'failed') return failed(reading.reason, reading.why)
    // RFC 4035 §4.9.3: AD is worth what the way to the server is worth.
    const isSecure = exchanged.message.authenticData && isLoopback(server)
    return { kind: 'heard', reading, bytes: exchanged.bytes, isSecure }
  }
}

/** Lets so many in at once; the others wait in order. */
class Turn {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  async enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Hands the place on. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
