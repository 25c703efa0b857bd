/**
 * The gateway: its table of contents. It builds the parts and wires them; what each does stands in its own file.
 *
 *   smtp/server → accept → cut-through → routing (balance, health) → delivery → a backend
 *                    ↘ body (memory, spool)      ↖ endpoints (names, mx)   ↖ probe (what is down)
 */
import { lookup } from 'node:dns/promises'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import { type IpAddress, parseIp } from '../base/ip.ts'
import { createBudget, createKeyedBudget, createRateCounter } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { createDelivery } from '../delivery/create.ts'
import type { HostName } from '../dns/name.ts'
import { createMessageIds } from '../mail/trace.ts'
import type { Endpoint, Route } from '../routing/backend.ts'
import { type Balancer, createBalancer } from '../routing/balance.ts'
import type { SmtpServerOptions } from '../smtp/server/options.ts'
import { createSmtpServer, type SmtpServer } from '../smtp/server/server.ts'
import { createAccept } from './accept.ts'
import { createBackends } from './backends.ts'
import { prepareSpool } from './body.ts'
import { createCertificate } from './certificate.ts'
import { createEndpoints } from './endpoints.ts'
import { createMxLookup } from './mx.ts'
import { readOutOfService, writeOutOfService } from './out-of-service.ts'
import { createProbe } from './probe.ts'
import { createRepeatMemory } from './repeat-memory.ts'
import { type BackendReport, reportBackends } from './report.ts'
import type { GatewaySettings, Listener } from './settings.ts'
import type { CutThroughDeps } from './staging.ts'

export interface GatewayDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
}

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
  /** Each configured backend with its endpoints, state, sessions and last error. */
  backends(): readonly BackendReport[]
  /**
   * Takes a backend out of service (its sessions end with the message at hand) or puts it back. @param url as in `backends()`
   * @returns whether there is such a backend
   */
  setOut(url: string, isOut: boolean): Promise<boolean>
}

export type CreateGateway = typeof createGateway

export function createGateway(initial: GatewaySettings, deps: GatewayDeps): Gateway {
  const { clock, random, log, door } = deps
  let settings = initial
  const balancers = new Map<string, Balancer>()
  const certificate = createCertificate({ clock, log })
  const backends = createBackends({ clock, log, onDown: (endpoint) => probe.watch(endpoint) })
  const delivery = createDelivery({ hostname: () => settings.hostname }, { clock, random, log, door, health: backends })
  const probe = createProbe((endpoint) => isConfigured(settings, endpoint), {
    clock,
    random,
    log,
    delivery,
    forget: backends.forget,
  })
  const mx = createMxLookup(() => settings, { clock, random, log, door })
  const endpoints = createEndpoints({ clock, log, resolveHost, lookupMx: mx.lookup })
  const accept = createAccept({
    clock,
    log,
    ids: createMessageIds(random),
    settings: () => settings,
    carrying,
    connections: {
      used: 0,
      perClient: createKeyedBudget(() => settings.limits.connectionsPerAddress),
      perNetwork: createKeyedBudget(() => settings.limits.connectionsPerNetwork),
    },
    refusals: createRateCounter(clock, 60_000),
    repeats: createRepeatMemory(clock),
    isOurs: (peer) => delivery.isOurs(peer),
    bodies: {
      memory: createBudget(() => settings.limits.bodyMemory),
      memoryPerNetwork: createKeyedBudget(() => settings.limits.bodyMemory / 4),
      spool: createBudget(() => settings.limits.spool),
      spoolPerNetwork: createKeyedBudget(() => settings.limits.spool / 4),
    },
    spoolPath: (id) => `${settings.state}/spool/${id}`,
  })
  const server: SmtpServer = createSmtpServer(serverOptions(settings), { clock, log })
  const bound = new Map<string, Listener>()

  /** Made once for each configuration, not for each session. */
  let carriage: { for: GatewaySettings; deps: CutThroughDeps } | undefined
  function carrying(now: GatewaySettings): CutThroughDeps {
    if (carriage?.for !== now) {
      const { hostname, budgets } = now
      carriage = { for: now, deps: { clock, log, delivery, backends, endpoints, balancer, hostname, budgets } }
    }
    return carriage.deps
  }

  /** Whose turn it is survives a reload, because it is kept by what the route is and not by the object. */
  function balancer(route: Route): Balancer {
    const key = balancerKey(route)
    const found = balancers.get(key) ?? createBalancer(route.balance)
    balancers.set(key, found)
    return found
  }

  function forgetOldBalancers(): void {
    const kept = new Set([...settings.destinations.routes, settings.postmaster].map(balancerKey))
    for (const key of balancers.keys()) if (!kept.has(key)) balancers.delete(key)
  }

  function serverOptions(now: GatewaySettings): SmtpServerOptions {
    const { hostname, bareNewline, limits, budgets } = now
    return {
      hostname,
      bareNewline,
      limits,
      budgets,
      greetDelayMs: 0,
      tls: () => certificate.context,
      onConnect: accept,
    }
  }

  /** Binds what is not bound yet; all of it or none. @returns the keys of what is new */
  async function bindNew(wanted: readonly Listener[]): Promise<readonly string[]> {
    const added: string[] = []
    try {
      for (const listener of wanted) {
        const key = keyOf(listener)
        if (bound.has(key)) continue
        bound.set(key, await server.listen(listener.address, listener.port))
        added.push(key)
      }
    } catch (error) {
      await unbind(added)
      throw error
    }
    return added
  }

  async function unbind(keys: Iterable<string>): Promise<void> {
    for (const key of keys) {
      const listener = bound.get(key)
      bound.delete(key)
      if (listener) await server.unlisten(listener.address, listener.port)
    }
  }

  return {
    async start() {
      await mkdir(settings.state, { recursive: true, mode: 0o700 })
      await prepareSpool(join(settings.state, 'spool'))
      for (const url of await readOutOfService(settings.state)) backends.setOut(url, true)
      await certificate.load(settings.tls)
      await bindNew(settings.listen)
      return [...bound.values()]
    },
    async apply(next) {
      const added = await bindNew(next.listen)
      try {
        await certificate.load(next.tls)
      } catch (error) {
        await unbind(added)
        throw error
      }
      settings = next
      server.update(serverOptions(next))
      forgetOldBalancers()
      // One that was down when it left, and was not tried any more, may be back.
      for (const { endpoint, health } of backends.list()) if (health.isDown) probe.watch(endpoint)
      const wanted = new Set(next.listen.map(keyOf))
      await unbind([...bound.keys()].filter((key) => !wanted.has(key)))
      return [...bound.values()]
    },
    async stop() {
      probe.stop()
      certificate.stop()
      await server.close(settings.budgets.shutdownGraceMs)
      await delivery.close()
      mx.close()
    },
    backends: () => reportBackends(settings, backends, delivery),
    async setOut(url, isOut) {
      const isKnown =
        backends.out.has(url) || reportBackends(settings, backends, delivery).some((backend) => backend.url === url)
      if (!isKnown) return false
      backends.setOut(url, isOut)
      await writeOutOfService(settings.state, backends.out)
      return true
    },
  }
}

const keyOf = ({ address, port }: Listener) => `${address} ${port}`
const balancerKey = (route: Route) => `${route.balance} ${route.id}`

/** Whether an endpoint still belongs to a declared route; `mx` endpoints come from DNS and are tried while they are known. */
function isConfigured({ destinations, postmaster }: GatewaySettings, endpoint: Endpoint): boolean {
  return [...destinations.routes, postmaster].some((route) =>
    route.entries.some((entry) => entry.backend.key === endpoint.backend.key),
  )
}

async function resolveHost(host: HostName): Promise<readonly IpAddress[]> {
  // A final dot keeps search domains away (carry.md §1, trap f), but then /etc/hosts does not match: names with a dot in them are left as they are.
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => parseIp(address)).filter((address) => address !== undefined)
}
