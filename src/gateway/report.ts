/** What `waypost backend list` shows: each configured backend with the addresses that were met behind it. */
import type { Delivery } from '../delivery/delivery.ts'
import type { Backend } from '../routing/backend.ts'
import type { HealthState } from '../routing/health.ts'
import type { Backends } from './backends.ts'
import type { GatewaySettings } from './settings.ts'

export interface BackendReport {
  readonly url: string
  /** Names of the routes that it stands in. */
  readonly routes: readonly string[]
  readonly isOut: boolean
  /** Empty until the first message has asked for it. */
  readonly endpoints: readonly EndpointReport[]
}

export interface EndpointReport {
  /** `10.0.0.11:25`, a socket's path, or empty for a Maildir. */
  readonly address: string
  readonly state: HealthState
  readonly sessions: { readonly busy: number; readonly idle: number; readonly waiting: number }
  readonly lastFault: string | undefined
}

export function reportBackends(
  settings: GatewaySettings,
  backends: Backends,
  delivery: Delivery,
): readonly BackendReport[] {
  const reports = new Map<string, { backend: Backend; routes: Set<string> }>()
  for (const route of [...settings.destinations.routes, settings.postmaster]) {
    for (const { backend } of route.entries) {
      const report = reports.get(backend.key) ?? { backend, routes: new Set() }
      report.routes.add(route.id)
      reports.set(backend.key, report)
    }
  }
  const met = backends.list()
  return [...reports.values()].map(({ backend, routes }) => ({
    url: backend.url,
    routes: [...routes],
    isOut: backends.out.has(backend.url),
    endpoints: met
      .filter(({ endpoint }) => endpoint.backend.key === backend.key)
      .map(({ endpoint, health, state }) => ({
        address: addressText(endpoint.target),
        state,
        sessions: delivery.sessions(endpoint),
        lastFault: health.lastFault,
      })),
  }))
}

function addressText(
  target: { kind: 'tcp'; address: string; port: number } | { kind: 'unix'; path: string } | { kind: 'maildir' },
): string {
  if (target.kind === 'tcp')
    return target.address.includes(':') ? `[${target.address}]:${target.port}` : `${target.address}:${target.port}`
  return target.kind === 'unix' ? target.path : ''
}
