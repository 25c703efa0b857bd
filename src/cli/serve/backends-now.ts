/**
 * `backend.list` on the control socket: what the gateway says of its backends, since when each is so, which it hears as it happens, and which routes and
 * domains name it. Called by `services.ts`.
 */
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { BackendReport } from '../../gateway/backends/report.ts'
import type { Tell } from '../../gateway/events.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { ControlHandler } from '../../gateway/operate/control.ts'
import { backendsOf, type GatewaySettings, routesOf } from '../../gateway/settings.ts'
import type { Route } from '../../routing/backend.ts'
import { declaredName } from '../../routing/destinations.ts'
import type { BackendList } from '../backend-list.ts'

export interface BackendsNow {
  readonly hear: Tell
  /** The gateway runs on these settings from now on. */
  configured(settings: GatewaySettings): void
  readonly list: ControlHandler
  /** Since when a backend is in its state. */
  since(backend: BackendReport): { readonly sinceMs: number | null; readonly sinceIsExact?: boolean }
}

interface Change {
  readonly to: BackendReport['state']
  readonly atMs: number
}

type Part = NonNullable<BackendList[number]['routes']>[number]

const mostChanges = 10_000
const mostRoutes = 20
const mostNamed = 3

export function createBackendsNow(
  gateway: Pick<Gateway, 'backends'>,
  initial: GatewaySettings,
  clock: Clock,
): BackendsNow {
  let settings = initial
  /** The last one of each address. */
  const changes = new BoundedMap<string, Change>(mostChanges)
  /** When each backend was first known, by its URL. */
  let knownMs: ReadonlyMap<string, number> = new Map()
  configured(initial)

  function configured(now: GatewaySettings): void {
    settings = now
    const nowMs = clock.now()
    knownMs = new Map(backendsOf(now).map(({ url }) => [url, knownMs.get(url) ?? nowMs]))
  }

  function since({ url, address, state }: BackendReport): ReturnType<BackendsNow['since']> {
    // A socket and a Maildir have no endpoint by name.
    const change = changes.get(keyOf(url, address)) ?? changes.get(keyOf(url, undefined))
    if (change?.to === state) return { sinceMs: change.atMs, sinceIsExact: true }
    // What is otherwise without a change was found so, and of what was never asked nothing is known.
    if (change || state !== 'up' || address === '') return { sinceMs: null }
    return { sinceMs: knownMs.get(url) ?? null, sinceIsExact: false }
  }

  return {
    hear(event) {
      if (event.kind === 'backend-state')
        changes.set(keyOf(event.backend, event.endpoint), { to: event.to, atMs: event.atMs })
    },
    configured,
    since,
    list() {
      const parts = partsByUrl(settings)
      const result = gateway.backends().map((report) => ({
        ...report,
        ...since(report),
        routes: parts.get(report.url)?.slice(0, mostRoutes) ?? [],
      }))
      return { kind: 'done', result }
    },
  }
}

const keyOf = (url: string, endpoint: string | undefined) => `${url} ${endpoint ?? ''}`

function partsByUrl(settings: GatewaySettings): ReadonlyMap<string, readonly Part[]> {
  const served = domainsByRoute(settings)
  const parts = new Map<string, Part[]>()
  for (const route of routesOf(settings)) {
    const { count, first } = served.get(route) ?? { count: 0, first: [] }
    const isNamedByOne = first.length === 0 || first.includes(route.id)
    for (const { backend, preference, weight } of route.entries) {
      const part = {
        route: route.id,
        preference,
        weight,
        domains: count,
        ...(isNamedByOne ? {} : { firstDomains: first }),
      }
      const known = parts.get(backend.url)
      if (known) known.push(part)
      else parts.set(backend.url, [part])
    }
  }
  return parts
}

function domainsByRoute({ destinations }: GatewaySettings) {
  const served = new Map<Route, { count: number; readonly first: string[] }>()
  const add = (route: Route, name: string) => {
    const known = served.get(route) ?? { count: 0, first: [] }
    known.count++
    if (known.first.length < mostNamed) known.first.push(name)
    served.set(route, known)
  }
  for (const domain of destinations.domains) {
    const name = declaredName(domain)
    add(domain.route, name)
    if (domain.addresses.size === 0) continue
    for (const route of new Set(domain.addresses.values())) if (route !== domain.route) add(route, name)
  }
  return served
}
