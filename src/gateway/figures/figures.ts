/**
 * What the gateway has done since it started, counted in memory: by route and by domain (`by-name`), by second and by minute for charts, and how long
 * each endpoint takes (`latencies`). `cli` hands `tell` to the gateway and `read` to this; `web` reads `snapshot`, `minutes` and `seconds`; `watch`
 * keeps what must outlive the process. Every table is bounded.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { AttemptEvent, GatewayEvent, MessageEvent, MessageStop } from '../events.ts'
import { createByName, type DomainFigures, type RouteFigures } from './by-name.ts'
import type { Gauges } from './gauges.ts'
import type { Percentiles } from './histogram.ts'
import { createLatencies } from './latencies.ts'
import { createMinutes, type Minute } from './minutes.ts'
import { createSeconds, type Second } from './seconds.ts'

export interface Figures {
  /** Give it to the gateway, or call it from what is given there. */
  tell(event: GatewayEvent): void
  /** All counts of now; made anew at each call, and as large as there are routes, domains and backends. */
  snapshot(): FiguresSnapshot
  /** The last 24 hours, oldest first, one entry a minute that is over; at most 1,440. */
  minutes(): readonly Minute[]
  /** Messages by verdict in each of the last whole seconds, oldest first: live rates. @param most  60 at most */
  seconds(most: number): readonly Second[]
  /** When a domain's mail was last delivered, wall clock. @param domain  as in `snapshot` */
  lastDeliveredMs(domain: string): number | undefined
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
  readonly possibleDuplicates: number
  readonly expired: number
  /** Alerts by their words, which are ours: at most 100 of them. */
  readonly alerts: readonly { readonly event: string; readonly count: number }[]
  /** Changes of an endpoint's state, by where they led. */
  readonly backendChanges: readonly { readonly to: string; readonly count: number }[]
}

const mostAlerts = 100

export function createFigures({ clock, read }: FiguresDeps): Figures {
  const startedMs = clock.now()
  const byName = createByName()
  const minutes = createMinutes()
  const seconds = createSeconds()
  const latencies = createLatencies(clock)
  const stopped = new Map<MessageStop, number>()
  const alerts = new Map<string, number>()
  const backendChanges = new Map<string, number>()
  const sums = {
    recipientsRefused: 0,
    recipientsDeferred: 0,
    connectionsRefused: 0,
    refusedAfterHold: 0,
    possibleDuplicates: 0,
    expired: 0,
  }
  const ticker = new Deadline(clock, tick)
  ticker.arm(untilNextMinute(clock))

  function tick(): void {
    minutes.close(clock.now(), read())
    ticker.arm(untilNextMinute(clock))
  }

  function countMessage(event: MessageEvent): void {
    const { kind, ms, backend, endpoint = '', atMs } = event
    byName.message(event)
    seconds.message(kind, atMs)
    minutes.message(event)
    if (kind === 'delivered' && backend !== undefined) latencies.count(backend, endpoint, ms)
  }

  function countAttempt(event: AttemptEvent): void {
    byName.attempt(event)
    sums.possibleDuplicates += event.possibleDuplicates
    if (event.outcome !== 'delivered') return
    seconds.drained(event.atMs)
    minutes.drained()
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
          count(stopped, event.why)
          return
        case 'attempt':
          return countAttempt(event)
        case 'recipient-refused':
          sums.recipientsRefused++
          if (event.domain !== undefined) byName.recipientRefused(event.domain)
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
          count(backendChanges, event.to)
          return
        case 'alert':
          count(alerts, alerts.has(event.event) || alerts.size < mostAlerts ? event.event : 'other')
          return
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
      routes: byName.routes(),
      domains: byName.domains(),
      messagesStopped: [...stopped].map(([why, count]) => ({ why, count })),
      alerts: [...alerts].map(([event, count]) => ({ event, count })),
      backendChanges: [...backendChanges].map(([to, count]) => ({ to, count })),
    }),
    minutes: () => minutes.list(),
    seconds: (most) => seconds.list(clock.now(), most),
    lastDeliveredMs: byName.lastDeliveredMs,
    latency: latencies.of,
    stop: () => ticker.end(),
  }
}

function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

const minuteMs = 60_000
const untilNextMinute = (clock: Clock) => minuteMs - (((clock.now() % minuteMs) + minuteMs) % minuteMs) || minuteMs
