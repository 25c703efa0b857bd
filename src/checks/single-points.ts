/**
 * What happens when something fails: each machine, network, zone and provider in the facts is failed in turn, and it is counted what is left of
 * the way in. Pure; the rule `single-point-of-failure` and the report's picture tell it.
 *
 * A way in is an exchanger's address that takes connections, while a server of its zone and one of the domain's zone answer.
 */
import { type IpAddress, isIpv6, networkKey } from '../base/ip.ts'
import { sameName, type WireName } from '../dns/wire-name.ts'
import type { Provider } from '../records/catalogue/provider.ts'
import { recognise } from '../records/catalogue/recognise.ts'
import type { ExchangerAddress, ExchangerFacts, Facts, ServerFacts, ZoneFacts } from './facts.ts'
import { bestOf } from './mail-share.ts'
import { isDead, reachabilityOf } from './reachability.ts'
import { plainName, zoneNamed } from './read-facts.ts'
import type { Context } from './rule.ts'
import { isHeard } from './server-answers.ts'

export interface SinglePoint {
  readonly kind: 'host' | 'network' | 'zone' | 'provider'
  /** For people: `mx1.example.com (192.0.2.1 and 2001:db8:1::1)`, `192.0.2.0/24`, `example.com`, `Fastmail`. */
  readonly name: string
  /** Share of senders whose first try fails, 0–1. All of them where nothing is delivered. */
  readonly waiting: number
  /** Whose mail still arrives: `ipv6-only` where senders without IPv6 wait, and the other way round. */
  readonly delivered: 'all' | 'ipv4-only' | 'ipv6-only' | 'none'
  /** What is lost with it. */
  readonly exchangers: readonly string[]
  readonly nameServers: readonly string[]
  /** It is the domain's own zone, on which its mail depends by its nature. */
  readonly isOwnZone: boolean
}

/** What has failed, within a sentence. */
export const pointName = ({ kind, name }: SinglePoint): string =>
  kind === 'network' || kind === 'zone' ? `the ${kind} ${name}` : name

/** A sentence: who waits, and whether mail is delivered. @param names  what fails; default: the point itself */
export function pointText(point: SinglePoint, names = pointName(point)): string {
  const mail = {
    all: 'mail is delivered',
    'ipv4-only': 'mail of senders without IPv4 is not delivered',
    'ipv6-only': 'mail of senders without IPv6 is not delivered',
    none: 'mail is not delivered',
  }[point.delivered]
  return `If ${names} fails, ${Math.round(point.waiting * 100)} % of senders wait, and ${mail}.`
}

/** What may fail at once. */
interface FailureDomain {
  readonly kind: SinglePoint['kind']
  readonly name: string
  readonly addresses: ReadonlySet<IpAddress>
  readonly zone?: WireName
}

/**
 * @param dead  whether what is dead today counts as failed already, as for who wants to know how near the end is; `counts-as-working` for
 *              what the records as such depend on
 * @returns every part whose failure is felt, the worst first; none where no mail is delivered as it is
 */
export function singlePoints(
  facts: Facts,
  { asNumber }: Pick<Context, 'asNumber'> = {},
  dead: 'counts-as-failed' | 'counts-as-working' = 'counts-as-failed',
): readonly SinglePoint[] {
  const isAlive: Alive = {
    address: (at) => dead === 'counts-as-working' || !isDead(reachabilityOf(at, facts)),
    server: (server) => dead === 'counts-as-working' || isServerAlive(server),
  }
  const today = waysIn(facts, undefined, isAlive)
  if (today.delivered === 'none') return []
  const points = partsOf(facts, asNumber).map((part) => pointOf(part, facts, today, isAlive))
  return points
    .filter(({ waiting, delivered }) => waiting > 0 || delivered !== today.delivered)
    .sort((one, other) => rank(other) - rank(one) || other.waiting - one.waiting)
}

const rank = ({ delivered }: SinglePoint) => (delivered === 'none' ? 2 : delivered === 'all' ? 0 : 1)

interface Alive {
  address(at: ExchangerAddress): boolean
  server(server: ServerFacts): boolean
}

function pointOf(part: FailureDomain, facts: Facts, today: Ways, isAlive: Alive): SinglePoint {
  const left = waysIn(facts, part, isAlive)
  const lost = facts.exchangers.filter(
    (one) => today.byExchanger.get(one)?.length !== left.byExchanger.get(one)?.length,
  )
  const nameServers = facts.zones.flatMap(({ servers }) =>
    servers.filter(({ address }) => part.addresses.has(address)).map(({ name }) => plainName(name)),
  )
  // Where only senders of one family are cut off, the others still arrive as before.
  const delivered = left.delivered === today.delivered ? 'all' : left.delivered
  return {
    kind: part.kind,
    name: part.name,
    waiting: left.delivered === 'none' ? 1 : waitingAt(lost, facts, today, left),
    delivered,
    exchangers: lost.map(({ name }) => plainName(name)),
    nameServers: [...new Set(nameServers)],
    isOwnZone: part.zone !== undefined && facts.zone !== undefined && sameName(part.zone, facts.zone),
  }
}

/** Of senders that begin at the best preference, those that meet an address that is gone. */
function waitingAt(lost: readonly ExchangerFacts[], facts: Facts, today: Ways, left: Ways): number {
  const first = bestOf(facts.exchangers.filter((one) => (today.byExchanger.get(one)?.length ?? 0) > 0))
  const gone = lost
    .filter((one) => first.includes(one))
    .map((one) => {
      const before = today.byExchanger.get(one)?.length ?? 0
      return before === 0 ? 0 : (before - (left.byExchanger.get(one)?.length ?? 0)) / before
    })
  return first.length === 0 ? 0 : gone.reduce((sum, share) => sum + share, 0) / first.length
}

interface Ways {
  readonly byExchanger: ReadonlyMap<ExchangerFacts, readonly IpAddress[]>
  readonly delivered: SinglePoint['delivered']
}

function waysIn(facts: Facts, failing: FailureDomain | undefined, isAlive: Alive): Ways {
  const own = zoneNamed(facts, facts.zone)
  const isFound = !own || isZoneAlive(own, failing, isAlive)
  const byExchanger = new Map(
    facts.exchangers.map((exchanger) => {
      const zone = zoneNamed(facts, exchanger.zone)
      const isThere = isFound && (!zone || isZoneAlive(zone, failing, isAlive))
      return [exchanger, isThere ? addressesLeft(exchanger, failing, isAlive) : []] as const
    }),
  )
  const addresses = [...byExchanger.values()].flat()
  const [v4, v6] = [addresses.some((address) => !isIpv6(address)), addresses.some(isIpv6)]
  return { byExchanger, delivered: v4 ? (v6 ? 'all' : 'ipv4-only') : v6 ? 'ipv6-only' : 'none' }
}

const addressesLeft = ({ addresses }: ExchangerFacts, failing: FailureDomain | undefined, isAlive: Alive) =>
  addresses.filter((at) => !failing?.addresses.has(at.address) && isAlive.address(at)).map(({ address }) => address)

/** A zone whose servers were not asked is taken to be there. */
function isZoneAlive({ apex, servers }: ZoneFacts, failing: FailureDomain | undefined, isAlive: Alive): boolean {
  if (failing?.zone !== undefined && sameName(failing.zone, apex)) return false
  return (
    servers.length === 0 || servers.some((server) => isAlive.server(server) && !failing?.addresses.has(server.address))
  )
}

const isServerAlive = (server: ServerFacts) =>
  isHeard(server) || server.asked.every(({ outcome }) => outcome.kind === 'not-examined')

function partsOf(facts: Facts, asNumber: Context['asNumber']): readonly FailureDomain[] {
  const machines = machinesOf(facts)
  return [
    ...machines,
    ...networksOf(machines),
    ...(asNumber ? systemsOf(machines, asNumber) : []),
    ...facts.zones.map((zone): FailureDomain => {
      return { kind: 'zone', name: plainName(zone.apex), addresses: new Set(), zone: zone.apex }
    }),
    ...providersOf(facts),
  ]
}

/**
 * Exchangers and name servers by the machine that they run on: a name with one address a family is one, of a name with more each address is.
 * Names that share an address share the machine.
 */
function machinesOf({ exchangers, zones }: Facts): readonly FailureDomain[] {
  const named = [
    ...exchangers.map(({ name, addresses }) => ({ name, addresses: addresses.map(({ address }) => address) })),
    ...byName(zones.flatMap(({ servers }) => servers)),
  ]
  const groups = named.flatMap(({ name, addresses }) => {
    const isPool = [addresses.filter(isIpv6), addresses.filter((address) => !isIpv6(address))].some(
      (own) => own.length > 1,
    )
    const sets = isPool ? addresses.map((address) => [address]) : [addresses]
    return sets.filter((set) => set.length > 0).map((set) => ({ names: [plainName(name)], addresses: set }))
  })
  return joined(groups).map(({ names, addresses }) => ({
    kind: 'host',
    name: `${names.join(', ')} (${addresses.join(' and ')})`,
    addresses: new Set(addresses),
  }))
}

interface Group {
  readonly names: readonly string[]
  readonly addresses: readonly IpAddress[]
}

/** Groups that share an address become one. */
function joined(groups: readonly Group[]): readonly Group[] {
  const done: Group[] = []
  for (const group of groups) {
    const touching = done.filter(({ addresses }) => addresses.some((address) => group.addresses.includes(address)))
    for (const one of touching) done.splice(done.indexOf(one), 1)
    const all = [...touching, group]
    done.push({
      names: [...new Set(all.flatMap(({ names }) => names))],
      addresses: [...new Set(all.flatMap(({ addresses }) => addresses))],
    })
  }
  return done
}

function byName(servers: readonly ServerFacts[]): readonly { name: WireName; addresses: readonly IpAddress[] }[] {
  const found: { name: WireName; addresses: IpAddress[] }[] = []
  for (const { name, address } of servers) {
    const known = found.find((one) => sameName(one.name, name))
    if (!known) found.push({ name, addresses: [address] })
    else if (!known.addresses.includes(address)) known.addresses.push(address)
  }
  return found
}

/** The /24 and the /48 of one machine are in one place, and so is what shares either of them. */
function networksOf(machines: readonly FailureDomain[]): readonly FailureDomain[] {
  const sites: { prefixes: Set<string>; addresses: Set<IpAddress> }[] = []
  for (const { addresses } of machines) {
    const site = { prefixes: new Set([...addresses].map(networkKey)), addresses: new Set(addresses) }
    for (const other of sites.filter(({ prefixes }) => [...prefixes].some((prefix) => site.prefixes.has(prefix)))) {
      sites.splice(sites.indexOf(other), 1)
      for (const prefix of other.prefixes) site.prefixes.add(prefix)
      for (const address of other.addresses) site.addresses.add(address)
    }
    sites.push(site)
  }
  return sites.map(({ prefixes, addresses }) => ({
    kind: 'network',
    name: [...prefixes].sort().join(' with '),
    addresses,
  }))
}

/** Networks under one administration, where a table says so. */
function systemsOf(
  machines: readonly FailureDomain[],
  asNumber: NonNullable<Context['asNumber']>,
): readonly FailureDomain[] {
  const systems = new Map<number, Set<IpAddress>>()
  for (const address of machines.flatMap(({ addresses }) => [...addresses])) {
    const number = asNumber(address)
    if (number !== undefined) systems.set(number, (systems.get(number) ?? new Set()).add(address))
  }
  return [...systems].map(([number, addresses]) => ({ kind: 'network', name: `AS${number}`, addresses }))
}

function providersOf({ exchangers }: Facts): readonly FailureDomain[] {
  const owned = new Map<Provider, Set<IpAddress>>()
  for (const { host, addresses, isImplicit } of exchangers) {
    const recognition = host && !isImplicit ? recognise([{ host, preference: 0 }]) : undefined
    if (recognition?.kind !== 'recognised' || recognition.provider.kind === 'none') continue
    const known = owned.get(recognition.provider) ?? new Set()
    for (const { address } of addresses) known.add(address)
    owned.set(recognition.provider, known)
  }
  return [...owned].map(([{ name }, addresses]) => ({ kind: 'provider', name, addresses }))
}
