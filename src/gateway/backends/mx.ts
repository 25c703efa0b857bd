/**
 * What a domain's exchangers mean for an `mx` route: a declared domain's DNS is never a permanent verdict but for null MX.
 * The look-up itself is `routing/exchangers`; asked by `endpoints`.
 */
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { type CountingResolver, createResolver, type Resolver, type ResolverCounts } from '../../dns/resolver.ts'
import { type Dropped, type Exchangers, lookupExchangers } from '../../routing/exchangers.ts'
import type { GatewaySettings } from '../settings.ts'
import type { EndpointsDeps, MxAnswer } from './endpoints.ts'

export interface MxLookup {
  readonly lookup: EndpointsDeps['lookupMx']
  /** As the configuration has it now. */
  readonly resolver: () => Resolver
  /** Since its options changed last; undefined where nothing was looked up. */
  readonly counts: () => ResolverCounts | undefined
  close(): void
}

/** @param settings  asked each time: a reload may bring other name servers and another name of ours */
export function createMxLookup(
  settings: () => GatewaySettings,
  deps: { clock: Clock; random: Random; log: Log; door: Door },
): MxLookup {
  let made: { for: string; resolver: CountingResolver } | undefined

  /** Made when the first `mx` route is used, and anew when its options change. */
  function resolver(): Resolver {
    const options = settings().resolver
    // By value: each load of the configuration makes a new object, and must not cost the answers that are known.
    const key = JSON.stringify(options)
    if (made?.for !== key) {
      made?.resolver.close()
      made = { for: key, resolver: createResolver(options, deps) }
    }
    return made.resolver
  }

  return {
    resolver,
    counts: () => made?.resolver.counts,
    async lookup(domain, mustContainUs, isPrivate) {
      const { hostname, publicAddresses, listen } = settings()
      const found = await lookupExchangers(
        domain,
        {
          ownNames: [hostname],
          ownAddresses: [...machineAddresses(), ...listen.map(({ address }) => address)],
          publicAddresses,
          private: isPrivate,
        },
        { resolver: resolver(), random: deps.random },
      )
      return meaning(found, mustContainUs, hostname)
    },
    close: () => made?.resolver.close(),
  }
}

/** @param mustContainUs  it is said as `mx`, and not as `mx:domain` */
function meaning(found: Exchangers, mustContainUs: boolean, hostname: HostName): MxAnswer {
  const { domain } = found
  switch (found.kind) {
    case 'null-mx':
      return { kind: 'null-mx' }
    case 'loop':
      return {
        kind: 'ourselves',
        why: `in the MX of ${domain} nobody is better than us: ${found.why}`,
        remedy: `say under deliver: which server has the mailboxes, or give another exchanger of ${domain} a lower preference than ours`,
      }
    case 'no-mail-host': {
      const notPublic = found.dropped.filter(({ isNotPublic }) => isNotPublic)
      if (notPublic.length > 0) return notPublicOutage(notPublic, mustContainUs ? 'mx' : `"mx:${domain}"`)
      return { kind: 'outage', why: `${found.kind}: ${found.why}` }
    }
    case 'no-such-domain':
    case 'temporary-failure':
      return { kind: 'outage', why: `${found.kind}: ${found.why}` }
    case 'candidates': {
      // Handing mail to exchangers among which we do not stand would make us a relay for whoever changes that DNS.
      if (mustContainUs && !found.self)
        return {
          kind: 'misconfigured',
          why: `we do not stand in the MX of ${domain}`,
          remedy: `publish ${hostname} in it, behind the servers that have the mailboxes; where we stand there by another name, set hostname, or publicAddresses to our addresses there; to deliver to its exchangers without being one of them, write deliver: "mx:${domain}"`,
        }
      const hosts = found.candidates.map(({ host, preference, addresses }) => ({
        host: host as HostName,
        preference,
        addresses,
      }))
      return { kind: 'hosts', hosts }
    }
  }
}

/** @param to  as the backend is written */
function notPublicOutage(hosts: readonly Dropped[], to: string): MxAnswer {
  const [first] = hosts
  const more = hosts.length > 1 ? ` (and ${hosts.length - 1} more such)` : ''
  return {
    kind: 'outage',
    why: `no-mail-host: of ${first?.host} ${first?.why}${more}`,
    remedy: `to deliver to addresses that are not public, write { to: ${to}, private: true }`,
  }
}

function machineAddresses(): readonly IpAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ address }) => parseIp(address))
    .filter((address) => address !== undefined)
}
