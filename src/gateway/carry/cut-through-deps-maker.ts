/**
 * What cut-through is handed: made once for each load of the settings and not for each session. Whose turn it is among the backends of a route
 * survives a reload. Made by `gateway`, for senders who wait and, with other budgets, for the drain.
 */
import type { Route } from '../../routing/backend.ts'
import { type Balancer, createBalancer } from '../../routing/balance.ts'
import { shortSteps } from '../../smtp/client/step-limits.ts'
import { type GatewaySettings, routesOf } from '../settings.ts'
import type { CutThroughDeps, LearnFromAnswers } from './cut-through-deps.ts'
import { depsForHeldMail } from './held-mail-deps.ts'
import { WaitingPlaces } from './waiting-places.ts'

export interface CutThroughDepsMaker {
  /** @param settings  those of now, or those that a session began with */
  of(settings: GatewaySettings): CutThroughDeps
  /** For held mail, with the time that there is where nobody waits. @param settings  those of now */
  forHeldMail(settings: GatewaySettings): CutThroughDeps
  /** Routes that these do not have are known no more. */
  keepOnly(settings: GatewaySettings): void
}

export interface CutThroughDepsMakerDeps
  extends Pick<CutThroughDeps, 'clock' | 'log' | 'sparingly' | 'delivery' | 'backends' | 'endpoints' | 'live'> {
  /** Who hears what backends say of recipients; undefined where nothing is learnt. */
  readonly learner: (settings: GatewaySettings) => LearnFromAnswers | undefined
}

export function createCutThroughDepsMaker({ learner, ...shared }: CutThroughDepsMakerDeps): CutThroughDepsMaker {
  /** By what the route is and not by the object, which is another one behind a reload. */
  const balancers = new Map<string, Balancer>()
  /** The same by the object, which is looked up faster. */
  const ofRoutes = new WeakMap<Route, Balancer>()
  let last: Made | undefined
  let lastForHeld: Made | undefined

  function balancer(route: Route): Balancer {
    const known = ofRoutes.get(route)
    if (known) return known
    const key = balancerKey(route)
    const found = balancers.get(key) ?? createBalancer(route.balance)
    balancers.set(key, found)
    ofRoutes.set(route, found)
    return found
  }

  function make(settings: GatewaySettings): CutThroughDeps {
    const { hostname, budgets } = settings
    const waitingPlaces = new WaitingPlaces(shared.clock, budgets.sessionIdleInTransactionMs)
    return { ...shared, balancer, hostname, budgets, steps: shortSteps, waitingPlaces, onAnswer: learner(settings) }
  }

  function of(settings: GatewaySettings): CutThroughDeps {
    if (last?.for !== settings) last = { for: settings, deps: make(settings) }
    return last.deps
  }

  return {
    of,
    forHeldMail(settings) {
      if (lastForHeld?.for !== settings) lastForHeld = { for: settings, deps: depsForHeldMail(of(settings)) }
      return lastForHeld.deps
    },
    keepOnly(settings) {
      const configured = new Set(routesOf(settings).map(balancerKey))
      for (const key of balancers.keys()) if (!configured.has(key)) balancers.delete(key)
    },
  }
}

interface Made {
  readonly for: GatewaySettings
  readonly deps: CutThroughDeps
}

const balancerKey = (route: Route) => `${route.balance} ${route.id}`
