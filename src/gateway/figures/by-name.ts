/**
 * What became of messages by route, for monitoring, and by domain, for the dashboard, since the gateway started. Both tables are bounded: routes at 200 and
 * domains at 10,000, beyond which all others are counted under one name. For `figures`.
 */
import {
  type AttemptEvent,
  type AttemptOutcome,
  attemptOutcomes,
  type MessageEvent,
  type MessageVerdict,
} from '../events.ts'
import { type ByVerdict, noVerdicts } from './by-verdict.ts'
import { coarseBoundsSeconds, coarseBucket } from './histogram.ts'

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

export interface ByName {
  message(event: MessageEvent): void
  attempt(event: AttemptEvent): void
  recipientRefused(domain: string): void
  routes(): readonly RouteFigures[]
  domains(): readonly DomainFigures[]
  lastDeliveredMs(domain: string): number | undefined
}

const mostRoutes = 200
const mostDomains = 10_000

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

export function createByName(): ByName {
  const routes = new Map<string, RouteCounts>()
  const domains = new Map<string, DomainCounts>()
  const routeOf = (route: string) => keptBy(routes, routeLabel(route), mostRoutes, noRoute)
  const domainOf = (domain: string) => keptBy(domains, domain, mostDomains, noDomain)

  return {
    message({ kind, route: name, domains: names, ms, bytes, atMs }) {
      const route = routeOf(name)
      route.messages[kind]++
      if (kind === 'delivered') {
        const bucket = coarseBucket(ms)
        route.latency[bucket] = (route.latency[bucket] ?? 0) + 1
        route.latencySumMs += ms
      }
      if (kind !== 'refused' && kind !== 'deferred') route.bytes += bytes
      for (const name of names) {
        const domain = domainOf(name)
        domain.messages[kind]++
        if (kind === 'delivered') domain.lastDeliveredMs = atMs
        if (kind === 'held' || kind === 'unknown') domain.lastHeldMs = atMs
      }
    },
    attempt({ outcome, route, domains: names, atMs }) {
      routeOf(route).attempts[outcome]++
      if (outcome !== 'delivered') return
      for (const name of names) {
        const domain = domainOf(name)
        domain.drained++
        domain.lastDeliveredMs = atMs
      }
    },
    recipientRefused: (domain) => void domainOf(domain).recipientsRefused++,
    routes: () =>
      [...routes].map(([route, { messages, attempts, bytes, latency, latencySumMs }]) => ({
        route,
        messages: { ...messages },
        attempts: { ...attempts },
        bytes,
        latency: [...latency],
        latencySumSeconds: latencySumMs / 1000,
      })),
    lastDeliveredMs: (domain) => domains.get(domain)?.lastDeliveredMs,
    domains: () => [...domains].map(([domain, counts]) => ({ domain, ...counts, messages: { ...counts.messages } })),
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
