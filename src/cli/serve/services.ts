/** What runs in one process: the gateway, and beside it DNS, the watch, the dashboard. Made, started and stopped in order; for `run-gateway`. */
import { hostname } from 'node:os'
import { type Clock, systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import type { Log } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { CheckerOptions } from '../../checks/check-domain.ts'
import { readInBackground } from '../../config/background.ts'
import { type Loaded, loadConfig } from '../../config/load.ts'
import type { NameServer } from '../../dns/servers.ts'
import { createFigures } from '../../gateway/figures/figures.ts'
import { gaugesOf } from '../../gateway/figures/gauges.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Holding } from '../../gateway/hold/holding.ts'
import type { ControlHandlers } from '../../gateway/operate/control.ts'
import type { GatewaySettings, Listener } from '../../gateway/settings.ts'
import type { Store } from '../../store/store.ts'
import { configWords } from '../config-path.ts'
import { notedDeeds } from '../noted-deeds.ts'
import { processHandlers } from '../state-holder.ts'
import { createBackendsNow } from './backends-now.ts'
import { createDnsService } from './dns-service.ts'
import { createReloader, type Reloader } from './reload.ts'
import { withSeldomFailures } from './seldom-failures.ts'
import type { ServeDeps } from './serve-deps.ts'
import type { Telling } from './telling.ts'
import { createWatchService } from './watch-service.ts'
import { createWebService } from './web-service.ts'

export interface Services {
  readonly kind: 'services'
  readonly gateway: Gateway
  readonly reloader: Reloader
  /** What the control socket answers. */
  readonly handlers: ControlHandlers
  /** Rejects with the system's error where a place is taken; then `gateway.stop()` and `stop()` are still to be called. */
  /** @param isWatched  a person sees what is printed */
  start(isWatched: boolean): Promise<Started>
  /** To be called as soon as it is known that it will be stopped: what takes long ends soon, and nobody is told any more that it is ready. */
  stopSoon(): void
  /** All but the gateway, which comes before; also where it never started. */
  stop(): Promise<void>
}

export interface Started {
  readonly listeners: readonly Listener[]
  /** What is to be said of the dashboard. */
  readonly ofWeb: string | undefined
  readonly dns: readonly NameServer[]
}

export interface ServicesDeps extends Pick<ServeDeps, 'createGateway' | 'handlers' | 'version' | 'program'> {
  readonly log: Log
  readonly holding: Holding
  readonly store: Store | undefined
  readonly telling: Telling
  /** As in `ReloadDeps`. */
  readonly applied: (settings: GatewaySettings) => string | undefined
  readonly laboratory: CheckerOptions
}

/** @param path  of the configuration, to be loaded again */
export async function createServices(
  path: string,
  loaded: Loaded,
  deps: ServicesDeps,
): Promise<Services | { readonly kind: 'failed'; readonly why: string }> {
  const { log, holding, store, telling, applied, laboratory, version, program } = deps
  const dns = await createDnsService(loaded, log)
  if (dns.kind === 'failed') return dns
  const gateway = deps.createGateway(loaded.settings, {
    clock: systemClock,
    random: systemRandom,
    log: withSeldomFailures(log, systemClock),
    door: systemDoor,
    lookupHost: createHostLookup(systemClock),
    holding,
    tell: telling.tell,
  })
  const read = () => gaugesOf(gateway, holding)
  const figures = createFigures({ clock: systemClock, read })
  telling.listen(figures.tell)
  const watching = await createWatchService(loaded, { log, telling, store, read, gateway, laboratory })
  const { watch } = watching
  const backends = createBackendsNow(gateway, loaded.settings, systemClock)
  telling.listen(backends.hear)
  let isListening = false
  const web = await createWebService(loaded, {
    ...{ log, gateway, figures, telling, holding, watch, laboratory, version },
    since: backends.since,
    linkCommand: `${program} web link${configWords(path)}`,
    dnsServer: () => dns.figures,
    isReady: () => isListening,
  })
  const reloader = createReloader({
    ...{ path, gateway, log, applied },
    current: loaded,
    followers: {
      async backends(now) {
        backends.configured(now.settings)
        return undefined
      },
      async watch(now) {
        watching.configured(now)
        return undefined
      },
      dashboard: web.configured,
      'DNS server': dns.configured,
    },
    load: (reload) => loadConfig(path, { ...loadDeps(systemClock), ...reload, read: readInBackground }),
  })
  const plain = {
    ...deps.handlers(gateway),
    'backend.list': backends.list,
    ...processHandlers,
    'config.reload': reloader.handler,
    ...dns.handlers,
    ...watching.handlers,
    ...web.handlers,
  }
  const noted = watch && notedDeeds(plain, { clock: systemClock, history: watch.history })

  return {
    kind: 'services',
    gateway,
    reloader,
    handlers: noted?.handlers ?? plain,
    async start(isWatched) {
      const listeners = await gateway.start()
      // Mail does not wait for very many zones to be read; who asks DNS is answered only when all are there.
      await dns.configured(loaded)
      await dns.start()
      const ofWeb = await web.start(isWatched)
      isListening = true
      return { listeners, ofWeb, dns: dns.bound }
    },
    stopSoon() {
      // From now on the gateway takes nobody in.
      isListening = false
      dns.stopSoon()
    },
    async stop() {
      noted?.end()
      await web.stop()
      figures.stop()
      await watching.stop()
      await dns.stop()
    },
  }
}

export const loadDeps = (clock: Clock) => ({ clock, machineName: hostname() })
