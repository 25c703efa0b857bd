/**
 * What the gateway knows of every endpoint that it has met: its health, and whether a person took it out. Kept by the endpoint's key, so it
 * survives a reload. Deliveries report here; `cut-through` and `waypost backend list` ask.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { HealthReports } from '../delivery/delivery.ts'
import { faultText } from '../delivery/outcome.ts'
import { backendFields, type Endpoint } from '../routing/backend.ts'
import {
  freshHealth,
  type Health,
  type HealthEvent,
  type HealthState,
  healthState,
  nextHealth,
  trust,
} from '../routing/health.ts'

export interface Backends extends HealthReports {
  health(endpoint: Endpoint): Health
  /** The last answer to a dot brought a delivery. */
  delivered(endpoint: Endpoint): void
  /** @returns the moment, to be handed to `dotOver` */
  dotSent(endpoint: Endpoint): number
  dotOver(endpoint: Endpoint, sentMs: number, isAnswer: boolean): void
  /** Whether this backend has ever accepted a recipient of the domain (see `about-us.ts`). */
  hasAccepted(endpoint: Endpoint, domain: string): boolean
  accepted(endpoint: Endpoint, domain: string): void
  /** Forgets what DNS once named and what has not answered for long. */
  forget(endpoint: Endpoint): void
  /** Endpoints that were met, with their state now. */
  list(): readonly { readonly endpoint: Endpoint; readonly health: Health; readonly state: HealthState }[]
  /** Takes all endpoints of a backend out of service, or puts them back, also those not met yet. @param url `backend.url` */
  setOut(url: string, isOut: boolean): void
  readonly out: ReadonlySet<string>
}

export interface BackendsDeps {
  readonly clock: Clock
  readonly log: Log
  /** An endpoint has just gone down: the probe begins. */
  readonly onDown: (endpoint: Endpoint) => void
}

/** Pairs of backend and domain that are remembered; beyond it all are forgotten. A lost pair costs one careful 451. */
const mostAccepted = 100_000
/** Endpoints that are remembered; `mx` routes meet ever new ones. Beyond it those with nothing to remember go. */
const mostKnown = 10_000

export function createBackends({ clock, log, onDown }: BackendsDeps): Backends {
  const known = new Map<string, { endpoint: Endpoint; health: Health }>()
  /** By the backend's key. */
  const acceptedDomains = new Map<string, Set<string>>()
  let acceptedCount = 0
  const out = new Set<string>()

  function entry(endpoint: Endpoint) {
    const found = known.get(endpoint.key)
    if (found) return found
    const made = { endpoint, health: out.has(endpoint.backend.url) ? { ...freshHealth, isOut: true } : freshHealth }
    if (known.size >= mostKnown) forgetHealthy()
    known.set(endpoint.key, made)
    return made
  }

  function forgetHealthy(): void {
    for (const [key, { health }] of known) if (isUnremarkable(health)) known.delete(key)
  }

  function tell(endpoint: Endpoint, event: HealthEvent): void {
    const found = entry(endpoint)
    const before = healthState(found.health, clock.monotonicMs())
    found.health = nextHealth(found.health, event)
    const after = healthState(found.health, clock.monotonicMs())
    if (before === after) return
    const fields = {
      ...backendFields(endpoint),
      from: before,
      to: after,
      why: found.health.lastFault,
    }
    if (after === 'down' || after === 'slow') log.warn('backend state', fields)
    else log.info('backend state', after === 'suspect' ? fields : { ...fields, why: undefined })
    if (after === 'down') onDown(endpoint)
  }

  return {
    health: (endpoint) => entry(endpoint).health,
    opened: (endpoint) => tell(endpoint, { kind: 'opened' }),
    failed(endpoint, fault) {
      if (fault.kind === 'abandoned') return
      tell(endpoint, { kind: 'failed', isRefused: fault.kind === 'refused', fault: faultText(fault) })
    },
    delivered: (endpoint) => tell(endpoint, { kind: 'delivered' }),
    dotSent(endpoint) {
      const atMs = clock.monotonicMs()
      const found = entry(endpoint)
      found.health = nextHealth(found.health, { kind: 'dot-sent', atMs })
      return atMs
    },
    dotOver(endpoint, sentMs, isAnswer) {
      const found = entry(endpoint)
      found.health = nextHealth(found.health, { kind: 'dot-over', sentMs, atMs: clock.monotonicMs(), isAnswer })
    },
    hasAccepted: ({ backend }, domain) => acceptedDomains.get(backend.key)?.has(domain) ?? false,
    accepted({ backend }, domain) {
      const domains = acceptedDomains.get(backend.key)
      if (domains?.has(domain)) return
      if (domains) domains.add(domain)
      else acceptedDomains.set(backend.key, new Set([domain]))
      if (++acceptedCount <= mostAccepted) return
      acceptedDomains.clear()
      acceptedCount = 0
    },
    list() {
      const nowMs = clock.monotonicMs()
      return [...known.values()].map(({ endpoint, health }) => ({
        endpoint,
        health,
        state: healthState(health, nowMs),
      }))
    },
    forget: (endpoint) => void known.delete(endpoint.key),
    setOut(url, isOut) {
      if (isOut) out.add(url)
      else out.delete(url)
      for (const { endpoint } of known.values()) {
        if (endpoint.backend.url === url) tell(endpoint, { kind: isOut ? 'taken-out' : 'put-back' })
      }
    },
    out,
  }
}

const isUnremarkable = (health: Health) =>
  health.failures === 0 && !health.isDown && !health.isOut && health.behindDotMs.length === 0 && trust(health) === 1
