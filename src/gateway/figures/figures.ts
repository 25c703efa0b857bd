/**
 * What the gateway has done since it started, counted in memory: by route and by domain (`by-name`), by second and by minute for charts, how long
 * each endpoint takes (`latencies`), and what else happened (`other-counts`). `cli` hands `tell` to the gateway and `read` to this; `web` reads `snapshot`, `minutes` and `seconds`; `watch`
 * keeps what must outlive the process. Every table is bounded.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { AttemptEvent, GatewayEvent, MessageEvent } from '../events.ts'
import { createByName, type DomainFigures, type RouteFigures } from './by-name.ts'
import type { Gauges } from './gauges.ts'
import type { Percentiles } from './histogram.ts'
import { createLatencies } from './latencies.ts'
import { createMinutes, type Minute } from './minutes.ts'
import { createOtherCounts, type OtherCounts } from './other-counts.ts'
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

export interface FiguresSnapshot extends Gauges, OtherCounts {
  /** Wall clock. */
  readonly atMs: number
  readonly startedMs: number
  readonly routes: readonly RouteFigures[]
  readonly domains: readonly DomainFigures[]
  /** Recipients that may have their message twice (`AttemptEvent`). */
  readonly possibleDuplicates: number
}

export function createFigures({ clock, read }: FiguresDeps): Figures {
  const startedMs = clock.now()
  const byName = createByName()
  const minutes = createMinutes()
  const seconds = createSeconds()
  const latencies = createLatencies(clock)
  const others = createOtherCounts()
  let possibleDuplicates = 0
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
    possibleDuplicates += event.possibleDuplicates
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
        case 'attempt':
          return countAttempt(event)
        case 'recipient-refused':
          if (event.domain !== undefined) byName.recipientRefused(event.domain)
          return others.count(event)
        default:
          return others.count(event)
      }
    },
    snapshot: () => ({
      ...read(),
      ...others.counts(),
      atMs: clock.now(),
      startedMs,
      routes: byName.routes(),
      domains: byName.domains(),
      possibleDuplicates,
    }),
    minutes: () => minutes.list(),
    seconds: (most) => seconds.list(clock.now(), most),
    lastDeliveredMs: byName.lastDeliveredMs,
    latency: latencies.of,
    stop: () => ticker.end(),
  }
}

const minuteMs = 60_000
const untilNextMinute = (clock: Clock) => minuteMs - (((clock.now() % minuteMs) + minuteMs) % minuteMs) || minuteMs
