/**
 * What the gateway knows of every endpoint that it has met: its health, and whether a person took it out. Kept by the endpoint's key, so it
 * survives a reload. Deliveries and `cut-through` report here; `staging` and `waypost backend list` ask.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import { type IpAddress, networkKey } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { HealthReports } from '../../delivery/delivery.ts'
import { faultText } from '../../delivery/outcome.ts'
import { isPermanent } from '../../mail/reply.ts'
import type { Endpoint } from '../../routing/backend.ts'
import {
  type Dot,
  doubtedHealth,
  freshHealth,
  type Health,
  type HealthEvent,
  type HealthState,
  healthState,
  nextHealth,
  nextSlowMs,
  trust,
} from '../../routing/health.ts'
import { AcceptedDomains } from './accepted-domains.ts'
import { createStateChanges, type StateListeners, type ToldState } from './state-changes.ts'

export interface Backends extends HealthReports {
  health(endpoint: Endpoint): Health
  /** The last answer to a dot brought a delivery. */
  delivered(endpoint: Endpoint): void
  /** A session with it ended before the dot, or it said that it takes no mail now: kept for people, without a word on its state. */
  troubled(endpoint: Endpoint, what: string): void
  /** @param client  who sent the message @returns what is to be handed to `dotOver` */
  dotSent(endpoint: Endpoint, client: IpAddress): Dot
  dotOver(endpoint: Endpoint, dot: Dot, isAnswer: boolean): void
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

interface Entry extends ToldState {
  health: Health
  /** Set while time alone may make it slow. */
  timer: Timer | undefined
}

/** Endpoints that are remembered; `mx` routes meet ever new ones. Beyond it those with nothing to remember go. */
const mostKnown = 10_000

export function createBackends(deps: BackendsDeps): Backends {
  const { clock } = deps
  const known = new Map<string, Entry>()
  const acceptedDomains = new AcceptedDomains()
  const changes = createStateChanges(deps, deps)
  const out = new Set<string>()
  const doubted = new Set<string>()

  function entry(endpoint: Endpoint): Entry {
    const found = known.get(endpoint.key)
    if (found) return found
    // Strangers, to whom mail of our own goes, are met by no doubt.
    const isDoubted = endpoint.purpose !== 'dsn' && doubted.has(endpoint.backend.url)
    const made = freshEntry(endpoint, {
      ...(isDoubted ? doubtedHealth : freshHealth),
      isOut: out.has(endpoint.backend.url),
    })
    if (known.size >= mostKnown) forgetHealthy()
    known.set(endpoint.key, made)
    if (isDoubted) deps.onFailed(endpoint)
    return made
  }

  function forgetHealthy(): void {
    for (const [key, { health }] of known) if (isUnremarkable(health)) known.delete(key)
  }

  function tell(endpoint: Endpoint, event: HealthEvent): void {
    const found = entry(endpoint)
    const health = nextHealth(found.health, event)
    // As with nearly every message that it takes.
    if (health === found.health) return
    found.health = health
    changes.tell(found)
  }

  /** Slowness comes by time, so somebody must look when it may have come. */
  function watchSilence(found: Entry): void {
    if (found.timer) return
    const nowMs = clock.monotonicMs()
    const dueMs = nextSlowMs(found.health, nowMs)
    if (dueMs === undefined) return
    found.timer = clock.after(dueMs - nowMs, () => {
      found.timer = undefined
      changes.tellSlowness(found)
      watchSilence(found)
    })
  }

  return {
    health: (endpoint) => entry(endpoint).health,
    opened(endpoint) {
      tell(endpoint, { kind: 'opened' })
      if (doubted.size > 0 && endpoint.purpose !== 'dsn') doubted.delete(endpoint.backend.url)
    },
    failed(endpoint, fault) {
      if (fault.kind === 'abandoned') return
      tell(endpoint, {
        kind: 'failed',
        isRefused: fault.kind === 'refused',
        isRefusingUs: fault.reply !== undefined && isPermanent(fault.reply),
        fault: faultText(fault),
      })
    },
    delivered: (endpoint) => tell(endpoint, { kind: 'delivered' }),
    troubled: (endpoint, what) => tell(endpoint, { kind: 'troubled', what }),
    dotSent(endpoint, client) {
      const dot = { sentMs: clock.monotonicMs(), network: networkKey(client) }
      const found = entry(endpoint)
      found.health = nextHealth(found.health, { kind: 'dot-sent', dot })
      watchSilence(found)
      return dot
    },
    dotOver(endpoint, dot, isAnswer) {
      const found = entry(endpoint)
      found.health = nextHealth(found.health, { kind: 'dot-over', dot, atMs: clock.monotonicMs(), isAnswer })
      if (found.said === 'slow' || found.saidSlowFor !== undefined) changes.tellSlowness(found)
    },
    hasAccepted: ({ backend }, domain) => acceptedDomains.has(backend.key, domain),
    accepted: ({ backend }, domain) => acceptedDomains.add(backend.key, domain),
    list() {
      const nowMs = clock.monotonicMs()
      return [...known.values()].map(({ endpoint, health }) => ({
        endpoint,
        health,
        state: healthState(health, nowMs),
      }))
    },
    endpoints: () => [...known.values()].map(({ endpoint }) => endpoint),
    forget(endpoint) {
      known.get(endpoint.key)?.timer?.cancel()
      known.delete(endpoint.key)
    },
    setOut(url, isOut) {
      if (isOut) out.add(url)
      else out.delete(url)
      for (const { endpoint } of known.values()) {
        if (endpoint.backend.url === url) tell(endpoint, { kind: isOut ? 'taken-out' : 'put-back' })
      }
    },
    out,
    doubt(urls) {
      for (const url of urls) doubted.add(url)
    },
    doubted,
    stop() {
      for (const { timer } of known.values()) timer?.cancel()
    },
  }
}

const freshEntry = (endpoint: Endpoint, health: Health): Entry => ({
  endpoint,
  health,
  said: healthState(health, 0),
  saidSlowFor: undefined,
  timer: undefined,
})

const isUnremarkable = (health: Health) =>
  health.failures === 0 && !health.isDown && !health.isOut && health.behindDot.length === 0 && trust(health) === 1
