/**
 * One question asked to the end: server after server, round after round, alias after alias, within one deadline. Called by `resolver.ts`,
 * which remembers what comes of it.
 */
import type { Clock } from '../base/clock.ts'
import type { DnsRecord } from './message.ts'
import type { RdataOf } from './rdata.ts'
import { type Failure, type FailureReason, type Reading, readAnswer } from './read-answer.ts'
import type { Resolution } from './resolver.ts'
import type { ResolverOptions } from './resolver-options.ts'
import type { ServerChoice } from './server-choice.ts'
import { isOnThisMachine, type NameServer, nameServerText } from './servers.ts'
import type { Exchanged, Transport } from './transport.ts'
import { type RecordType, typeCodes } from './types.ts'
import { foldName, type WireName } from './wire-name.ts'

export interface Asked {
  readonly resolution: Resolution
  /** Octets of the messages that it came in: what keeping it costs. */
  readonly bytes: number
}

/** Questions on their way at once; more wait their turn. Each holds an id of a socket, or a connection. */
const questionsAtOnce = 2_000

type Said = Exclude<Reading, Failure>

interface Heard {
  readonly kind: 'heard'
  readonly reading: Said
  readonly bytes: number
  readonly isSecure: boolean
  readonly server: NameServer
}

type Finished = Heard & { readonly reading: Said & { readonly kind: Exclude<Said['kind'], 'unfinished'> } }

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

  /** Resolves within `deadlineMs`. Lists ask a hundred thousand times, so there is no wait but for what is not there yet. */
  async ask(name: WireName, type: RecordType): Promise<Asked> {
    const untilMs = this.#clock.monotonicMs() + this.#options.deadlineMs
    const turn = this.#turn.enter()
    if (turn) await turn
    try {
      const query = { name, type, untilMs, seen: nothingSeen }
      const heard = await this.#askServers(query)
      if (heard.kind === 'failed') return { resolution: heard, bytes: 0 }
      return isFinished(heard) ? this.#asked(query, heard) : await this.#followAliases(query, heard)
    } finally {
      this.#turn.leave()
    }
  }

  /** @param first  leads to a name of which it says nothing */
  async #followAliases(query: Query, first: Heard): Promise<Asked> {
    const { name } = query
    // Folded names of the aliases that led to where the next question begins.
    const seen = new Set<string>()
    const aliases = [...first.reading.aliases]
    let { isSecure, bytes } = first
    let { ttlSeconds } = first.reading
    let at = name
    let last = first
    while (!isFinished(last)) {
      // The last one is where the next question begins, so it has not been passed yet.
      for (const passed of [at, ...last.reading.aliases].slice(0, -1)) seen.add(foldName(passed))
      at = aliases.at(-1) ?? name
      const heard = await this.#askServers({ ...query, name: at, seen })
      if (heard.kind === 'failed') return { resolution: heard, bytes: 0 }
      aliases.push(...heard.reading.aliases)
      isSecure &&= heard.isSecure
      bytes += heard.bytes
      ttlSeconds = Math.min(ttlSeconds, heard.reading.ttlSeconds)
      last = heard
    }
    return this.#asked(query, { ...last, reading: { ...last.reading, aliases, ttlSeconds }, isSecure, bytes })
  }

  #asked({ name }: Query, { reading, isSecure, bytes, server }: Finished): Asked {
    const { aliases, kind } = reading
    const isAnswer = kind === 'answer'
    const mostSeconds = isAnswer ? this.#options.maxTtlSeconds : this.#options.maxNegativeTtlSeconds
    const known = {
      ttlSeconds: Math.min(reading.ttlSeconds, mostSeconds, this.#options.maxTtlSeconds),
      canonicalName: aliases.at(-1) ?? name,
      aliases,
      authenticated: isSecure,
      stale: false,
      server,
    }
    if (!isAnswer) return { resolution: { kind, ...known }, bytes }
    const records = reading.records as readonly DnsRecord<RdataOf<RecordType>>[]
    return { resolution: { kind, records, ...known }, bytes }
  }

  async #askServers(query: Query): Promise<Heard | Failure> {
    const order = this.#choice.inOrder()
    const servers = 'then' in order ? await order : order
    let said: Map<NameServer, Failure> | undefined
    for (let round = 0; round < this.#options.attempts; round++) {
      for (const server of servers) {
        const before = said?.get(server)
        // A server that said no says it again; silence is worth another try.
        if (before && before.reason !== 'timeout') continue
        const leftMs = query.untilMs - this.#clock.monotonicMs()
        const timeoutMs = Math.min(this.#options.timeoutMs, leftMs)
        const heard =
          leftMs <= 0
            ? failed(server, 'timeout', 'the deadline has passed')
            : this.#read(
                server,
                query,
                await this.#transport.exchange(server, query.name, typeCodes[query.type], timeoutMs),
              )
        if (heard.kind === 'heard') return heard
        said ??= new Map()
        said.set(server, heard)
      }
    }
    const failures = [...(said?.values() ?? [])]
    // What a server said tells more than the silence of another.
    const telling = failures.find(({ reason }) => reason !== 'timeout' && reason !== 'unreachable')
    return telling ?? failures[0] ?? { kind: 'failed', reason: 'unreachable', why: 'there is no name server to ask' }
  }

  #read(server: NameServer, { name, type, seen }: Query, exchanged: Exchanged): Heard | Failure {
    if (exchanged.kind !== 'response') {
      if (exchanged.kind !== 'malformed') this.#choice.silent(server)
      return failed(server, exchanged.kind, exchanged.why)
    }
    this.#choice.answered(server)
    const reading = readAnswer(exchanged.message, name, type, seen)
    if (reading.kind === 'failed') return failed(server, reading.reason, reading.why)
    // RFC 4035 §4.9.3: AD is worth what the way to the server is worth.
    const isSecure = exchanged.message.authenticData && isOnThisMachine(server)
    return { kind: 'heard', reading, bytes: exchanged.bytes, isSecure, server }
  }
}

const nothingSeen: ReadonlySet<string> = new Set()

const isFinished = (heard: Heard): heard is Finished => heard.reading.kind !== 'unfinished'

const failed = (server: NameServer, reason: FailureReason, why: string): Failure => ({
  kind: 'failed',
  reason,
  why: `${nameServerText(server)}: ${why}`,
})

/** Lets so many in at once; the others wait in order. */
class Turn {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  /** @returns undefined where there is a place at once */
  enter(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Hands the place on. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
