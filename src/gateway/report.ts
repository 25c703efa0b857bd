/** What `waypost backend list` shows: each address of each configured backend, with what is known of it. */
import type { Delivery } from '../delivery/delivery.ts'
import type { Backend, Endpoint, Route } from '../routing/backend.ts'
import type { HealthState } from '../routing/health.ts'
import { addressText, type Backends } from './backends.ts'
import type { GatewaySettings } from './settings.ts'

export interface BackendReport {
  readonly url: string
  /** `10.0.0.11:25`, a socket's path; empty for a Maildir, and where no message has asked yet. */
  readonly address: string
  readonly state: HealthState
  readonly sessions: number
  readonly lastError: string | null
  /** Share of its tier's mail that it is meant to get, 0–1, in the first route that names it. */
  readonly share: number
}

export function reportBackends(
  settings: GatewaySettings,
  backends: Backends,
  delivery: Delivery,
): readonly BackendReport[] {
  const met = backends.list()
  return configured(settings).flatMap(({ backend, share }) => {
    const endpoints = met.filter(({ endpoint }) => endpoint.backend.key === backend.key)
    if (endpoints.length === 0) {
      const state = backends.out.has(backend.url) ? 'out' : 'up'
      return [{ url: backend.url, address: '', state, sessions: 0, lastError: null, share } as const]
    }
    return endpoints.map(({ endpoint, health, state }) => {
      const { busy, idle } = delivery.sessions(endpoint)
      return {
        url: backend.url,
        address: placeText(endpoint.target),
        state,
        sessions: busy + idle,
        lastError: state === 'up' ? null : (health.lastFault ?? null),
        share: share / endpoints.length,
      }
    })
  })
}

/** Each backend of the configuration once. */
function configured({ destinations, postmaster }: GatewaySettings): readonly { backend: Backend; share: number }[] {
  const found = new Map<string, { backend: Backend; share: number }>()
  for (const route of [...destinations.routes, postmaster]) {
    for (const { backend } of route.entries) {
      if (!found.has(backend.key)) found.set(backend.key, { backend, share: shareIn(route, backend) })
    }
  }
  return [...found.values()]
}

function shareIn(route: Route, backend: Backend): number {
  const own = route.entries.find((entry) => entry.backend.key === backend.key)
  const tier = route.entries.filter((entry) => entry.preference === own?.preference)
  return (own?.weight ?? 0) / tier.reduce((sum, { weight }) => sum + weight, 0)
}

function placeText(target: Endpoint['target']): string {
  if (target.kind === 'unix') return target.path
  return target.kind === 'maildir' ? '' : addressText(target)
}
