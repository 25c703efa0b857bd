/**
 * Which servers take mail for a domain (RFC 5321 §5.1): asked by `mx` routes, by DSNs, by the checks, by `waypost lookup` and by users of the library.
 *
 * MX, aliases followed → none: the domain itself → all ".": no mail (RFC 7505) → names judged → us by name: cut → addresses, both families, each host
 *   → us by address: cut → addresses judged → ordered, equals shuffled → limited; what was left out is told with why.
 *
 * A zone may say more than anybody can use, and all of it is worked through in one turn. So of a domain the 500 preferred names are judged and 50 hosts
 * looked up; of a host the first 100 addresses of each family are kept, in DNS's order; and 1,000 of a domain are judged, pair by pair over its hosts.
 */
import { type IpAddress, whyNotPublic } from '../base/ip.ts'
import type { Random } from '../base/random.ts'
import type { HostName } from '../dns/name.ts'
import type { Resolver } from '../dns/resolver.ts'
import { nameServerText } from '../dns/servers.ts'
import { foldName, nameFromHost, nameText, rootWireName, type WireName } from '../dns/wire-name.ts'
import { limitAddresses } from './addresses.ts'
import { type HostAddresses, leastTrust, lookupAddresses, type Trust, trustOf } from './host-addresses.ts'
import { byPreference, cutAtSelf, orderExchangers, type Reason } from './order.ts'
import { judgeTarget } from './target.ts'

/** Who we are, so that mail does not come back to us, and which addresses we can reach. */
export interface ExchangerOptions {
  /** What we are called: a host of one of these names is ourselves. */
  readonly ownNames: readonly HostName[]
  /** What we are reached at, on this machine and, behind NAT, as the world sees it: a host with one of these is ourselves. */
  readonly ownAddresses: readonly IpAddress[]
  readonly publicAddresses: readonly IpAddress[]
  /** Addresses that not everybody reaches are meant (RFC 6890). */
  readonly private: boolean
  /** Which families are looked up. */
  readonly families: 'both' | 'ipv4' | 'ipv6'
  /** 4–100; over all hosts, with at least two hosts and both families among them. */
  readonly maxAddresses: number
}

export const defaultExchangerOptions: ExchangerOptions = {
  ownNames: [],
  ownAddresses: [],
  publicAddresses: [],
  private: false,
  families: 'both',
  maxAddresses: 10,
}

/** A host to try for a domain's mail (RFC 5321 §5.1), with its place in the order and why it has it. */
export interface Candidate {
  /** The exchanger's name; an address where the recipient's domain was an address literal. */
  readonly host: HostName | IpAddress
  readonly preference: number
  /** In the order in which they are tried, at least one. */
  readonly addresses: readonly IpAddress[]
  /** Share of senders that try this host first, 0–1. */
  readonly share: number
  readonly reason: Reason
  /** What is odd about it, in words, safe to print. */
  readonly notes: readonly string[]
}

export interface Dropped {
  /** The name as DNS has it, safe to print. */
  readonly host: string
  readonly preference: number
  readonly why: string
  /** It has addresses, and not one that everybody reaches (RFC 6890): `private` takes it. */
  readonly isNotPublic?: true
}

interface Told {
  readonly domain: HostName | IpAddress
  /** Where the names came from. */
  readonly source: 'mx' | 'implicit' | 'literal'
  readonly dropped: readonly Dropped[]
  /** About the domain as a whole. */
  readonly notes: readonly string[]
  /** Where we ourselves stand in the MX set. */
  readonly self: { readonly host: HostName; readonly preference: number } | undefined
  /** How long all of it may be used without asking again. */
  readonly ttlSeconds: number
  /** Every answer was validated by a resolver on this machine. */
  readonly authenticated: boolean
  /** Some answer is older than its TTL, because no server answers. */
  readonly stale: boolean
  /** The name server that answered for the domain, `192.0.2.53:53`; undefined where none did, or none was asked. */
  readonly answeredBy: string | undefined
}

/** What came of a look-up: hosts to try in order, or why there are none, and whether trying later may help. */
export type Exchangers =
  | (Told & { readonly kind: 'candidates'; readonly candidates: readonly Candidate[] })
  /** RFC 7505: the domain takes no mail. */
  | (Told & { readonly kind: 'null-mx' })
  | (Told & { readonly kind: 'no-such-domain'; readonly why: string })
  /** The domain exists, and no server that could be tried takes its mail. */
  | (Told & { readonly kind: 'no-mail-host'; readonly why: string })
  /** We are the best of them ourselves: handing the mail on would bring it back. */
  | (Told & { readonly kind: 'loop'; readonly why: string })
  | (Told & { readonly kind: 'temporary-failure'; readonly why: string })

/** What a look-up needs from outside. */
export interface ExchangerDeps {
  readonly resolver: Resolver
  readonly random: Random
}

/** @param options  those that differ from `defaultExchangerOptions` */
export async function lookupExchangers(
  domain: HostName,
  options: Partial<ExchangerOptions>,
  deps: ExchangerDeps,
): Promise<Exchangers> {
  const settings = { ...defaultExchangerOptions, ...options }
  const name = nameFromHost(domain)
  const mx = await deps.resolver.resolve(name, 'MX')
  const told: Told = {
    domain,
    source: mx.kind === 'no-data' ? 'implicit' : 'mx',
    dropped: [],
    notes: mx.kind === 'failed' || mx.aliases.length === 0 ? [] : [`an alias of ${chainText(mx.aliases)}`],
    self: undefined,
    ...pickTrust(trustOf(mx)),
    answeredBy: mx.kind === 'failed' ? undefined : nameServerText(mx.server),
  }
  // RFC 5321 §5.1: a temporary error is no verdict, and never a reason to use the addresses of the domain.
  if (mx.kind === 'failed') return { ...told, kind: 'temporary-failure', why: `MX: ${mx.why}` }
  if (mx.kind === 'no-such-name') return { ...told, kind: 'no-such-domain', why: missingText(mx.aliases) }
  // RFC 5321 §5.1: without any MX record the domain is its own exchanger, of preference 0.
  if (mx.kind === 'no-data') return choose([{ preference: 0, exchange: name }], settings, deps, told)

  const all = uniqueRecords(mx.records.map((record) => record.data))
  const records = all.length > maxRecords ? [...all].sort(byPreference).slice(0, maxRecords) : all
  const beyond = `has ${all.length} exchangers, of which the ${maxRecords} preferred ones are looked at`
  const named = records.filter((record) => record.exchange !== rootWireName)
  // RFC 7505 §3: only "." alone says "no mail". Beside others it says nothing, and the rest is delivered to.
  if (named.length === 0) return { ...told, kind: 'null-mx' }
  const nulls = records.filter((record) => record.exchange === rootWireName)
  const why = 'a null MX beside others says nothing (RFC 7505 §3)'
  return choose(named, settings, deps, {
    ...told,
    notes: all.length > maxRecords ? [...told.notes, beyond] : told.notes,
    dropped: nulls.map(({ preference }) => ({ host: '.', preference, why })),
  })
}

/** For a recipient at an address literal (RFC 5321 §4.1.3): there is nothing to look up, but the address is judged. */
export function literalExchanger(address: IpAddress, isPrivate: boolean): Exchangers {
  const told: Told = {
    domain: address,
    source: 'literal',
    dropped: [],
    notes: [],
    self: undefined,
    ttlSeconds: 0,
    authenticated: false,
    stale: false,
    answeredBy: undefined,
  }
  const why = isPrivate ? undefined : whyNotPublic(address)
  if (why)
    return {
      ...told,
      kind: 'no-mail-host',
      why: `${address} is ${why}`,
      dropped: [{ host: address, preference: 0, why, isNotPublic: true }],
    }
  const reason = 'an address, written as one'
  const candidate: Candidate = { host: address, preference: 0, addresses: [address], share: 1, reason, notes: [] }
  return { ...told, kind: 'candidates', candidates: [candidate] }
}

interface MxRecord {
  readonly preference: number
  readonly exchange: WireName
}

interface Host {
  readonly host: HostName
  readonly preference: number
  readonly notes: readonly string[]
}

interface Resolved extends Host {
  readonly found: HostAddresses
}

interface Usable extends Host {
  readonly addresses: readonly IpAddress[]
  /** How many more DNS gave, which nobody looked at. */
  readonly unseen: number
}

/** Real domains have ten exchangers at most; a hostile one has 4,000, and each costs two questions. */
const maxHosts = 50
/** Of a domain: judging a name takes as long as many addresses. */
const maxRecords = 500
/** Addresses of a domain, ten times as many as are ever tried. */
const maxJudged = 1_000
/** Of those of one host that not everybody reaches; the others are counted. */
const maxReasons = 10

async function choose(
  records: readonly MxRecord[],
  settings: ExchangerOptions,
  deps: ExchangerDeps,
  sofar: Told,
): Promise<Exchangers> {
  const { hosts, unusable } = judgeTargets(records, settings.private)
  const byName = cutAtSelf(hosts, ({ host }) => settings.ownNames.includes(host))
  // Nothing that is not better than us by name needs to be looked up.
  const asked = orderExchangers(byName.better, deps.random).map(({ record }) => record)
  const resolved = await Promise.all(
    asked.slice(0, maxHosts).map(async (host): Promise<Resolved> => {
      return { ...host, found: await lookupAddresses(host.host, settings.families, deps.resolver) }
    }),
  )
  const own = new Set([...settings.ownAddresses, ...settings.publicAddresses])
  const byAddress = cutAtSelf(
    resolved,
    ({ found }) => found.kind === 'found' && found.addresses.some((at) => own.has(at)),
  )
  const self = byAddress.self ?? byName.self
  const tried = boundAddresses(byAddress.better).map((host) => judgeAddresses(host, settings.private))
  const told: Told = {
    ...sofar,
    // A host that could not be looked up now is not part of what is told for so long.
    ...leastTrust([sofar, ...byAddress.better.flatMap(({ found }) => (found.kind === 'unknown' ? [] : found))]),
    self: self && { host: self.host, preference: self.preference },
    dropped: [
      ...sofar.dropped,
      ...unusable,
      ...tried.flatMap((host) => (host.kind === 'dropped' ? host.dropped : [])),
      ...asked.slice(maxHosts).map((host) => ({ ...drop(host), why: `not looked up: ${maxHosts} hosts are enough` })),
      ...[...byAddress.rest, ...byName.rest].map((host) => ({
        ...drop(host),
        why: host === self ? 'ourselves' : 'not better than ourselves (RFC 5321 §5.1)',
      })),
    ],
  }
  const usable = tried.flatMap((host) => (host.kind === 'usable' ? host.usable : []))
  if (usable.length === 0) return { ...told, ...noneLeft(byAddress.better, unusable, self) }
  return candidates(usable, settings, deps, told)
}

/** Each name once, at its best preference: what differs in case alone is the same. */
function uniqueRecords(records: readonly MxRecord[]): readonly MxRecord[] {
  const best = new Map<string, MxRecord>()
  for (const record of records) {
    const known = best.get(foldName(record.exchange))
    if (!known || record.preference < known.preference) best.set(foldName(record.exchange), record)
  }
  return [...best.values()]
}

function judgeTargets(records: readonly MxRecord[], isPrivate: boolean): { hosts: Host[]; unusable: Dropped[] } {
  const hosts: Host[] = []
  const unusable: Dropped[] = []
  for (const { preference, exchange } of records) {
    const target = judgeTarget(exchange, isPrivate)
    if (target.kind === 'host') hosts.push({ host: target.host, preference, notes: target.notes })
    else unusable.push({ host: target.text, preference, why: target.why })
  }
  return { hosts, unusable }
}

const drop = ({ host, preference }: Host) => ({ host, preference })

type Judged =
  | { readonly kind: 'usable'; readonly usable: Usable }
  | { readonly kind: 'dropped'; readonly dropped: Dropped }

/** @param hosts  in the order in which they are tried */
function boundAddresses(hosts: readonly Resolved[]): readonly Resolved[] {
  const kept = limitAddresses(
    hosts.map(({ found }) => (found.kind === 'found' ? found.addresses : [])),
    maxJudged,
  )
  return hosts.map((host, index) =>
    host.found.kind === 'found' ? { ...host, found: { ...host.found, addresses: kept[index] ?? [] } } : host,
  )
}

/** RFC 6890: what DNS says must not lead us into networks that only we reach. */
function judgeAddresses({ found, ...host }: Resolved, isPrivate: boolean): Judged {
  if (found.kind !== 'found') return { kind: 'dropped', dropped: { ...drop(host), why: found.why } }
  const reasons = new Map(found.addresses.map((address) => [address, isPrivate ? undefined : whyNotPublic(address)]))
  const addresses = found.addresses.filter((address) => reasons.get(address) === undefined)
  const notPublic = [...reasons].flatMap(([address, why]) => (why ? `${address} is ${why}` : []))
  const unseen = found.count - found.addresses.length
  const told = notPublic.slice(0, maxReasons)
  if (notPublic.length > maxReasons) told.push(`${notPublic.length - maxReasons} more not public either`)
  if (addresses.length === 0) {
    if (unseen > 0) told.push(`${unseen} more not looked at`)
    return { kind: 'dropped', dropped: { ...drop(host), why: told.join('; '), isNotPublic: true } }
  }
  const notes = [...host.notes, ...found.notes, ...told.map((why) => `left out: ${why}`)]
  return { kind: 'usable', usable: { ...host, addresses, unseen, notes } }
}

/** Why there is nobody to try. Temporary beats permanent whenever any look-up was temporary. */
function noneLeft(better: readonly Resolved[], unusable: readonly Dropped[], self: Host | undefined) {
  const unknown = better.find(({ found }) => found.kind === 'unknown')
  if (unknown?.found.kind === 'unknown')
    return { kind: 'temporary-failure', why: `${unknown.host}: ${unknown.found.why}` } as const
  const unresolved = better.find(({ found }) => found.kind === 'none')
  if (!self) return { kind: 'no-mail-host', why: 'none of its exchangers can be used' } as const
  // There are better ones than us, and they will be back: not a loop.
  if (unresolved)
    return { kind: 'temporary-failure', why: `${unresolved.host}, better than us, has no address` } as const
  const isAlone = better.length === 0 && !unusable.some(({ preference }) => preference < self.preference)
  if (isAlone) return { kind: 'loop', why: `${self.host} is ourselves, and none is better` } as const
  return { kind: 'no-mail-host', why: 'no exchanger better than us can be used' } as const
}

function candidates(
  usable: readonly Usable[],
  settings: ExchangerOptions,
  deps: ExchangerDeps,
  told: Told,
): Exchangers {
  const ordered = orderExchangers(usable, deps.random)
  const kept = limitAddresses(
    ordered.map(({ record }) => record.addresses),
    settings.maxAddresses,
  )
  const all = ordered.map(({ record, share, reason }, index): Candidate => {
    const addresses = kept[index] ?? []
    const notes = [...record.notes]
    const count = record.addresses.length + record.unseen
    if (addresses.length < count) notes.push(`has ${count} addresses, ${addresses.length} of them tried`)
    const why: Reason = told.source === 'implicit' ? 'no MX records: the domain itself' : reason
    return { host: record.host, preference: record.preference, addresses, share, reason: why, notes }
  })
  const beyond = all.filter(({ addresses }) => addresses.length === 0)
  const why = `not needed: ${settings.maxAddresses} addresses are enough`
  const dropped = [...told.dropped, ...beyond.map(({ host, preference }) => ({ host, preference, why }))]
  return { ...told, kind: 'candidates', candidates: all.filter(({ addresses }) => addresses.length > 0), dropped }
}

const chainText = (aliases: readonly WireName[]) => aliases.map((alias) => nameText(alias)).join(' → ')

const missingText = (aliases: readonly WireName[]) =>
  aliases.length === 0
    ? 'there is no such name in DNS'
    : `it is an alias of ${chainText(aliases)}, which does not exist`

const pickTrust = ({ ttlSeconds, authenticated, stale }: Trust): Trust => ({ ttlSeconds, authenticated, stale })
