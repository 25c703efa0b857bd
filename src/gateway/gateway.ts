/**
 * The gateway: its table of contents. It builds the parts and wires them; what each does stands in its own file.
 *
 *   smtp/server → receiving (sender-handler, recipient-asker) → cut-through → routing (balance, health) → delivery → a backend
 *                    ↘ message-sink (incoming-body) → hand-over ↗   ↖ reach (endpoints, who is up, probes)
 *                                                         ↘ hold-parts (hold, drain, notices)
 */
import { createBoundPlaces } from '../base/bound-places.ts'
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { HostLookup } from '../base/host-lookup.ts'
import type { Log } from '../base/log.ts'
import { makeFolder } from '../base/make-folder.ts'
import type { Random } from '../base/random.ts'
import type { HostName } from '../dns/name.ts'
import type { ResolverCounts } from '../dns/resolver.ts'
import { createMessageIds } from '../mail/trace.ts'
import type { Route } from '../routing/backend.ts'
import type { SmtpServerOptions } from '../smtp/server/options.ts'
import { createSmtpServer } from '../smtp/server/server.ts'
import type { LeftWithout } from './backends/left-without.ts'
import { createReach, type ReachDeps, type SetOut } from './backends/reach.ts'
import type { BackendReport } from './backends/report.ts'
import { createCutThroughDepsMaker } from './carry/cut-through-deps-maker.ts'
import { LiveFirst } from './carry/live-first.ts'
import { type Tell, tellingAlerts } from './events.ts'
import type { Holding } from './hold/holding.ts'
import { learner } from './hold/learner.ts'
import { createHoldParts, type HoldForPeople } from './hold-parts.ts'
import { type Certificate, createCertificate } from './receive/certificate.ts'
import { createReceiving, type Receiving } from './receive/receiving.ts'
import type { GatewaySettings, Listener } from './settings.ts'
import { shutDown } from './shut-down.ts'
import { createToldSparingly } from './told-sparingly.ts'

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
  /** These backends were down when the last process ended, and count as that until they answer. Before the start. @param urls  as in `backends()` */
  doubt(urls: readonly string[]): void
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
  /** Why mail to a domain of the route is put off, and not held, where its MX does not let it be handed on. */
  whyMisconfigured(route: Route, domain: HostName): string | undefined
  /**
   * Takes a backend out of service (its sessions end with the message at hand) or puts it back. @param url as in `backends()`
   */
  setOut(url: string, isOut: boolean): Promise<SetOut>
  /** Whose mail has nobody to go to while a backend is out of service. @param url  as in `backends()` */
  leftWithout(url: string): LeftWithout
  /** What `waypost check` says behind NOOP so that its session neither counts nor teaches; good once, and for two minutes. */
  ownProbeWord(): string
  /**
   * Tries a backend that is down at once, and begins its pauses anew. @param url  as in `backends()`
   * @returns whether there is such a backend
   */
  tryNow(url: string): boolean
  /** What a person may do with what is held; undefined where nothing is. */
  readonly heldMail: HoldForPeople | undefined
}

export type CreateGateway = typeof createGateway

/**
 * Puts a gateway together; nothing listens before `start()`.
 * @param initial  the settings at the start; `apply` brings others
 */
export function createGateway(initial: GatewaySettings, deps: GatewayDeps): Gateway {
  const { clock, random, door, lookupHost, holding, tell } = deps
  const log = tellingAlerts(deps.log, tell, clock)
  const sparingly = createToldSparingly({ clock, log })
  let current = initial
  const settings = () => current
  const certificate = createCertificate({ clock, log, tell })
  const onUp: ReachDeps['onUp'] = (...up) => holdParts?.drain.endpointUp(...up)
  const onFound: ReachDeps['onFound'] = (leadsTo) => holdParts?.drain.found(leadsTo)
  const reach = createReach(settings, { clock, random, log, door, lookupHost, tell, onUp, onFound })
  const { delivery, backends, endpoints, mx } = reach
  const ids = createMessageIds(random)
  const live = new LiveFirst(clock)
  const depsMaker = createCutThroughDepsMaker({
    ...{ clock, log, sparingly, delivery, backends, endpoints, live },
    learner: ({ destinations }) => holding && learner(holding.known, destinations),
  })
  const holdParts =
    holding &&
    createHoldParts({
      ...{ clock, random, log, sparingly, tell, holding, settings, ids, live },
      resolver: mx.resolver,
      cutThroughDeps: () => depsMaker.forHeldMail(current),
      hurry: (keys) => reach.hurry(({ backend }) => keys.has(backend.key)),
    })
  const receiving = createReceiving(settings, {
    ...{ clock, random, log, tell, ids, holdParts },
    cutThroughDeps: depsMaker.of,
    isOurs: delivery.isOurs,
    met: backends.endpoints,
  })
  const serverOptions = () => serverOptionsOf(current, holding, certificate, receiving)
  const server = createSmtpServer(serverOptions(), { clock, log })
  const listeners = createBoundPlaces({
    listen: ({ address, port }) => server.listen(address, port),
    unlisten: ({ address, port }) => server.unlisten(address, port),
  })

  return {
    doubt: reach.doubt,
    async start() {
      await makeFolder(current.state)
      await receiving.start()
      await reach.start()
      await certificate.load(current.tls)
      await listeners.bind(current.listen)
      await holdParts?.start()
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
      current = next
      server.update(serverOptions())
      depsMaker.keepOnly(next)
      reach.settingsChanged()
      await listeners.keepOnly(next.listen)
      await holdParts?.routesChanged()
      return listeners.all
    },
    stop: () =>
      shutDown(
        { clock, sparingly, certificate, reach, delivery, receiving, server, holdParts },
        current.budgets.shutdownGraceMs,
      ),
    heldMail: holdParts?.forPeople,
    get connections() {
      return receiving.connections
    },
    get dns() {
      return mx.counts()
    },
    ownProbeWord: receiving.ownProbeWord,
    backends: reach.report,
    whyMisconfigured: endpoints.whyMisconfigured,
    tryNow: reach.tryNow,
    setOut: reach.setOut,
    leftWithout: reach.leftWithout,
  }
}

function serverOptionsOf(
  { hostname, bareNewline, limits, budgets, dsn }: GatewaySettings,
  holding: Holding | undefined,
  certificate: Certificate,
  { onConnect }: Receiving,
): SmtpServerOptions {
  return {
    ...{ hostname, bareNewline, limits, budgets, onConnect },
    // What it obliges to is kept in the hold until it has been sent.
    dsn: dsn && holding !== undefined,
    tls: () => certificate.context,
  }
}
