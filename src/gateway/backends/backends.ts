/**
 * What the gateway knows of every endpoint that it has met: its health, and whether a person took it out. `met-endpoints` keeps it, and `dots` watches how
 * long each is silent behind ours. Deliveries and `cut-through` report here; `staging` and `waypost backend list` ask.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { HealthReports } from '../../delivery/delivery.ts'
import { faultText } from '../../delivery/outcome.ts'
import { isPermanent } from '../../mail/reply.ts'
import type { Endpoint } from '../../routing/backend.ts'
import {
  type Health,
  type HealthEvent,
  type HealthState,
  healthState,
  isServing,
  nextHealth,
} from '../../routing/health.ts'
import { AcceptedDomains } from './accepted-domains.ts'
import { createDots, type Dots } from './dots.ts'
import { MetEndpoints } from './met-endpoints.ts'
import { createStateChanges, type StateListeners } from './state-changes.ts'

export interface Backends extends HealthReports, Dots {
  health(endpoint: Endpoint): Health
  /** When an attempt at it ended last, on the monotonic clock: a session, a delivery, or that there was none. */
  heardMs(endpoint: Endpoint): number
  /** The last answer to a dot brought a delivery. */
  delivered(endpoint: Endpoint): void
  /** A session with it ended before the dot, or it said that it takes no mail now: kept for people, without a word on its state. */
  troubled(endpoint: Endpoint, what: string): void
  /** Whether this backend has ever accepted a recipient of the domain (see `about-us.ts`). */
  hasAccepted(endpoint: Endpoint, domain: string): boolean
  accepted(endpoint: Endpoint, domain: string): void
  /** Forgets what DNS once named and what has not answered for long. */
  forget(endpoint: Endpoint): void
  /** Endpoints that were met, with their state now. */
  list(): readonly { readonly endpoint: Endpoint; readonly health: Health; readonly state: HealthState }[]
  /** The same, without their state. */
  endpoints(): readonly Endpoint[]
  /** Takes all endpoints of a backend out of service, or puts them back, also those not met yet. @param url `backend.url` */
  setOut(url: string, isOut: boolean): void
  readonly out: ReadonlySet<string>
  /** These were down when the last process ended: their addresses are suspect, and tried, until one of them answers. For the start. @param urls `backend.url` */
  doubt(urls: readonly string[]): void
  /** Those of which none has answered yet. */
  readonly doubted: ReadonlySet<string>
  /** Time makes nothing slow any more. */
  stop(): void
}

export interface BackendsDeps extends StateListeners {
  readonly clock: Clock
  readonly log: Log
}

export function createBackends(deps: BackendsDeps): Backends {
  const { clock } = deps
  const met = new MetEndpoints(deps.onFailed)
  const { out, doubted } = met
  const acceptedDomains = new AcceptedDomains()
  const changes = createStateChanges({ ...deps, othersServe }, deps)

  function othersServe({ key, backend: { url } }: Endpoint): boolean {
    const nowMs = clock.monotonicMs()
    for (const { endpoint, health } of met.all())
      if (endpoint.key !== key && endpoint.backend.url === url && isServing(healthState(health, nowMs))) return true
    return false
  }

  function tell(endpoint: Endpoint, event: HealthEvent): void {
    const found = met.of(endpoint)
    const health = nextHealth(found.health, event)
    // As with nearly every message that it takes.
    if (health === found.health) return
    found.health = health
    changes.tell(found)
  }

  /** From the endpoint itself, and not from a person. */
  function hear(endpoint: Endpoint, event: HealthEvent): void {
    met.of(endpoint).heardMs = clock.monotonicMs()
    tell(endpoint, event)
  }

  return {
    ...createDots(clock, met, changes),
    health: (endpoint) => met.of(endpoint).health,
    heardMs: (endpoint) => met.of(endpoint).heardMs,
    opened(endpoint) {
      hear(endpoint, { kind: 'opened' })
      if (doubted.size > 0 && endpoint.purpose !== 'dsn') doubted.delete(endpoint.backend.url)
    },
    failed(endpoint, fault) {
      if (fault.kind === 'abandoned') return
      hear(endpoint, {
        kind: 'failed',
        isRefused: fault.kind === 'refused',
        isRefusingUs: fault.reply !== undefined && isPermanent(fault.reply),
        fault: faultText(fault),
      })
    },
    delivered: (endpoint) => hear(endpoint, { kind: 'delivered' }),
    troubled: (endpoint, what) => hear(endpoint, { kind: 'troubled', what }),
    hasAccepted: ({ backend }, domain) => acceptedDomains.has(backend.key, domain),
    accepted: ({ backend }, domain) => acceptedDomains.add(backend.key, domain),
    list() {
      const nowMs = clock.monotonicMs()
      return Array.from(met.all(), ({ endpoint, health }) => ({
        endpoint,
        health,
        state: healthState(health, nowMs),
      }))
    },
    endpoints: () => Array.from(met.all(), ({ endpoint }) => endpoint),
    forget: (endpoint) => met.forget(endpoint),
    setOut(url, isOut) {
      if (isOut) out.add(url)
      else out.delete(url)
      for (const { endpoint } of met.all()) {
        if (endpoint.backend.url === url) tell(endpoint, { kind: isOut ? 'taken-out' : 'put-back' })
      }
    },
    out,
    doubt(urls) {
      for (const url of urls) doubted.add(url)
    },
    doubted,
    stop() {
      for (const { timer } of met.all()) timer?.cancel()
    },
  }
}
