/** What `waypost backend list` shows: each address of each configured backend, with what is known of it. */
import type { Delivery } from '../../delivery/delivery.ts'
import { addressText, type Backend, type Endpoint, type Route } from '../../routing/backend.ts'
import { downBefore, faultNow, type HealthState } from '../../routing/health.ts'
import { type GatewaySettings, routesOf } from '../settings.ts'
import type { Backends } from './backends.ts'
import type { Endpoints } from './endpoints.ts'

export interface BackendReport {
  readonly url: string
  /** `10.0.0.11:25`, a socket's path; empty for a Maildir, and where it has not been asked yet. */
  readonly address: string
  readonly state: HealthState
  readonly sessions: number
  /** What is wrong with it now, or was at the last message that it did not take; null where nothing is. */
  readonly lastError: string | null
  /** What a person can do about that, where it is known. */
  readonly remedy?: string
  /** Share of its route's mail which goes there now, 0–1; 0 for a spare, for what is out, and for what is suspect while another is up. Of several routes, the largest. */
  readonly share: number
  /** Where several routes name it: of each, 20 at most. */
  readonly shares?: readonly { readonly route: string; readonly share: number }[]
}

export function reportBackends(
  settings: GatewaySettings,
  backends: Backends,
  delivery: Delivery,
  { whyNameless, whyUnknown }: Pick<Endpoints, 'whyNameless' | 'whyUnknown'>,
): readonly BackendReport[] {
  const met = new Map<string, Met[]>()
  for (const each of backends.list()) {
    const key = each.endpoint.backend.key
    met.set(key, [...(met.get(key) ?? []), each])
  }
  const statesOf = (backend: Backend) => met.get(backend.key)?.map(({ state }) => state) ?? [unmet(backend).state]
  /** No address of it has been met. */
  const unmet = (backend: Backend): Pick<BackendReport, 'state' | 'lastError' | 'remedy'> => {
    const { url, address } = backend
    const whyNoAddress = 'host' in address ? whyNameless(address.host) : undefined
    const unknown =
      whyNoAddress === undefined ? whyUnknown(backend) : { why: `its name has no address in DNS: ${whyNoAddress}` }
    if (backends.out.has(url)) return { state: 'out', lastError: null }
    if (unknown) {
      const { why, ...remedy } = unknown
      return { state: 'down', lastError: why, ...remedy }
    }
    return backends.doubted.has(url) ? { state: 'suspect', lastError: downBefore } : { state: 'up', lastError: null }
  }
  return configured(settings).flatMap(({ backend, routes }) => {
    const parts = routes.map((route) => ({ route: route.id, ...partIn(route, backend, statesOf) }))
    const shared = (state: HealthState) => {
      const shares = parts.map(({ route, taking, part }) => ({ route, share: state === taking ? part : 0 }))
      return {
        share: shares.reduce((most, { share }) => Math.max(most, share), 0),
        ...(shares.length > 1 ? { shares: shares.slice(0, mostShares) } : {}),
      }
    }
    const endpoints = met.get(backend.key)
    if (!endpoints) {
      const how = unmet(backend)
      return [{ url: backend.url, address: '', sessions: 0, ...how, ...shared(how.state) } as const]
    }
    return endpoints.map(({ endpoint, health, state }) => {
      const { busy, idle } = delivery.sessions(endpoint)
      return {
        url: backend.url,
        address: placeText(endpoint.target),
        state,
        sessions: busy + idle,
        lastError: faultNow(health) ?? null,
        ...shared(state),
      }
    })
  })
}

type Met = ReturnType<Backends['list']>[number]

const mostShares = 20

/** Each backend of the configuration once, with the routes that name it. */
function configured(settings: GatewaySettings): readonly { backend: Backend; routes: Route[] }[] {
  const found = new Map<string, { backend: Backend; routes: Route[] }>()
  for (const route of routesOf(settings)) {
    for (const { backend } of route.entries) {
      const known = found.get(backend.key)
      if (!known) found.set(backend.key, { backend, routes: [route] })
      else if (!known.routes.includes(route)) known.routes.push(route)
    }
  }
  return [...found.values()]
}

/**
 * What each address of the backend that is in the state `taking` gets of the route's mail: by weight among those of the best tier; who stands behind it is a spare.
 * Those that are suspect get mail only while none of the route is up (`routing/balance.ts`).
 */
function partIn(
  route: Route,
  backend: Backend,
  statesOf: (backend: Backend) => readonly HealthState[],
): { readonly taking: HealthState; readonly part: number } {
  const isAny = (state: HealthState) => route.entries.some((entry) => statesOf(entry.backend).includes(state))
  const taking = isAny('up') ? 'up' : 'suspect'
  const takers = route.entries.filter((entry) => statesOf(entry.backend).includes(taking))
  const best = Math.min(...takers.map(({ preference }) => preference))
  const tier = takers.filter(({ preference }) => preference === best)
  const own = tier.find((entry) => entry.backend.key === backend.key)
  if (!own) return { taking, part: 0 }
  const addresses = statesOf(backend).filter((state) => state === taking).length
  return { taking, part: own.weight / tier.reduce((sum, { weight }) => sum + weight, 0) / addresses }
}

function placeText(target: Endpoint['target']): string {
  if (target.kind === 'unix') return target.path
  return target.kind === 'maildir' ? '' : addressText(target)
}
