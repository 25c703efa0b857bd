/** What `waypost backend list` shows: each address of each configured backend, with what is known of it. */
import type { Delivery } from '../../delivery/delivery.ts'
import { addressText, type Backend, type Endpoint, type Route } from '../../routing/backend.ts'
import { downBefore, faultNow, type HealthState, isServing } from '../../routing/health.ts'
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
  /** Share of its route's mail which goes there now, 0–1; 0 for a spare and for what is out. Of several routes, the largest. */
  readonly share: number
  /** Where several routes name it: of each, 20 at most. */
  readonly shares?: readonly { readonly route: string; readonly share: number }[]
}

export function reportBackends(
  settings: GatewaySettings,
  backends: Backends,
  delivery: Delivery,
  { whyNameless }: Pick<Endpoints, 'whyNameless'>,
): readonly BackendReport[] {
  const met = new Map<string, Met[]>()
  for (const each of backends.list()) {
    const key = each.endpoint.backend.key
    met.set(key, [...(met.get(key) ?? []), each])
  }
  const serves = (backend: Backend) => {
    const endpoints = met.get(backend.key)
    return endpoints ? endpoints.some(({ state }) => isServing(state)) : isServing(unmet(backend).state)
  }
  /** No address of it has been met. */
  const unmet = ({ url, address }: Backend): Pick<BackendReport, 'state' | 'lastError'> => {
    const why = 'host' in address ? whyNameless(address.host) : undefined
    if (backends.out.has(url)) return { state: 'out', lastError: null }
    if (why !== undefined) return { state: 'down', lastError: `its name has no address in DNS: ${why}` }
    return backends.doubted.has(url) ? { state: 'suspect', lastError: downBefore } : { state: 'up', lastError: null }
  }
  return configured(settings).flatMap(({ backend, routes }) => {
    const all = routes.map((route) => ({ route: route.id, share: shareIn(route, backend, serves) }))
    const shared = (part: number) => ({
      share: part * Math.max(...all.map(({ share }) => share)),
      ...(all.length > 1
        ? { shares: all.slice(0, mostShares).map(({ route, share }) => ({ route, share: part * share })) }
        : {}),
    })
    const endpoints = met.get(backend.key)
    if (!endpoints) {
      const { state, lastError } = unmet(backend)
      const share = isServing(state) ? 1 : 0
      return [{ url: backend.url, address: '', state, sessions: 0, lastError, ...shared(share) } as const]
    }
    const serving = endpoints.filter(({ state }) => isServing(state)).length
    return endpoints.map(({ endpoint, health, state }) => {
      const { busy, idle } = delivery.sessions(endpoint)
      return {
        url: backend.url,
        address: placeText(endpoint.target),
        state,
        sessions: busy + idle,
        lastError: faultNow(health) ?? null,
        ...shared(isServing(state) ? 1 / serving : 0),
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

/** By weight among those of the best tier that serves at all; who stands behind it is a spare. */
function shareIn(route: Route, backend: Backend, serves: (backend: Backend) => boolean): number {
  const serving = route.entries.filter((entry) => serves(entry.backend))
  const best = Math.min(...serving.map(({ preference }) => preference))
  const tier = serving.filter(({ preference }) => preference === best)
  const own = tier.find((entry) => entry.backend.key === backend.key)
  return own ? own.weight / tier.reduce((sum, { weight }) => sum + weight, 0) : 0
}

function placeText(target: Endpoint['target']): string {
  if (target.kind === 'unix') return target.path
  return target.kind === 'maildir' ? '' : addressText(target)
}
