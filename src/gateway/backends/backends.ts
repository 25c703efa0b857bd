/**
 * What the gateway knows of every endpoint that it has met: its health, and whether a person took it out. Kept by the endpoint's key, so it
 * survives a reload. Deliveries report here; `cut-through` and `waypost backend list` ask.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import { type IpAddress, networkKey } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { HealthReports } from '../../delivery/delivery.ts'
import { faultText } from '../../delivery/outcome.ts'
import { isPermanent } from '../../mail/reply.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'
import {
  type Dot,
  freshHealth,
  type Health,
  type HealthEvent,
  type HealthState,
  healthState,
  nextHealth,
  nextSlowMs,
  slowNetwork,
  trust,
} from '../../routing/health.ts'
import type { Tell } from '../events.ts'

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
  /** Time makes nothing slow any more. */
  stop(): void
}

export interface BackendsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  /** An endpoint has just gone down, or has failed for the first time, and then its mail may go elsewhere for good: the probe begins. */
  readonly onFailed: (endpoint: Endpoint) => void
  /** An endpoint has just become slow, for everybody or for one network: whether it still greets is worth asking. */
  readonly onSlow: (endpoint: Endpoint) => void
  /** One that was no candidate, or not quite, is up: what is held for it can go. */
  readonly onUp: (endpoint: Endpoint) => void
}

interface Entry {
  readonly endpoint: Endpoint
  health: Health
  /** What the log was told last. */
  said: HealthState
  saidSlowFor: string | undefined
  /** Set while time alone may make it slow. */
  timer: Timer | undefined
}

/** Pairs of backend and domain that are remembered; beyond it all are forgotten. A lost pair costs one careful 451. */
const mostAccepted = 100_000
/** Endpoints that are remembered; `mx` routes meet ever new ones. Beyond it those with nothing to remember go. */
const mostKnown = 10_000

export function createBackends({ clock, log, tell: hear, onFailed, onSlow, onUp }: BackendsDeps): Backends {
  const known = new Map<string, Entry>()
  /** By the backend's key. */
  const acceptedDomains = new Map<string, Set<string>>()
  let acceptedCount = 0
  const out = new Set<string>()

  function entry(endpoint: Endpoint): Entry {
    const found = known.get(endpoint.key)
    if (found) return found
    const isOut = out.has(endpoint.backend.url)
    const made: Entry = {
      endpoint,
      health: isOut ? { ...freshHealth, isOut } : freshHealth,
      said: isOut ? 'out' : 'up',
      saidSlowFor: undefined,
      timer: undefined,
    }
    if (known.size >= mostKnown) forgetHealthy()
    known.set(endpoint.key, made)
    return made
  }

  function forgetHealthy(): void {
    for (const [key, { health }] of known) if (isUnremarkable(health)) known.delete(key)
  }

  function tell(endpoint: Endpoint, event: HealthEvent): void {
    const found = entry(endpoint)
    found.health = nextHealth(found.health, event)
    sayState(found)
  }

  /** Whatever changed the state, an event or time: the log hears it, and the probe. */
  function sayState(found: Entry): void {
    const { endpoint, health, said: from } = found
    const to = healthState(health, clock.monotonicMs())
    if (from === to) return
    found.said = to
    const why = to === 'slow' ? silence : to === 'down' || to === 'suspect' ? health.lastFault : undefined
    const fields = { ...backendFields(endpoint), from, to, why }
    hear?.({ kind: 'backend-state', atMs: clock.now(), endpoint: undefined, ...fields })
    if (to === 'down' || to === 'slow') log.warn('backend state', fields)
    else log.info('backend state', fields)
    // A stranger, to whom mail of our own goes, is not knocked at for one failure.
    if (to === 'down' || (to === 'suspect' && endpoint.purpose !== 'dsn')) onFailed(endpoint)
    if (to === 'slow') onSlow(endpoint)
    if (to === 'up') onUp(endpoint)
  }

  function saySlowness(found: Entry): void {
    sayState(found)
    const { endpoint, health, saidSlowFor: before } = found
    const network = slowNetwork(health, clock.monotonicMs())
    if (network === before) return
    found.saidSlowFor = network
    if (network === undefined) {
      log.info('backend slow for one network no more', { ...backendFields(endpoint), network: before })
      return
    }
    log.warn('backend slow for one network', { ...backendFields(endpoint), network, why: silence })
    onSlow(endpoint)
  }

  /** Slowness comes by time, so somebody must look when it may have come. */
  function watchSilence(found: Entry): void {
    if (found.timer) return
    const nowMs = clock.monotonicMs()
    const dueMs = nextSlowMs(found.health, nowMs)
    if (dueMs === undefined) return
    found.timer = clock.after(dueMs - nowMs, () => {
      found.timer = undefined
      saySlowness(found)
      watchSilence(found)
    })
  }

  return {
    health: (endpoint) => entry(endpoint).health,
    opened: (endpoint) => tell(endpoint, { kind: 'opened' }),
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
      if (found.said === 'slow' || found.saidSlowFor !== undefined) saySlowness(found)
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
    stop() {
      for (const { timer } of known.values()) timer?.cancel()
    },
  }
}

const silence = 'three messages or more unanswered for over a minute'

const isUnremarkable = (health: Health) =>
  health.failures === 0 && !health.isDown && !health.isOut && health.behindDot.length === 0 && trust(health) === 1
