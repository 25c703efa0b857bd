/**
 * One question asked to the end: server after server, round after round, alias after alias, within one deadline. Called by `resolver.ts`,
 * which remembers what comes of it.
 */
import type { Clock } from '../base/clock.ts'
import type { DnsRecord } from './message.ts'
import type { RdataOf } from './rdata.ts'
import { type Failure, type FailureReason, type Reading, readAnswer } from './read-answer.ts'
import type { Resolution } from './resolution.ts'
import type { ResolverOptions } from './resolver-options.ts'
import type { ServerChoice } from './server-choice.ts'
import { isOnThisMachine, type NameServer, nameServerText } from './servers.ts'
import type { Exchanged, Sender } from './transport.ts'
import { type RecordType, typeCodes } from './types.ts'
import { foldName, type WireName } from './wire-name.ts'

/** Questions on their way at once; more wait their turn. Each holds an id of a socket, or a connection. */
const questionsAtOnce = 2_000

type Said = Exclude<Reading, Failure>

interface Heard {
  readonly kind: 'heard'
  readonly reading: Said
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

/** One round of questions after another, and where it has come to. */
interface Course {
  readonly query: Query
  readonly servers: readonly NameServer[]
  round: number
  /** Index of the server that is asked next. */
  next: number
  /** What each server said last that was no answer. */
  said: Map<NameServer, Failure> | undefined
  readonly settle: (heard: Heard | Failure) => void
}

export class Asker {
  readonly #options: ResolverOptions
  readonly #transport: Sender
  readonly #choice: ServerChoice
  readonly #clock: Clock
  readonly #turn = new Turn(questionsAtOnce)

  constructor(options: ResolverOptions, transport: Sender, choice: ServerChoice, clock: Clock) {
    this.#options = options
    this.#transport = transport
    this.#choice = choice
    this.#clock = clock
  }

  /**
   * Without promises on the way that nearly every question takes: lists ask a hundred thousand times, and each promise costs as much as
   * decoding the answer.
   * @param settle  called once, within `deadlineMs`
   */
  ask(name: WireName, type: RecordType, settle: (resolution: Resolution) => void): void {
    const query = { name, type, untilMs: this.#clock.monotonicMs() + this.#options.deadlineMs, seen: nothingSeen }
    const end = (resolution: Resolution): void => {
      this.#turn.leave()
      settle(resolution)
    }
    this.#turn.enter(() => {
      this.#askServers(query, (heard) => {
        if (heard.kind === 'failed') end(heard)
        else if (isFinished(heard)) end(this.#asked(query, heard))
        else void this.#followAliases(query, heard).then(end)
      })
    })
  }

  /** @param first  leads to a name of which it says nothing */
  async #followAliases(query: Query, first: Heard): Promise<Resolution> {
    const { name } = query
    // Folded names of the aliases that led to where the next question begins.
    const seen = new Set<string>()
    const aliases = [...first.reading.aliases]
    let { isSecure } = first
    let { ttlSeconds } = first.reading
    let at = name
    let last = first
    while (!isFinished(last)) {
      // The last one is where the next question begins, so it has not been passed yet.
      for (const passed of [at, ...last.reading.aliases].slice(0, -1)) seen.add(foldName(passed))
      at = aliases.at(-1) ?? name
      const further = { ...query, name: at, seen }
      const heard = await new Promise<Heard | Failure>((resolve) => this.#askServers(further, resolve))
      if (heard.kind === 'failed') return heard
      aliases.push(...heard.reading.aliases)
      isSecure &&= heard.isSecure
      ttlSeconds = Math.min(ttlSeconds, heard.reading.ttlSeconds)
      last = heard
    }
    return this.#asked(query, { ...last, reading: { ...last.reading, aliases, ttlSeconds }, isSecure })
  }

  #asked({ name }: Query, { reading, isSecure, server }: Finished): Resolution {
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
    if (!isAnswer) return { kind, ...known }
    const records = reading.records as readonly DnsRecord<RdataOf<RecordType>>[]
    return { kind, records, ...known }
  }

  #askServers(query: Query, settle: (heard: Heard | Failure) => void): void {
    const order = this.#choice.inOrder()
    const start = (servers: readonly NameServer[]) =>
      this.#askNext({ query, servers, round: 0, next: 0, said: undefined, settle })
    if ('then' in order) void order.then(start)
    else start(order)
  }

  #askNext(course: Course): void {
    const { query, servers } = course
    for (; course.round < this.#options.attempts; course.round++, course.next = 0) {
      for (let server = servers[course.next++]; server; server = servers[course.next++]) {
        const before = course.said?.get(server)
        // A server that said no says it again; silence is worth another try.
        if (before && before.reason !== 'timeout') continue
        const leftMs = query.untilMs - this.#clock.monotonicMs()
        if (leftMs > 0) {
          this.#askOne(course, server, Math.min(this.#options.timeoutMs, leftMs))
          return
        }
        note(course, server, failed(server, 'timeout', 'the deadline has passed'))
      }
    }
    const failures = [...(course.said?.values() ?? [])]
    // What a server said tells more than the silence of another.
    const telling = failures.find(({ reason }) => reason !== 'timeout' && reason !== 'unreachable')
    course.settle(telling ?? failures[0] ?? noServer)
  }

  #askOne(course: Course, server: NameServer, timeoutMs: number): void {
    const { query } = course
    this.#transport.send(server, query.name, typeCodes[query.type], timeoutMs, (exchanged) => {
      const heard = this.#read(server, query, exchanged)
      if (heard.kind === 'heard') return course.settle(heard)
      note(course, server, heard)
      this.#askNext(course)
    })
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
    return { kind: 'heard', reading, isSecure, server }
  }
}

const nothingSeen: ReadonlySet<string> = new Set()

function note(course: Course, server: NameServer, failure: Failure): void {
  course.said ??= new Map()
  course.said.set(server, failure)
}

const noServer: Failure = { kind: 'failed', reason: 'unreachable', why: 'there is no name server to ask' }

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

  /** @param start  called when there is a place, which may be at once */
  enter(start: () => void): void {
    if (this.#free === 0) return void this.#waiting.push(start)
    this.#free--
    start()
  }

  /** Hands the place on. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
