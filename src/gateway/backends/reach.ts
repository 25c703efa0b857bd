/**
 * The way to the backends, put together: which endpoints there are, which of them are up, who has been taken out of service, and what delivers to
 * them. Made by `gateway`.
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import type { HostLookup } from '../../base/host-lookup.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { createDelivery } from '../../delivery/create.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import type { Backend, Endpoint } from '../../routing/backend.ts'
import type { Tell } from '../events.ts'
import { backendsOf, type GatewaySettings, routesOf } from '../settings.ts'
import { type Backends, createBackends } from './backends.ts'
import { createDoubted } from './doubted.ts'
import { createEndpoints, type Endpoints, type EndpointsDeps } from './endpoints.ts'
import { createKnocks } from './knocks.ts'
import { type LeftWithout, leftWithout } from './left-without.ts'
import { createMailboxRoom } from './mailbox-room.ts'
import { createMxLookup, type MxLookup } from './mx.ts'
import { createOutOfService } from './out-of-service.ts'
import { createProbe } from './probe.ts'
import { type BackendReport, reportBackends } from './report.ts'
import type { StateListeners } from './state-changes.ts'

/** Of a backend that is taken out of service or put back. `unknown`: there is none of that name. `was-so`: nothing was done. */
export type SetOut = 'unknown' | 'was-so' | 'done'

export interface Reach {
  readonly backends: Backends
  readonly delivery: Delivery
  readonly endpoints: Endpoints
  readonly mx: Pick<MxLookup, 'resolver' | 'counts'>
  /** These were down when the last process ended. Before the start. @param urls  as in `report()` */
  doubt(urls: readonly string[]): void
  /** Takes out what was out of service before the start, and begins to try what was down, and to knock at what has no mail. */
  start(): Promise<void>
  /** Each configured backend with its endpoints. */
  report(): readonly BackendReport[]
  /** Tries at once those that are down and meant. */
  hurry(isMeant: (endpoint: Endpoint) => boolean): void
  /** @param url  as in `report()` @returns whether there is such a backend */
  tryNow(url: string): boolean
  /** Takes it out of service, or puts it back. @param url  as in `report()` */
  setOut(url: string, isOut: boolean): Promise<SetOut>
  /** Whose mail has nobody to go to because of that. @param url  as in `report()` */
  leftWithout(url: string): LeftWithout
  /** There are new settings. */
  settingsChanged(): void
  /** Nothing is tried any more that no mail asks for, and time makes nothing slow. */
  rest(): void
  /** Behind `delivery.close()`. */
  close(): void
}

export interface ReachDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
  readonly lookupHost: HostLookup
  readonly tell?: Tell | undefined
  /** Mail that is held for it can go. */
  readonly onUp: StateListeners['onUp']
  /** As that of `Endpoints`. */
  readonly onFound: EndpointsDeps['onFound']
}

export function createReach(settings: () => GatewaySettings, deps: ReachDeps): Reach {
  const { clock, random, log, door } = deps
  const backends = createBackends({
    clock,
    log,
    tell: deps.tell,
    onFailed: (endpoint) => probe.watch(endpoint),
    onSlow: (endpoint) => probe.watch(endpoint),
    onUp: deps.onUp,
  })
  const room = createMailboxRoom(settings, { clock, log })
  const hostname = () => settings().hostname
  const eightBit = () => settings().eightBit
  const delivery = createDelivery({ hostname, eightBit }, { clock, random, log, door, health: backends, room })
  const isWanted = (endpoint: Endpoint) => isConfigured(settings(), endpoint)
  const probe = createProbe(isWanted, { clock, random, log, delivery, forget: backends.forget })
  const mx = createMxLookup(settings, { clock, random, log, door })
  const endpoints = createEndpoints({
    clock,
    log,
    lookupHost: deps.lookupHost,
    lookupMx: mx.lookup,
    onFound: deps.onFound,
    postmaster: () => settings().postmaster,
  })
  const doubted = createDoubted({
    ...{ clock, log, backends, endpoints },
    routes: () => routesOf(settings()),
    domains: () => settings().destinations.domains,
  })
  const knocks = createKnocks({
    ...{ clock, random, log, backends, endpoints, delivery },
    configured: () => backendsOf(settings()),
  })
  const outOfService = createOutOfService(() => settings().state, backends)

  const report = () => reportBackends(settings(), backends, delivery, endpoints)
  const isReported = (url: string) => report().some((backend) => backend.url === url)

  const without = (url: string) => leftWithout(url, settings(), report())

  return {
    backends,
    delivery,
    endpoints,
    mx,
    doubt(urls) {
      const configured = routesOf(settings()).flatMap(({ entries }) => entries.map(({ backend }) => backend))
      const meant = new Set(configured.filter(isOurs).map(({ url }) => url))
      backends.doubt(urls.filter((url) => meant.has(url)))
    },
    async start() {
      await outOfService.restore()
      doubted.meet()
      knocks.begin()
    },
    report,
    hurry: probe.hurry,
    tryNow(url) {
      const isKnown = isReported(url)
      if (isKnown) probe.hurry(({ backend }) => backend.url === url)
      return isKnown
    },
    async setOut(url, isOut) {
      if (!backends.out.has(url) && !isReported(url)) return 'unknown'
      if (!(await outOfService.set(url, isOut))) return 'was-so'
      const { held, deferred } = isOut ? without(url) : { held: [], deferred: [] }
      if (held.length + deferred.length > 0)
        log.warn('no backend left in service', { backend: url, held: firstNames(held), deferred: firstNames(deferred) })
      return 'done'
    },
    leftWithout: without,
    settingsChanged() {
      // One that was down when it left, and was not tried any more, may be back.
      for (const { endpoint, health } of backends.list()) if (health.failures > 0) probe.watch(endpoint)
      knocks.backendsChanged()
    },
    rest() {
      doubted.stop()
      knocks.stop()
      probe.stop()
      backends.stop()
    },
    close: mx.close,
  }
}

/** For the log: a name, or the first of many. */
const firstNames = (names: readonly string[]) =>
  names.length > 3 ? [...names.slice(0, 3), `and ${names.length - 3} more`] : names

/** Not a way to strangers, to whom mail of our own goes: those are asked by mail alone. */
const isOurs = ({ address }: Backend): boolean => address.protocol !== 'mx' || !address.isForOwnMail

/** Whether an endpoint still belongs to a declared route; `mx` endpoints come from DNS and are tried while they are known. */
function isConfigured(settings: GatewaySettings, endpoint: Endpoint): boolean {
  if (endpoint.purpose === 'dsn') return true
  return routesOf(settings).some(({ entries }) => entries.some(({ backend }) => backend.key === endpoint.backend.key))
}
