/**
 * Where `healthy: true` is declared: which addresses are to be watched, and which hosts of which zone of the built-in server lose the addresses
 * that are down. Called by `waypost serve` and, so that it takes no address for missing, by `waypost apply`. Pure.
 */
import type { IpAddress } from '../../base/ip.ts'
import type { ZoneSource } from '../../dns/authoritative/zone.ts'
import type { HostName } from '../../dns/name.ts'
import { foldName, nameFromHost, parentOf, rootWireName, type WireName } from '../../dns/wire-name.ts'
import type { Declaration, DeclaredExchanger } from '../declare/declaration.ts'

/** The addresses to be watched, each with a host that has it. @param own  addresses of this machine: they are not asked */
export function watchedAddresses(
  declarations: readonly Declaration[],
  own: ReadonlySet<IpAddress>,
): ReadonlyMap<IpAddress, HostName> {
  const watched = new Map<IpAddress, HostName>()
  for (const { host, addresses } of healthyExchangers(declarations))
    for (const address of addresses ?? []) if (!own.has(address)) watched.set(address, host)
  return watched
}

/** The hosts whose addresses may be left out, folded. */
export function healthyHosts(declarations: readonly Declaration[]): ReadonlySet<WireName> {
  return new Set(
    healthyExchangers(declarations)
      .filter(({ addresses }) => addresses !== undefined)
      .map(({ host }) => foldName(nameFromHost(host))),
  )
}

function healthyExchangers(declarations: readonly Declaration[]): readonly DeclaredExchanger[] {
  return declarations.flatMap(({ isHealthy, exchangers }) =>
    isHealthy && exchangers !== undefined && exchangers !== 'none' ? exchangers : [],
  )
}

/**
 * Zones with the hosts whose addresses may be left out. One that is the same as the time before is the same object, by which the server knows
 * that there is nothing to do: there may be very many zones.
 */
export function createHealthyMarker(): (
  zones: readonly ZoneSource[],
  hosts: ReadonlySet<WireName>,
) => readonly ZoneSource[] {
  let before: ReadonlyMap<ZoneSource, ZoneSource> = new Map()
  return (zones, hosts) => {
    if (hosts.size === 0) {
      before = new Map()
      return zones
    }
    const origins = new Set(zones.map(({ origin }) => foldName(origin)))
    const byZone = new Map<WireName, WireName[]>()
    for (const host of [...hosts].toSorted()) {
      const origin = zoneOf(host, origins)
      if (origin !== undefined) byZone.set(origin, [...(byZone.get(origin) ?? []), host])
    }
    const now = new Map<ZoneSource, ZoneSource>()
    const marked = zones.map((zone) => {
      const healthy = byZone.get(foldName(zone.origin))
      if (healthy === undefined) return zone
      const known = before.get(zone)
      const one = known?.healthy?.join() === healthy.join() ? known : { ...zone, healthy }
      now.set(zone, one)
      return one
    })
    before = now
    return marked
  }
}

/** The closest zone that the host lies in. */
function zoneOf(host: WireName, origins: ReadonlySet<WireName>): WireName | undefined {
  for (let at = host; ; at = parentOf(at)) {
    if (origins.has(at)) return at
    if (at === rootWireName) return undefined
  }
}
