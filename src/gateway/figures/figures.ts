/**
 * What the gateway has done since it started, counted in memory: by verdict and route for monitoring, by domain for the dashboard, by second and
 * by minute for charts. `cli` hands `tell` to the gateway and `read` to this; `web` reads `snapshot`, `minutes` and `seconds`; `watch` keeps
 * what must outlive the process.
 *
 * Every table is bounded: routes at 200 and domains at 10,000, beyond which all others are counted under one name.
 */

import { type Clock, Deadline } from '../../base/clock.ts'
import {
  type AttemptEvent,
  type AttemptOutcome,
  attemptOutcomes,
  type GatewayEvent,
  type MessageEvent,
  type MessageStop,
  type MessageVerdict,
  messageVerdicts,
} from '../events.ts'
import type { Gauges } from './gauges.ts'
import {
  addFine,
  coarseBoundsSeconds,
  coarseBucket,
  countFine,
  type FineCounts,
  type Percentiles,
  percentiles,
} from './histogram.ts'
import { createMinutes, type Minute } from './minutes.ts'

export interface Figures {
  /** Give it to the gateway, or call it from what is given there. */
  tell(event: GatewayEvent): void
  /** All counts of now; made anew at each call, and as large as there are routes, domains and backends. */
  snapshot(): FiguresSnapshot
  /** The last 24 hours, oldest first, one entry a minute that is over; at most 1,440. */
  minutes(): readonly Minute[]
  /** Messages by verdict in each of the last 60 whole seconds, oldest first: live rates. */
  seconds(): readonly Second[]
  /**
   * From the dot to the answer of mail that was delivered while its sender waited, over the last five to ten minutes.
   * @param endpoint  as `BackendReport` has it; empty for a Maildir
   */
  latency(backend: string, endpoint: string): Percentiles
  stop(): void
}

export interface FiguresDeps {
  readonly clock: Clock
  /** Figures that others have; asked at each snapshot, and once a minute for the charts. */
  readonly read: () => Gauges
}

export type ByVerdict = Readonly<Record<MessageVerdict, number>>
export type ByOutcome = Readonly<Record<AttemptOutcome, number>>

export interface RouteFigures {
  /** A name under `routes:`, or `postmaster`; `unnamed` for all routes without one, and `other` beyond 200. */
  readonly route: string
  readonly messages: ByVerdict
  /** Attempts of held messages. */
  readonly attempts: ByOutcome
  /** Octets of messages that were delivered or held. */
  readonly bytes: number
  /** From the sender's dot to our answer, for `delivered`: counts by `coarseBoundsSeconds`, one more for what lies beyond; not added up. */
  readonly latency: readonly number[]
  readonly latencySumSeconds: number
}

export interface DomainFigures {
  /** As declared; `other` beyond 10,000. */
  readonly domain: string
  readonly messages: ByVerdict
  /** Held messages that were delivered since. */
  readonly drained: number
  readonly recipientsRefused: number
  readonly lastDeliveredMs: number | undefined
  readonly lastHeldMs: number | undefined
}

export interface FiguresSnapshot extends Gauges {
  /** Wall clock. */
  readonly atMs: number
  readonly startedMs: number
  readonly routes: readonly RouteFigures[]
  readonly domains: readonly DomainFigures[]
  /** Messages that no backend was asked to take, by why. */
  readonly messagesStopped: readonly { readonly why: MessageStop; readonly count: number }[]
  readonly recipientsRefused: number
  readonly recipientsDeferred: number
  readonly connectionsRefused: number
  readonly refusedAfterHold: number
  readonly expired: number
  /** Alerts by their words, which are ours: at most 100 of them. */
  readonly alerts: readonly { readonly event: string; readonly count: number }[]
  /** Changes of an endpoint's state, by where they led. */
  readonly backendChanges: readonly { readonly to: string; readonly count: number }[]
}

export interface Second extends ByVerdict {
  /** Wall clock of its beginning. */
  readonly atMs: number
  readonly drained: number
}

const mostRoutes = 200
const mostDomains = 10_000
const mostAlerts = 100
const secondsKept = 60
const mostEndpoints = 1_000
const latencyWindowMs = 5 * 60_000

interface RouteCounts {
  readonly messages: Record<MessageVerdict, number>
  readonly attempts: Record<AttemptOutcome, number>
  bytes: number
  readonly latency: number[]
  latencySumMs: number
}

interface DomainCounts {
  readonly messages: Record<MessageVerdict, number>
  drained: number
  recipientsRefused: number
  lastDeliveredMs: number | undefined
  lastHeldMs: number | undefined
}

export function createFigures({ clock, read }: FiguresDeps): Figures {
  const startedMs = clock.now()
  const routes = new Map<string, RouteCounts>()
  const domains = new Map<string, DomainCounts>()
  const stopped = new Map<MessageStop, number>()
  const alerts = new Map<string, number>()
  const backendChanges = new Map<string, number>()
  const sums = {
    recipientsRefused: 0,
    recipientsDeferred: 0,
    connectionsRefused: 0,
    refusedAfterHold: 0,
    expired: 0,
  }
  const minutes = createMinutes()
  const latencies = createLatencies(clock)
  /** By the second since 1970, at its place in the ring. */
  const seconds: (Record<MessageVerdict, number> & { number: number; drained: number })[] = Array.from(
    { length: secondsKept + 1 },
    () => ({ ...noVerdicts(), number: -1, drained: 0 }),
  )
  const ticker = new Deadline(clock, tick)
  ticker.arm(untilNextMinute(clock))

  function tick(): void {
    minutes.close(clock.now(), read())
    ticker.arm(untilNextMinute(clock))
  }

  function secondOf(atMs: number) {
    const number = Math.floor(atMs / 1000)
    const second = seconds[number % seconds.length] ?? { ...noVerdicts(), number, drained: 0 }
    if (second.number !== number) Object.assign(second, noVerdicts(), { number, drained: 0 })
    return second
  }

  function countMessage(event: MessageEvent): void {
    const { kind, ms, bytes, atMs } = event
    const route = keptBy(routes, routeLabel(event.route), mostRoutes, noRoute)
    route.messages[kind]++
    if (kind === 'delivered') {
      const bucket = coarseBucket(ms)
      route.latency[bucket] = (route.latency[bucket] ?? 0) + 1
      route.latencySumMs += ms
      if (event.backend !== undefined) latencies.count(endpointKey(event.backend, event.endpoint ?? ''), ms)
    }
    if (kind !== 'refused' && kind !== 'deferred') route.bytes += bytes
    for (const domain of event.domains) {
      const counts = keptBy(domains, domain, mostDomains, noDomain)
      counts.messages[kind]++
      if (kind === 'delivered') counts.lastDeliveredMs = atMs
      if (kind === 'held' || kind === 'unknown') counts.lastHeldMs = atMs
    }
    secondOf(atMs)[kind]++
    minutes.message(event)
  }

  function countAttempt(event: AttemptEvent): void {
    const { outcome, atMs } = event
    keptBy(routes, routeLabel(event.route), mostRoutes, noRoute).attempts[outcome]++
    if (outcome !== 'delivered') return
    secondOf(atMs).drained++
    minutes.drained()
    for (const domain of event.domains) {
      const counts = keptBy(domains, domain, mostDomains, noDomain)
      counts.drained++
      counts.lastDeliveredMs = atMs
    }
  }

  return {
    tell(event) {
      switch (event.kind) {
        case 'delivered':
        case 'refused':
        case 'deferred':
        case 'held':
        case 'unknown':
          return countMessage(event)
        case 'message-stopped':
          stopped.set(event.why, (stopped.get(event.why) ?? 0) + 1)
          return
        case 'attempt':
          return countAttempt(event)
        case 'recipient-refused':
          sums.recipientsRefused++
          if (event.domain !== undefined) keptBy(domains, event.domain, mostDomains, noDomain).recipientsRefused++
          return
        case 'recipient-deferred':
          sums.recipientsDeferred++
          return
        case 'connection-refused':
          sums.connectionsRefused++
          return
        case 'refused-after-hold':
          sums.refusedAfterHold += event.recipients
          return
        case 'expired':
          sums.expired += event.recipients
          return
        case 'backend-state':
          backendChanges.set(event.to, (backendChanges.get(event.to) ?? 0) + 1)
          return
        case 'alert': {
          const name = alerts.has(event.event) || alerts.size < mostAlerts ? event.event : 'other'
          alerts.set(name, (alerts.get(name) ?? 0) + 1)
          return
        }
        case 'drain-stopped':
        case 'drain-resumed':
        case 'certificate-renewed':
        case 'by-person':
      }
    },
    snapshot: () => ({
      ...read(),
      ...sums,
      atMs: clock.now(),
      startedMs,
      routes: [...routes].map(([route, { messages, attempts, bytes, latency, latencySumMs }]) => ({
        route,
        messages: { ...messages },
        attempts: { ...attempts },
        bytes,
        latency: [...latency],
        latencySumSeconds: latencySumMs / 1000,
      })),
      domains: [...domains].map(([domain, counts]) => ({ domain, ...counts, messages: { ...counts.messages } })),
      messagesStopped: [...stopped].map(([why, count]) => ({ why, count })),
      alerts: [...alerts].map(([event, count]) => ({ event, count })),
      backendChanges: [...backendChanges].map(([to, count]) => ({ to, count })),
    }),
    minutes: () => minutes.list(),
    seconds() {
      const now = Math.floor(clock.now() / 1000)
      return Array.from({ length: secondsKept }, (_, index) => {
        const number = now - secondsKept + index
        const found = seconds[number % seconds.length]
        const { number: _number, ...counts } =
          found?.number === number ? found : { ...noVerdicts(), number, drained: 0 }
        return { ...counts, atMs: number * 1000 }
      })
    },
    latency: (backend, endpoint) => latencies.of(endpointKey(backend, endpoint)),
    stop: () => ticker.end(),
  }
}

const endpointKey = (backend: string, endpoint: string) => `${backend} ${endpoint}`

/** This window and the one before it, so that what is said is of now and not of last week. */
function createLatencies(clock: Clock) {
  let current = new Map<string, FineCounts>()
  let previous = new Map<string, FineCounts>()
  let beganMs = clock.monotonicMs()
  const turn = () => {
    const windows = Math.floor((clock.monotonicMs() - beganMs) / latencyWindowMs)
    if (windows < 1) return
    previous = windows === 1 ? current : new Map()
    current = new Map()
    beganMs += windows * latencyWindowMs
  }
  return {
    count(key: string, ms: number): void {
      turn()
      const counts = current.get(key) ?? []
      if (counts.length === 0 && current.size >= mostEndpoints) return
      countFine(counts, ms)
      current.set(key, counts)
    },
    of(key: string): Percentiles {
      turn()
      const counts: FineCounts = []
      for (const window of [previous, current]) addFine(counts, window.get(key) ?? [])
      return percentiles(counts)
    },
  }
}

/** Route names hold no dot (`config/routes.ts`); a route without one is called by its first domain, and there may be as many as domains. */
const routeLabel = (route: string) => (route.includes('.') ? 'unnamed' : route)

function keptBy<Counts>(table: Map<string, Counts>, name: string, most: number, none: () => Counts): Counts {
  const found = table.get(name)
  if (found) return found
  if (table.size >= most && name !== 'other') return keptBy(table, 'other', most, none)
  const made = none()
  table.set(name, made)
  return made
}

const noVerdicts = () =>
  Object.fromEntries(messageVerdicts.map((verdict) => [verdict, 0])) as Record<MessageVerdict, number>

const noRoute = (): RouteCounts => ({
  messages: noVerdicts(),
  attempts: Object.fromEntries(attemptOutcomes.map((outcome) => [outcome, 0])) as Record<AttemptOutcome, number>,
  bytes: 0,
  latency: new Array<number>(coarseBoundsSeconds.length + 1).fill(0),
  latencySumMs: 0,
})

const noDomain = (): DomainCounts => ({
  messages: noVerdicts(),
  drained: 0,
  recipientsRefused: 0,
  lastDeliveredMs: undefined,
  lastHeldMs: undefined,
})

const minuteMs = 60_000
const untilNextMinute = (clock: Clock) => minuteMs - (((clock.now() % minuteMs) + minuteMs) % minuteMs) || minuteMs
