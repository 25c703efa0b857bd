/**
 * The questions of one domain: each once, within the domain's budget of queries, connections and time. Whatever is left over when one of them
 * is spent is told as not examined.
 */
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, whyNotPublic } from '../../base/ip.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import { refusesEdns } from '../../dns/message.ts'
import { type RecordType, typeCodes } from '../../dns/types.ts'
import { foldName, type WireName } from '../../dns/wire-name.ts'
import type { Direct, DirectOutcome, NotExamined, NotExaminedReason, Spent, View } from '../facts.ts'
import type { CheckOptions } from '../options.ts'
import type { Exchange, Question } from './exchange.ts'
import { createShared, keptKiB, type Shared, type Sharing } from './shared.ts'
import type { Views } from './views.ts'

export interface DirectQuestion {
  readonly name: WireName
  readonly type: RecordType
  readonly over?: 'udp' | 'tcp'
  readonly edns?: boolean
  readonly recursion?: boolean
  /** Default: as many as the options say. */
  readonly tries?: number
  /** Others of the run depend on the same server and name: what it said to one of them lately serves all. */
  readonly isShared?: boolean
}

/** What one domain has cost so far, and what it waits for: for a person who looks on. */
export interface Progress extends Spent {
  /** What has been waited for the longest, in words of ours, safe to print; undefined where nothing is waited for. */
  waitsFor(): { readonly words: string; readonly sinceMs: number } | undefined
}

/** Connections to name servers at once for one domain, so that whoever answers everything with TC does not take those of other domains. */
const mostTcpAtOnce = 8
/** How long a question waits for its turn at a server: one that half of a long list depends on must not stop the rest. */
const patienceMs = 10_000

/** What authoritative servers said, for all domains of a run that depend on the same ones. Silence may be a moment's. */
export const createDirects = (clock: Clock): Shared<DirectOutcome> => createShared(directSharing, clock)

export const directSharing: Sharing<DirectOutcome> = {
  room: 20_000,
  keepMs: ({ kind }) => (kind === 'not-examined' ? 0 : kind === 'response' ? 300_000 : 60_000),
  cost(outcome) {
    if (outcome.kind !== 'response') return 1
    const { answers, authorities, additionals, edns } = outcome.message
    // An option of EDNS takes a quarter of a KiB, and four octets on the way.
    return keptKiB(outcome.bytes, answers, authorities, additionals) + Math.floor((edns?.options.length ?? 0) / 4)
  },
}

/** What the domains of a run share. */
export interface InquiryDeps {
  readonly views: Views
  readonly exchange: Exchange
  readonly directs: Shared<DirectOutcome>
}

export class Inquiry {
  readonly options: CheckOptions
  readonly clock: Clock
  readonly untilMs: number
  readonly #views: Views
  readonly #exchange: Exchange
  readonly #directs: Shared<DirectOutcome>
  readonly #asked = new Map<string, Promise<View>>()
  #queries = 0
  #connections = 0
  readonly #progress: (progress: Progress) => void
  readonly #tcpTurns = createQueueByKey(mostTcpAtOnce)
  /** What is waited for, in the order in which it began; `sinceMs` on the monotonic clock. */
  readonly #waits = new Set<{ readonly words: string; readonly sinceMs: number }>()

  /** @param progress  called with each question and each connection */
  constructor(
    options: CheckOptions,
    { views, exchange, directs }: InquiryDeps,
    clock: Clock,
    progress: (progress: Progress) => void = () => {},
  ) {
    this.options = options
    this.#progress = progress
    this.clock = clock
    this.#views = views
    this.#exchange = exchange
    this.#directs = directs
    this.untilMs = clock.monotonicMs() + options.timeoutMs
  }

  get spent(): Spent {
    return { queries: this.#queries, connections: this.#connections }
  }

  /** Does work that a person who looks on may have to wait for. @param words  what for, safe to print: `the name server 192.0.2.1` */
  async during<T>(words: string, work: () => Promise<T>): Promise<T> {
    const wait = { words, sinceMs: this.clock.monotonicMs() }
    this.#waits.add(wait)
    try {
      return await work()
    } finally {
      this.#waits.delete(wait)
    }
  }

  #tell(): void {
    this.#progress({ ...this.spent, waitsFor: () => this.#waits.values().next().value })
  }

  /** Why nothing more can be asked; undefined while something can. */
  get over(): NotExamined | undefined {
    if (this.clock.monotonicMs() >= this.untilMs)
      return notExamined('budget-spent', 'The time for this domain is over.')
    if (this.#queries >= this.options.maxQueries)
      return notExamined('budget-spent', `${this.options.maxQueries} DNS queries for one domain are the most.`)
    return undefined
  }

  /** Counts one connection; false where there is none left. */
  mayConnect = (): boolean => {
    if (this.#connections >= this.options.maxConnections || this.clock.monotonicMs() >= this.untilMs) return false
    this.#connections++
    this.#tell()
    return true
  }

  /** What the resolver says. The same question again is the same answer. */
  view<T extends RecordType>(name: WireName, type: T): Promise<View<T>> {
    const key = `${type} ${foldName(name)}`
    const asked = this.#asked.get(key) ?? this.#see(name, type)
    this.#asked.set(key, asked)
    // What was asked for as a type holds records of that type.
    return asked as Promise<View> as Promise<View<T>>
  }

  async #see(name: WireName, type: RecordType): Promise<View> {
    if (this.over) return this.over
    const view = await this.during('the resolver', () => this.#views.see(name, type, this.#mayAsk, this.untilMs))
    return view.kind === 'not-examined' ? (this.over ?? view) : view
  }

  /** Puts a question to one authoritative server itself, without recursion. Silence is met with further tries. */
  async direct(address: IpAddress, wanted: DirectQuestion): Promise<Direct> {
    const { name, type, over = 'udp', edns = true, recursion = false, tries = this.options.dnsTries } = wanted
    const question = { name, type: typeCodes[type], over, edns, recursion, checkingDisabled: false }
    const ask = () => this.#askDirectly(address, question, tries)
    const askInTurn = () => (over === 'tcp' ? this.#tcpTurns('', ask) : ask())
    const key = `${address} ${over} ${type} ${edns ? 'edns' : ''} ${recursion ? 'rd' : ''} ${foldName(name)}`
    const asked = () => (wanted.isShared ? this.#directs(key, askInTurn) : askInTurn())
    const outcome = await this.during(`the name server ${address}`, asked)
    return { name, type, over, edns, recursion, outcome }
  }

  async #askDirectly(address: IpAddress, question: Question, mostTries: number): Promise<DirectOutcome> {
    const { options } = this
    const why = options.isPrivate ? undefined : whyNotPublic(address)
    if (why)
      return notExamined('not-public', `${address} is ${why}, so it is not asked; --private says that it is meant.`)
    const startMs = this.clock.monotonicMs()
    for (let tries = 1; ; tries++) {
      if (!this.#mayAsk()) return this.over ?? notExamined('budget-spent', 'The time for this domain is over.')
      const timeoutMs = Math.max(1, Math.min(options.dnsTimeoutMs, this.untilMs - this.clock.monotonicMs()))
      const server = { address, port: options.dnsPort }
      const untilMs = Math.min(this.untilMs, this.clock.monotonicMs() + patienceMs)
      const pace = { perSecond: options.dnsPerSecond, untilMs }
      const exchanged = await this.#exchange.ask(server, question, timeoutMs, pace)
      if (exchanged.kind === 'response') return exchanged
      if (exchanged.kind === 'unsent')
        return notExamined(
          'rate-limited',
          `Its turn did not come in time: ${options.dnsPerSecond} questions a second to one server are the most.`,
        )
      if (exchanged.kind === 'malformed') return { kind: 'malformed', why: exchanged.why }
      const tookMs = this.clock.monotonicMs() - startMs
      if (exchanged.kind === 'unreachable') return { kind: 'unreachable', why: exchanged.why }
      if (tries >= mostTries) return { kind: 'silence', tries, tookMs }
    }
  }

  #mayAsk = (): boolean => {
    if (this.over) return false
    this.#queries++
    this.#tell()
    return true
  }
}

export const notExamined = (reason: NotExaminedReason, why: string): NotExamined => ({
  kind: 'not-examined',
  reason,
  why,
})

/** Whether a server has understood EDNS so badly that it is worth asking without (RFC 6891 §7). */
export function dislikesEdns({ edns, outcome }: Direct): boolean {
  return edns && (outcome.kind === 'silence' || (outcome.kind === 'response' && refusesEdns(outcome.message)))
}
