/** What `waypost backend list` shows: each address of each configured backend, with what is known of it. */
import type { Delivery } from '../delivery/delivery.ts'
import { addressText, type Backend, type Endpoint, type Route } from '../routing/backend.ts'
import type { HealthState } from '../routing/health.ts'
import type { Backends } from './backends.ts'
import type { GatewaySettings } from './settings.ts'

export interface BackendReport {
  readonly url: string
  /** `10.0.0.11:25`, a socket's path; empty for a Maildir, and where no message has asked yet. */
  readonly address: string
  readonly state: HealthState
  readonly sessions: number
  readonly lastError: string | null
  /** Share of the mail of the first route that names it which goes there now, 0–1; 0 for a spare and for what is out. */
  readonly share: number
}

export function reportBackends(
  settings: GatewaySettings,
  backends: Backends,
  delivery: Delivery,
): readonly BackendReport[] {
  const met = new Map<string, Met[]>()
  for (const each of backends.list()) {
    const key = each.endpoint.backend.key
    met.set(key, [...(met.get(key) ?? []), each])
  }
  const serves = ({ key, url }: Backend) => {
    const endpoints = met.get(key)
    return endpoints ? endpoints.some(({ state }) => isServing(state)) : !backends.out.has(url)
  }
  return configured(settings).flatMap(({ backend, route }) => {
    const share = shareIn(route, backend, serves)
    const endpoints = met.get(backend.key)
    if (!endpoints) {
      const state = backends.out.has(backend.url) ? 'out' : 'up'
      return [{ url: backend.url, address: '', state, sessions: 0, lastError: null, share } as const]
    }
    const serving = endpoints.filter(({ state }) => isServing(state)).length
    return endpoints.map(({ endpoint, health, state }) => {
      const { busy, idle } = delivery.sessions(endpoint)
      return {
        url: backend.url,
        address: placeText(endpoint.target),
        state,
        sessions: busy + idle,
        lastError: state === 'up' ? null : (health.lastFault ?? null),
        share: isServing(state) ? share / serving : 0,
      }
    })
  })
}

type Met = ReturnType<Backends['list']>[number]

const isServing = (state: HealthState) => state === 'up' || state === 'suspect'

/** Each backend of the configuration once, with the first route that names it. */
function configured({ destinations, postmaster }: GatewaySettings): readonly { backend: Backend; route: Route }[] {
  const found = new Map<string, { backend: Backend; route: Route }>()
  for (const route of [...destinations.routes, postmaster]) {
    for (const { backend } of route.entries) if (!found.has(backend.key)) found.set(backend.key, { backend, route })
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
