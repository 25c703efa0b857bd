/**
 * From a route to the addresses that mail can be handed to now: IP addresses as they are, host names by the system's resolver
 * (so `/etc/hosts` and container names work; `named-hosts`), `mx` by our own look-up. Asked by `staging` for each message; what does
 * not need to wait does not wait.
 */
import type { Clock } from '../../base/clock.ts'
import type { HostLookup } from '../../base/host-lookup.ts'
import { type IpAddress, isIpv6, parseIp } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import type { Backend, BackendAddress, Endpoint, Route, RouteEntry } from '../../routing/backend.ts'
import type { Member } from '../../routing/balance.ts'
import { createMisconfiguredRoutes } from './misconfigured-routes.ts'
import { createMxOutages, type WhyUnknown } from './mx-outages.ts'
import { createNamedHosts } from './named-hosts.ts'

export type Expansion =
  | { readonly kind: 'members'; readonly members: readonly Member[] }
  /** Each domain that is looked up says in DNS that it takes no mail (RFC 7505), and no other backend is named. */
  | { readonly kind: 'null-mx' }
  /** `mx` without us in the set, or a set in which nobody is better than us. */
  | Misconfigured

/** @param remedy  what a person can do */
interface Misconfigured {
  readonly kind: 'misconfigured'
  readonly why: string
  readonly remedy: string
}

export interface MxHost {
  readonly host: HostName
  /** 0–65535. */
  readonly preference: number
  readonly addresses: readonly IpAddress[]
}

/** What the look-up of a domain's exchangers means for a route. */
export type MxAnswer =
  | { readonly kind: 'hosts'; readonly hosts: readonly MxHost[] }
  | { readonly kind: 'null-mx' }
  | Misconfigured
  /** Nobody stands before us in the set. */
  | { readonly kind: 'ourselves'; readonly why: string; readonly remedy: string }
  /** No such domain, no mail host, temporary failure: for a declared domain all of them are an outage. */
  | { readonly kind: 'outage'; readonly why: string; readonly remedy?: string }

export interface EndpointsDeps {
  readonly clock: Clock
  readonly log: Log
  /** Addresses of a configured host. */
  readonly lookupHost: HostLookup
  /** @param mustContainUs  true for `mx`, false for `mx:domain` */
  readonly lookupMx: (domain: HostName, mustContainUs: boolean, isPrivate: boolean) => MxAnswer | Promise<MxAnswer>
  /**
   * Where there was nobody, because no address was known, there is one: no other word says that it may be tried.
   * @param leadsTo  whether a backend is meant, of recipients in that domain
   */
  readonly onFound: (leadsTo: (backend: Backend, domain: HostName | undefined) => boolean) => void
  /** Takes mail of our own that would come back to us. */
  readonly postmaster: () => Route
}

export interface Endpoints {
  /** @param domain  the recipient's, which `mx` looks up; undefined for the postmaster's route */
  expand(route: Route, domain: HostName | undefined): Expansion | Promise<Expansion>
  /**
   * The addresses of one backend. Of `mx` none, because mail alone asks exchangers that DNS names; those of `mx:domain` are looked up, so that `whyUnknown`
   * knows of them.
   */
  of(backend: Backend): readonly Endpoint[] | Promise<readonly Endpoint[]>
  /** Why mail that asked for this host cannot be handed to it: its name has no address. It is looked up again now and then, for whom nobody waits. */
  whyNameless(host: string): string | undefined
  /** Why no exchanger is known, where the last look-up for this `mx` backend brought none. It is looked up again in the same way. */
  whyUnknown(backend: Backend): WhyUnknown | undefined
  /** Why mail to the domain is put off, where its MX did not let the route be tried when it was asked for last. */
  whyMisconfigured(route: Route, domain: HostName): string | undefined
}

/** One preference of a route holds the 65,536 preferences that MX records can have. */
const tiersAPreference = 65_536

export function createEndpoints({ clock, log, lookupHost, lookupMx, onFound, postmaster }: EndpointsDeps): Endpoints {
  const unchanging = new WeakMap<Route, Expansion>()
  const misconfigured = createMisconfiguredRoutes(clock)
  const hosts = createNamedHosts(clock, log, lookupHost, (host) =>
    onFound(({ address }) => 'host' in address && address.host === host),
  )
  const outages = createMxOutages(clock, log, {
    lookAgain: async (backend, domain) => expandEntry(alone(backend), domain),
    onOver: ({ key }, domain) =>
      onFound(
        (each, recipients) =>
          each.key === key && each.address.protocol === 'mx' && (each.address.domain ?? recipients) === domain,
      ),
  })

  function expand(route: Route, domain: HostName | undefined): Expansion | Promise<Expansion> {
    const known = unchanging.get(route)
    if (known) return known
    const parts = route.entries.map((entry) => expandEntry(entry, domain))
    // Only what is looked up can be misconfigured, and that is waited for.
    if (parts.some((part) => part instanceof Promise))
      return Promise.all(parts).then((all) => noted(route, domain, join(all)))
    const joined = join(parts as Expansion[])
    if (route.entries.every(isUnchanging)) unchanging.set(route, joined)
    return joined
  }

  function noted(route: Route, domain: HostName | undefined, expansion: Expansion): Expansion {
    const why = expansion.kind === 'misconfigured' ? expansion.why : undefined
    if (domain !== undefined) misconfigured.note(route, domain, why)
    return expansion
  }

  function expandEntry(entry: RouteEntry, domain: HostName | undefined): Expansion | Promise<Expansion> {
    const { address } = entry.backend
    if (address.protocol === 'mx') return expandMx(entry, address, domain)
    const found = of(entry.backend)
    return found instanceof Promise ? found.then((all) => members(entry, all)) : members(entry, found)
  }

  function of(backend: Backend): readonly Endpoint[] | Promise<readonly Endpoint[]> {
    const { address } = backend
    if (address.protocol === 'mx')
      return address.domain === undefined ? [] : expandMx(alone(backend), address, undefined).then(() => [])
    if (address.protocol === 'maildir') return [endpoint(backend, { kind: 'maildir' }, address.path, 'backend')]
    if ('path' in address) return [endpoint(backend, { kind: 'unix', path: address.path }, address.path, 'backend')]
    const { host, port } = address
    const purpose = backend.options.isPublicOnly ? 'included' : 'backend'
    const tcp = (ip: IpAddress) => endpoint(backend, { kind: 'tcp', address: ip, port }, host, purpose)
    const ip = parseIp(host)
    if (ip) return [tcp(ip)]
    const addresses = hosts.addressesOf(host as HostName)
    return addresses instanceof Promise
      ? addresses.then((all) => interleave(all).map(tcp))
      : interleave(addresses).map(tcp)
  }

  async function expandMx(entry: RouteEntry, mx: MxAddress, recipients: HostName | undefined): Promise<Expansion> {
    const domain = mx.domain ?? recipients
    const port = mx.port ?? 25
    if (!domain) return { kind: 'members', members: [] }
    const answer = await lookupMx(domain, mx.domain === undefined, entry.backend.options.private)
    if (answer.kind === 'outage') {
      const { why, remedy } = answer
      // Of strangers, to whom mail of our own goes, one says nothing of the others, and none is to be reached at a private address.
      log.warn('exchangers unknown', mx.isForOwnMail ? { domain, why } : { domain, why, remedy })
      if (!mx.isForOwnMail) outages.failed(entry.backend, domain, answer)
      return { kind: 'members', members: [] }
    }
    outages.answered(entry.backend, domain)
    if (answer.kind === 'ourselves')
      return mx.isForOwnMail ? expand(postmaster(), undefined) : { ...answer, kind: 'misconfigured' }
    if (answer.kind !== 'hosts') return answer
    const purpose = mx.isForOwnMail ? 'dsn' : 'mx'
    const all = answer.hosts.flatMap(
      ({ host, preference, addresses }) =>
        members(
          entry,
          addresses.map((address) => endpoint(entry.backend, { kind: 'tcp', address, port }, host, purpose)),
          preference,
        ).members,
    )
    return { kind: 'members', members: all }
  }

  return {
    ...{ expand, of },
    whyNameless: hosts.whyNameless,
    whyUnknown: outages.whyUnknown,
    whyMisconfigured: misconfigured.why,
  }
}

/** In no route: its place in one does not matter. */
const alone = (backend: Backend): RouteEntry => ({ backend, preference: 0, weight: 1 })

type MxAddress = Extract<BackendAddress, { protocol: 'mx' }>

function endpoint(backend: Backend, target: Endpoint['target'], name: string, purpose: Endpoint['purpose']): Endpoint {
  const place = target.kind === 'tcp' ? `${target.address} ${target.port}` : target.kind === 'unix' ? target.path : ''
  return { key: `${backend.key} ${place}`, backend, target, name, purpose }
}

/** The addresses of one host share its weight. */
function members(
  entry: RouteEntry,
  endpoints: readonly Endpoint[],
  mxPreference = 0,
): { kind: 'members'; members: readonly Member[] } {
  const tier = entry.preference * tiersAPreference + mxPreference
  const weight = entry.weight / Math.max(1, endpoints.length)
  return { kind: 'members', members: endpoints.map((each) => ({ endpoint: each, tier, weight })) }
}

/** What one entry of a route says is no word on the others: null MX is a verdict for good, so all of them must say it. */
function join(parts: readonly Expansion[]): Expansion {
  const members = parts.flatMap((part) => (part.kind === 'members' ? part.members : []))
  if (members.length > 0) return { kind: 'members', members }
  const misconfigured = parts.find(({ kind }) => kind === 'misconfigured')
  if (misconfigured) return misconfigured
  const areAllNull = parts.length > 0 && parts.every(({ kind }) => kind === 'null-mx')
  return areAllNull ? { kind: 'null-mx' } : { kind: 'members', members }
}

function isUnchanging({ backend: { address } }: RouteEntry): boolean {
  if (address.protocol === 'mx') return false
  return !('host' in address) || parseIp(address.host) !== undefined
}

/** IPv6 and IPv4 in turn, beginning with the family that came first. */
function interleave(addresses: readonly IpAddress[]): readonly IpAddress[] {
  const first = addresses[0]
  if (!first) return addresses
  const same = addresses.filter((address) => isIpv6(address) === isIpv6(first))
  const other = addresses.filter((address) => isIpv6(address) !== isIpv6(first))
  return Array.from({ length: Math.max(same.length, other.length) }, (_, index) => [same[index], other[index]])
    .flat()
    .filter((address) => address !== undefined)
}
