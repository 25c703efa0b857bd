/** Tells how the state of an endpoint has changed, each change once: the log, whoever hears events, the probe, and the drain. For `backends`. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'
import { type Health, type HealthState, healthState, isServing, slowNetwork } from '../../routing/health.ts'
import type { Tell } from '../events.ts'

export interface StateListeners {
  readonly tell?: Tell | undefined
  /** An endpoint has just gone down, or has failed for the first time, and then its mail may go elsewhere for good: the probe begins. */
  readonly onFailed: (endpoint: Endpoint) => void
  /** An endpoint has just become slow, for everybody or for one network: whether it still greets is worth asking. */
  readonly onSlow: (endpoint: Endpoint) => void
  /** One that was no candidate, or not quite, or not for everybody, is one: what is held for it can go. @param wasAway  its backend was down, with all of its addresses */
  readonly onUp: (endpoint: Endpoint, wasAway: boolean) => void
}

/** An endpoint as it stands, and as it was told. */
export interface ToldState {
  readonly endpoint: Endpoint
  readonly health: Health
  said: HealthState
  saidSlowFor: string | undefined
}

export interface StateChanges {
  /** Whatever changed the state, an event or time. */
  tell(of: ToldState): void
  /** The same, and whether it is slow for one network. */
  tellSlowness(of: ToldState): void
}

export interface StateChangesDeps {
  readonly clock: Clock
  readonly log: Log
  /** Whether another address of its backend may be handed mail. */
  readonly othersServe: (endpoint: Endpoint) => boolean
}

export function createStateChanges(
  { clock, log, othersServe }: StateChangesDeps,
  { tell: hear, onFailed, onSlow, onUp }: StateListeners,
): StateChanges {
  function tell(of: ToldState): void {
    const { endpoint, health, said: from } = of
    const to = healthState(health, clock.monotonicMs())
    if (from === to) return
    of.said = to
    const why = to === 'slow' ? silence : to === 'down' || to === 'suspect' ? health.lastFault : undefined
    const fields = { ...backendFields(endpoint), from, to, why }
    hear?.({ kind: 'backend-state', atMs: clock.now(), endpoint: undefined, ...fields })
    if (to === 'down' || to === 'slow') log.warn('backend state', fields)
    else log.info('backend state', fields)
    // A stranger, to whom mail of our own goes, is not knocked at for one failure.
    if (to === 'down' || (to === 'suspect' && endpoint.purpose !== 'dsn')) onFailed(endpoint)
    if (to === 'slow') onSlow(endpoint)
    if (to === 'up') onUp(endpoint, from === 'down' && !othersServe(endpoint))
  }

  function tellSlowness(of: ToldState): void {
    tell(of)
    const { endpoint, health, saidSlowFor: before } = of
    const network = slowNetwork(health, clock.monotonicMs())
    if (network === before) return
    of.saidSlowFor = network
    if (network === undefined) {
      log.info('backend slow for one network no more', { ...backendFields(endpoint), network: before })
      if (isServing(of.said)) onUp(endpoint, false)
      return
    }
    log.warn('backend slow for one network', { ...backendFields(endpoint), network, why: silence })
    onSlow(endpoint)
  }

  return { tell, tellSlowness }
}

const silence = 'three messages or more unanswered for over a minute'
