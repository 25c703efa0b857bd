/**
 * ETRN (RFC 1985): a backend says "I am up, send what you hold for this domain". It is taken as a reason to look: backends of the domain that are down
 * are tried now, and what could go to them goes, over connections of our own. What a backend has asked to come again for keeps its time.
 * Offered to the addresses of configured backends alone, each for the domains whose mail goes there: anybody else could make us knock at doors.
 */
import { isIP } from 'node:net'
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { printable } from '../../base/printable.ts'
import { type Reply, reply, replyText } from '../../mail/reply.ts'
import type { DomainSummary, Lane, Queue } from '../../queue/queue.ts'
import type { Backend, Endpoint, Route } from '../../routing/backend.ts'
import type { MailDomain } from '../../routing/destinations.ts'
import type { EtrnNode } from '../../smtp/wire/command.ts'
import type { DrainGuard } from '../drain/drain-guard.ts'
import type { WaySettings, Ways } from '../ways/ways.ts'

export interface Etrn {
  isOffered(peer: IpAddress): boolean
  /** Answers at once (RFC 1985 §5.1); what it leads to goes on behind it. */
  ask(peer: IpAddress, node: EtrnNode): Reply
}

export interface EtrnDeps {
  readonly clock: Clock
  readonly log: Log
  readonly queue: Pick<Queue, 'lanes' | 'domains'>
  readonly ways: Ways
  readonly guard: Pick<DrainGuard, 'isStopped'>
  readonly settings: () => WaySettings
  /** Endpoints that were met: the addresses behind host names, and exchangers. */
  readonly met: () => Iterable<Endpoint>
  readonly probeAndDrain: (backends: ReadonlySet<string>, lanes: ReadonlySet<Lane>) => void
}

/** How long it may take until a new address of a backend is known here. */
const addressesGoodMs = 5_000
const againMs = 60_000
const none: ReadonlySet<string> = new Set()
const mostRemembered = 10_000

export function createEtrn(deps: EtrnDeps): Etrn {
  const { clock, log, queue, ways, settings } = deps
  /** When each peer last asked for each node. */
  const askedMs = new BoundedMap<string, number>(mostRemembered)
  let known: { readonly of: WaySettings; readonly untilMs: number; readonly byAddress: AddressBook } | undefined

  function addresses(): AddressBook {
    const now = settings()
    if (!known || known.of !== now || clock.monotonicMs() >= known.untilMs)
      known = { of: now, untilMs: clock.monotonicMs() + addressesGoodMs, byAddress: addressBook(now, deps.met()) }
    return known.byAddress
  }

  function ask(peer: IpAddress, node: EtrnNode): Reply {
    if (node.kind === 'queue')
      return reply(458, '4.3.0', `Unable to queue messages for node #${node.name}: no such queue`)
    const name = `${node.kind === 'subdomains' ? '@' : ''}${node.domain}`
    const backends = addresses().get(peer) ?? none
    const domains = backends.size > 0 ? domainsOf(node, settings()) : []
    const routes = new Set(domains.flatMap((domain) => routesTo(domain, backends)))
    if (routes.size === 0) return reply(459, '4.7.1', `Node ${name} not allowed: its mail does not go to your address`)
    if (domains.every(({ hold }) => hold.holdMs === 0))
      return reply(458, '4.3.0', `Unable to queue messages for node ${name}: nothing is held for it`)
    if ([...routes].every((route) => route.entries.every(({ backend }) => deps.guard.isStopped(backend.url))))
      return reply(458, '4.3.0', `Unable to queue messages for node ${name}: a person has to look first`)
    if (!mayAsk(`${peer} ${name}`))
      return reply(458, '4.7.0', `Unable to queue messages for node ${name}: you have asked within the last minute`)
    const lanes = new Set(
      queue.lanes().flatMap(({ lane }) => {
        const way = ways.ofLane(lane)
        return way && routes.has(way.route) ? [lane] : []
      }),
    )
    deps.probeAndDrain(backends, lanes)
    return pendingReply(
      name,
      queue.domains().filter(({ domain }) => isWithin(domain, node)),
    )
  }

  /** Once a minute. */
  function mayAsk(key: string): boolean {
    const nowMs = clock.monotonicMs()
    if (nowMs - (askedMs.get(key) ?? Number.NEGATIVE_INFINITY) < againMs) return false
    askedMs.set(key, nowMs)
    return true
  }

  return {
    isOffered: (peer) => addresses().has(peer),
    ask(peer, node) {
      const said = ask(peer, node)
      const name = node.kind === 'queue' ? `#${node.name}` : node.domain
      log.info('etrn', { client: peer, node: printable(name, 300), kind: node.kind, reply: replyText(said) })
      return said
    },
  }
}

/** The keys of the backends at each address. */
type AddressBook = ReadonlyMap<IpAddress, ReadonlySet<string>>

function addressBook({ destinations }: WaySettings, met: Iterable<Endpoint>): AddressBook {
  const book = new Map<IpAddress, Set<string>>()
  const note = (address: IpAddress, { key }: Backend) => {
    const keys = book.get(address) ?? new Set()
    keys.add(key)
    book.set(address, keys)
  }
  const configured = new Map(
    destinations.routes.flatMap(({ entries }) => entries.map(({ backend }) => [backend.key, backend] as const)),
  )
  for (const backend of configured.values()) {
    const address = literalOf(backend)
    if (address !== undefined) note(address, backend)
  }
  for (const { backend, target } of met)
    if (target.kind === 'tcp' && configured.has(backend.key)) note(target.address, backend)
  return book
}

function literalOf({ address }: Backend): IpAddress | undefined {
  return 'host' in address && isIP(address.host) !== 0 ? (address.host as IpAddress) : undefined
}

/** The declared domains that the node means. */
function domainsOf(node: Exclude<EtrnNode, { kind: 'queue' }>, { destinations }: WaySettings): readonly MailDomain[] {
  if (node.kind === 'subdomains')
    return destinations.domains.filter(({ name }) => name === node.domain || name.endsWith(`.${node.domain}`))
  const found = destinations.ofDomain(node.domain)
  return 'domain' in found ? [found.domain] : []
}

/** Routes of the domain that lead to one of these backends. */
const routesTo = ({ route, addresses }: MailDomain, backends: ReadonlySet<string>): readonly Route[] =>
  [route, ...addresses.values()].filter(({ entries }) => entries.some(({ backend }) => backends.has(backend.key)))

const isWithin = (domain: string, node: Exclude<EtrnNode, { kind: 'queue' }>) =>
  domain === node.domain || (node.kind === 'subdomains' && domain.endsWith(`.${node.domain}`))

/** RFC 1985 §5.1: how many there are, where that is known. */
function pendingReply(name: string, domains: readonly DomainSummary[]): Reply {
  const going = domains.filter(({ byState: { ready = 0, waiting = 0, unknown = 0 } }) => ready + waiting + unknown > 0)
  if (going.length === 0) return reply(251, '2.0.0', `OK, no messages waiting for node ${name}`)
  const [only, ...others] = going
  // Of several domains one message may be counted twice, and what waits for a person does not go.
  const isExact =
    others.length === 0 &&
    Object.keys(only?.byState ?? {}).every((state) => ['ready', 'waiting', 'unknown'].includes(state))
  if (isExact) return reply(253, '2.0.0', `OK, ${only?.messages} pending messages for node ${name} started`)
  return reply(252, '2.0.0', `OK, pending messages for node ${name} started`)
}
