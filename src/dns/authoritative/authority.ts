/**
 * The built-in authoritative DNS server, and the table of contents of this folder. Built by `cli`, which hands in the declared zones, where
 * serials are kept, and which addresses are down.
 *
 * 1. `zone.ts` reads a zone's records and puts them in order; `serials.ts` gives it a serial that only grows; `zones.ts` serves it beside
 *    the others, changing only what changed.
 * 2. A message comes in by `udp-server.ts` (one socket for each local address) or `tcp-server.ts` (at the pace of `tcp-pace.ts`). `answer.ts` has `query.ts` read it and
 *    `zones.ts` find its answer with `name-table.ts`; `prepare.ts` has made it as octets, or makes it now; `rate-limit.ts` and `cookies.ts`
 *    have their say.
 * 3. Secondaries (`permission.ts`) fetch whole zones by `transfer-out.ts`, when `notifier.ts` has told them to.
 */
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, inNetwork, type Network } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { NameServer } from '../servers.ts'
import { nameText } from '../wire-name.ts'
import { createAnswerer } from './answer.ts'
import { createCookies } from './cookies.ts'
import { createNotifier } from './notifier.ts'
import type { Secondary } from './permission.ts'
import { createRateLimiter, type RateLimitOptions } from './rate-limit.ts'
import type { Replaced } from './replace-zones.ts'
import { createSerials, type SerialStore } from './serials.ts'
import { createTcpServer, type TcpLimits } from './tcp-server.ts'
import { createTransfers } from './transfer-out.ts'
import { createUdpServer } from './udp-server.ts'
import type { AnswerCounts } from './write-answer.ts'
import type { ZoneSource } from './zone.ts'
import { createZones } from './zones.ts'

export interface AuthorityOptions {
  /** Port 0 lets the system choose, the same for UDP and TCP; not for a wildcard. */
  readonly listen: readonly NameServer[]
  readonly rateLimit: RateLimitOptions & { readonly exempt: readonly Network[] }
  readonly cookies: {
    /** `require`: who sends half a cookie is made to send a whole one before it is answered over UDP. */
    readonly policy: 'on' | 'off' | 'require'
    /** 16 octets each; the first makes cookies, all are taken. None: one of our own, which ends with the process. */
    readonly secrets: readonly Buffer[]
  }
  /** The largest answer over UDP, 512–4096 octets. */
  readonly udpBytes: number
  readonly tcp: TcpLimits
  readonly secondaries: readonly Secondary[]
  /** The TTL of addresses that can be left out, seconds. */
  readonly healthyTtlSeconds: number
}

export interface AuthorityDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly serials: SerialStore
  /** Whether a gateway node is known to be down at this address. Asked at the start and after `healthChanged`. */
  readonly isDown: (address: IpAddress) => boolean
}

export interface Authority {
  /** Binds the listeners. Rejects with the system's error, with nothing left open. Zones may be set before. */
  start(): Promise<void>
  /**
   * Makes these the zones that are served, without a pause: others answer on meanwhile. What is the same as before is left alone; a zone
   * with a mistake is rejected with its reason and served as it was. Secondaries are told of what changed.
   */
  replaceZones(zones: readonly ZoneSource[]): Promise<Replaced>
  /** To be called when `isDown` has changed its mind about an address. */
  healthChanged(): void
  /** Ends every connection and lets go of the sockets. */
  stop(): Promise<void>
  /** Where UDP listens now: each local address of a wildcard. */
  readonly bound: readonly NameServer[]
  readonly statistics: AuthorityStatistics
}

export interface AuthorityStatistics {
  readonly zones: number
  readonly names: number
  readonly tcpConnections: number
  readonly notifications: number
  readonly answers: Readonly<AnswerCounts>
}

/** How long zones are worked on at a stretch. */
const stretchMs = 8

export function createAuthority(options: AuthorityOptions, deps: AuthorityDeps): Authority {
  const { clock, random, log } = deps
  const breathe = createBreathing(clock)
  const serials = createSerials({ store: deps.serials, clock, breathe })
  const seed = () => random.bytes(4).readInt32LE(0)
  const { isDown } = deps
  const zones = createZones({ seed: seed(), serials, isDown, healthyTtlSeconds: options.healthyTtlSeconds, breathe })
  const { policy, secrets } = options.cookies
  const { exempt } = options.rateLimit
  const isExempt = (address: IpAddress) => exempt.some((network) => inNetwork(address, network))
  const answerer = createAnswerer({
    zones,
    limiter: createRateLimiter(options.rateLimit, seed(), clock),
    isExempt: (address) => isExempt(address as IpAddress),
    cookies: policy === 'off' ? undefined : createCookies(secrets.length > 0 ? secrets : [random.bytes(16)], clock),
    requireCookies: policy === 'require',
    udpBytes: options.udpBytes,
    keys: options.secondaries.flatMap(({ key }) => (key ? [key] : [])),
    clock,
  })
  const isSecondary = (address: IpAddress) => options.secondaries.some(({ server }) => server.address === address)
  const transfers = createTransfers({ zones, secondaries: options.secondaries, clock, log })
  const tcp = createTcpServer(options.listen, options.tcp, { answerer, transfers, isSecondary, isExempt, clock, log })
  const send = (message: Buffer, to: NameServer) => udp.send(message, to)
  const notifier = createNotifier({ secondaries: options.secondaries, send, clock, random, log })
  const onResponse = (message: Buffer, from: NameServer) => notifier.receive(message, from)
  const udpOn = (listen: readonly NameServer[]) => createUdpServer(listen, { answerer, clock, log, onResponse })
  let udp = udpOn(options.listen)

  return {
    async start() {
      await tcp.start()
      // Where the system chose the port of TCP, UDP takes the same; it is free, or somebody else was quicker and it is told.
      udp = udpOn(tcp.bound)
      try {
        await udp.start()
      } catch (error) {
        await tcp.stop()
        throw error
      }
    },

    async replaceZones(sources) {
      const replaced = await zones.replace(sources)
      const { changed, unchanged, removed, rejected } = replaced
      for (const { origin, why } of rejected) log.error('dns zone rejected', { zone: nameText(origin), why })
      log.info('dns zones', { changed: changed.length, unchanged, removed, rejected: rejected.length })
      for (const zone of changed) {
        notifier.changed(zone)
        await breathe()
      }
      return replaced
    },

    healthChanged: zones.healthChanged,

    async stop() {
      notifier.stop()
      await Promise.all([udp.stop(), tcp.stop()])
      transfers.stop()
    },

    get bound() {
      return udp.bound
    },

    get statistics() {
      return {
        zones: zones.zones,
        names: zones.names,
        tcpConnections: tcp.connections,
        notifications: notifier.open,
        answers: answerer.counts,
      }
    },
  }
}

/** Resolves behind the events that have come meanwhile, when it is time to look at them. */
function createBreathing(clock: Clock): () => Promise<void> | undefined {
  let sinceMs = clock.monotonicMs()
  return () => {
    if (clock.monotonicMs() - sinceMs < stretchMs) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        sinceMs = clock.monotonicMs()
        resolve()
      })
    })
  }
}
