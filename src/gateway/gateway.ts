/**
 * The gateway: its table of contents. It builds the parts and wires them; what each does stands in its own file.
 *
 *   smtp/server → accept → recipients → cut-through → routing (balance, health) → delivery → a backend
 *                    ↘ message-sink (body) → hand-over ↗   ↖ endpoints (names, mx)   ↖ probe (what is down)
 *                                                ↘ kept (hold, drain, notices)
 */
import { join } from 'node:path'
import { createBoundPlaces } from '../base/bound-places.ts'
import { type Clock, within } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { HostLookup } from '../base/host-lookup.ts'
import { createBudget, createKeyedBudget, createRateCounter } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import { makeFolder } from '../base/make-folder.ts'
import type { Random } from '../base/random.ts'
import { createDelivery } from '../delivery/create.ts'
import type { ResolverCounts } from '../dns/resolver.ts'
import { createMessageIds } from '../mail/trace.ts'
import type { Endpoint } from '../routing/backend.ts'
import type { SmtpServerOptions } from '../smtp/server/options.ts'
import { createSmtpServer, type SmtpServer } from '../smtp/server/server.ts'
import { createBackends } from './backends/backends.ts'
import { createEndpoints } from './backends/endpoints.ts'
import { createMailboxRoom } from './backends/mailbox-room.ts'
import { createMxLookup } from './backends/mx.ts'
import { createOutOfService } from './backends/out-of-service.ts'
import { createProbe } from './backends/probe.ts'
import { type BackendReport, reportBackends } from './backends/report.ts'
import { createCarriage } from './carry/carriage.ts'
import { LiveFirst } from './carry/live-first.ts'
import { type Tell, tellingAlerts } from './events.ts'
import type { Holding } from './hold/holding.ts'
import { createKept, type HeldMail, learner } from './kept.ts'
import { createAccept } from './receive/accept.ts'
import { prepareSpool } from './receive/body.ts'
import { createCertificate } from './receive/certificate.ts'
import { createConnectionPlaces } from './receive/connection-places.ts'
import { createEtrn } from './receive/etrn.ts'
import { createOwnProbes } from './receive/own-probes.ts'
import { createRepeatMemory } from './receive/repeat-memory.ts'
import { createToldRefusals } from './receive/told-refusals.ts'
import { type GatewaySettings, type Listener, routesOf } from './settings.ts'
import { createToldOnce } from './told-once.ts'

/** What a gateway needs from outside: time, chance, log, the way to the network, where its backends are, and where messages are held. */
export interface GatewayDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
  /** Addresses of backends that are configured by name. */
  readonly lookupHost: HostLookup
  /** Undefined: nothing is held, whatever the domains' policy. */
  readonly holding?: Holding | undefined
  /** Hears what happens, while a sender waits: see `events.ts`. */
  readonly tell?: Tell | undefined
}

/** Takes mail in and hands it to the backends behind, as docs/holding.md and docs/running.md tell. */
export interface Gateway {
  /** Binds the listeners; resolves with where they listen. Rejects with the system's error (EADDRINUSE, EACCES). */
  start(): Promise<readonly Listener[]>
  /**
   * New settings from now on; sessions in progress keep theirs. Listeners that changed are bound anew. Rejects, and changes nothing,
   * where a certificate cannot be used or an address cannot be bound.
   */
  apply(settings: GatewaySettings): Promise<readonly Listener[]>
  /** No new connections; what is in progress gets `shutdownGraceMs`. */
  stop(): Promise<void>
  /** Senders that are connected now. */
  readonly connections: number
  /** Look-ups of exchangers, and of senders' SPF; undefined where there were none. */
  readonly dns: ResolverCounts | undefined
  /** Each configured backend with its endpoints, state, sessions and last error. */
  backends(): readonly BackendReport[]
  /**
   * Takes a backend out of service (its sessions end with the message at hand) or puts it back. @param url as in `backends()`
   * @returns whether there is such a backend
   */
  setOut(url: string, isOut: boolean): Promise<boolean>
  /** What `waypost check` says behind NOOP so that its session neither counts nor teaches; good once, and for two minutes. */
  ownProbeWord(): string
  /**
   * Tries a backend that is down at once, and begins its pauses anew. @param url  as in `backends()`
   * @returns whether there is such a backend
   */
  tryNow(url: string): boolean
  /** What a person may do with what is held; undefined where nothing is. */
  readonly heldMail: HeldMail | undefined
}

export type CreateGateway = typeof createGateway

/**
 * Puts a gateway together; nothing listens before `start()`.
 * @param initial  the settings at the start; `apply` brings others
 */
export function createGateway(initial: GatewaySettings, deps: GatewayDeps): Gateway {
  const { clock, random, door, holding, tell } = deps
  const log = tellingAlerts(deps.log, tell, clock)
  const once = createToldOnce({ clock, log })
  let settings = initial
  const certificate = createCertificate({ clock, log, tell })
  const backends = createBackends({
    clock,
    log,
    tell,
    onFailed: (endpoint) => probe.watch(endpoint),
    onSlow: (endpoint) => probe.watch(endpoint),
    onUp: (endpoint) => drain?.endpointUp(endpoint),
  })
  const room = createMailboxRoom(() => settings, { clock, log })
  const delivery = createDelivery(
    { hostname: () => settings.hostname },
    { clock, random, log, door, health: backends, room },
  )
  const probe = createProbe((endpoint) => isConfigured(settings, endpoint), {
    clock,
    random,
    log,
    delivery,
    forget: backends.forget,
  })
  const mx = createMxLookup(() => settings, { clock, random, log, door })
  const endpoints = createEndpoints({
    clock,
    log,
    lookupHost: deps.lookupHost,
    lookupMx: mx.lookup,
    postmaster: () => settings.postmaster,
  })
  const ids = createMessageIds(random)
  const live = new LiveFirst(clock)
  const carriage = createCarriage({
    ...{ clock, log, once, delivery, backends, endpoints, live },
    learner: ({ destinations }) => holding && learner(holding.known, destinations),
  })
  const outOfService = createOutOfService(() => settings.state, backends)
  const kept =
    holding &&
    createKept({
      clock,
      random,
      log,
      once,
      tell,
      holding,
      ids,
      resolver: mx.resolver,
      settings: () => settings,
      carrying: () => carriage.of(settings),
      live,
      hurry: (keys) => probe.hurry(({ backend }) => keys.has(backend.key)),
    })
  const drain = kept?.drain
  const places = createConnectionPlaces({ clock, log, tell, limits: () => settings.limits })
  const told = createToldRefusals({ clock, log, most: () => settings.limits.refusedPerMinute })
  const ownProbes = createOwnProbes({ clock, random })
  const accept = createAccept({
    clock,
    log,
    tell,
    ids,
    settings: () => settings,
    carrying: carriage.of,
    places,
    refusals: createRateCounter(clock, 60_000),
    told,
    repeats: createRepeatMemory(clock),
    isOurs: (peer) => delivery.isOurs(peer),
    keeping: kept?.keeping,
    ownProbes,
    etrn:
      kept &&
      createEtrn({
        clock,
        log,
        queue: kept.keeping.queue,
        ways: kept.ways,
        guard: kept.guard,
        settings: () => settings,
        met: () => backends.endpoints(),
        probeAndDrain: kept.probeAndDrain,
      }),
    bodies: {
      memory: createBudget(() => settings.limits.bodyMemory),
      memoryPerNetwork: createKeyedBudget(() => settings.limits.bodyMemory / 4),
      spool: createBudget(() => settings.limits.spool),
      spoolPerNetwork: createKeyedBudget(() => settings.limits.spool / 4),
    },
    spoolPath: (id) => `${settings.state}/spool/${id}`,
  })
  const server: SmtpServer = createSmtpServer(serverOptions(settings), { clock, log })
  const listeners = createBoundPlaces({
    listen: ({ address, port }) => server.listen(address, port),
    unlisten: ({ address, port }) => server.unlisten(address, port),
  })

  function serverOptions(now: GatewaySettings): SmtpServerOptions {
    const { hostname, bareNewline, limits, budgets } = now
    return {
      hostname,
      bareNewline,
      limits,
      budgets,
      // What it obliges to is kept in the hold until it has been sent.
      dsn: now.dsn && holding !== undefined,
      tls: () => certificate.context,
      onConnect: accept,
    }
  }

  return {
    async start() {
      await makeFolder(settings.state)
      await prepareSpool(join(settings.state, 'spool'))
      await outOfService.restore()
      await certificate.load(settings.tls)
      await listeners.bind(settings.listen)
      await kept?.start()
      return listeners.all
    },
    async apply(next) {
      const unbind = await listeners.bind(next.listen)
      try {
        await certificate.load(next.tls)
      } catch (error) {
        await unbind()
        throw error
      }
      settings = next
      server.update(serverOptions(next))
      carriage.keepOnly(next)
      // One that was down when it left, and was not tried any more, may be back.
      for (const { endpoint, health } of backends.list()) if (health.failures > 0) probe.watch(endpoint)
      await listeners.keepOnly(next.listen)
      await kept?.routesChanged()
      return listeners.all
    },
    async stop() {
      probe.stop()
      backends.stop()
      certificate.stop()
      const drained = drain?.stop()
      const { shutdownGraceMs } = settings.budgets
      // What a backend has not answered by then is held as unknown, and there is time left to tell its sender so.
      const lastWordsMs = Math.min(5_000, shutdownGraceMs / 4)
      const breakOff = holding && clock.after(shutdownGraceMs - lastWordsMs, () => void delivery.close())
      const untilMs = clock.monotonicMs() + shutdownGraceMs - lastWordsMs
      await server.close(shutdownGraceMs)
      told.stop()
      // Behind its dot an attempt that is broken off is one that nobody knows the end of, and is made again.
      if (drained) await within(drained, untilMs, clock)
      breakOff?.cancel()
      await delivery.close()
      await drained
      await kept?.stop()
      once.stop()
      mx.close()
    },
    heldMail: kept?.forPeople,
    get connections() {
      return places.used
    },
    get dns() {
      return mx.counts()
    },
    backends: () => reportBackends(settings, backends, delivery),
    ownProbeWord: () => ownProbes.issue(),
    tryNow(url) {
      const isKnown = reportBackends(settings, backends, delivery).some((backend) => backend.url === url)
      if (isKnown) probe.hurry(({ backend }) => backend.url === url)
      return isKnown
    },
    async setOut(url, isOut) {
      const isKnown =
        backends.out.has(url) || reportBackends(settings, backends, delivery).some((backend) => backend.url === url)
      if (isKnown) await outOfService.set(url, isOut)
      return isKnown
    },
  }
}

/** Whether an endpoint still belongs to a declared route; `mx` endpoints come from DNS and are tried while they are known. */
function isConfigured(settings: GatewaySettings, endpoint: Endpoint): boolean {
  if (endpoint.purpose === 'dsn') return true
  return routesOf(settings).some(({ entries }) => entries.some(({ backend }) => backend.key === endpoint.backend.key))
}
