/**
 * Which addresses of a domain's exchangers are tried, and in which order within a host. Pure; called by `exchangers.ts`.
 */
import { type IpAddress, isIpv6 } from '../base/ip.ts'

/** IPv6 and IPv4 in turn, each in the order in which DNS gave them (RFC 5321 §5.1: that order is the one to keep). */
export function interleave(addresses: readonly IpAddress[]): IpAddress[] {
  const unique = [...new Set(addresses)]
  const six = unique.filter(isIpv6)
  const four = unique.filter((address) => !isIpv6(address))
  return Array.from({ length: Math.max(six.length, four.length) }, (_, index) => [six[index], four[index]])
    .flat()
    .filter((address) => address !== undefined)
}

/**
 * At most so many addresses over all hosts, and not all of one host: first a pair of each host, one of each family, in order; then further
 * pairs. Both families are among them where both exist, so that neither, when it is broken here, takes all the tries.
 * @param hosts  the interleaved addresses of each host, the host that is tried first first
 * @param most  at least 4
 * @returns what is left to each host, in the same order
 */
export function limitAddresses(
  hosts: readonly (readonly IpAddress[])[],
  most: number,
): readonly (readonly IpAddress[])[] {
  const all = hosts.reduce((sum, addresses) => sum + addresses.length, 0)
  if (all <= most) return hosts
  const taken: IpAddress[][] = hosts.map(() => [])
  let left = most
  for (let from = 0; left > 0; from += 2) {
    for (const [index, addresses] of hosts.entries()) {
      const pair = addresses.slice(from, from + Math.min(2, left))
      taken[index]?.push(...pair)
      left -= pair.length
    }
  }
  representBoth(hosts, taken)
  return taken
}

/** Puts the first address of a family that is missing in the place of the last one taken. */
function representBoth(hosts: readonly (readonly IpAddress[])[], taken: IpAddress[][]): void {
  for (const isFamily of [isIpv6, (address: IpAddress) => !isIpv6(address)]) {
    if (taken.flat().some(isFamily)) continue
    const index = hosts.findIndex((addresses) => addresses.some(isFamily))
    const missing = hosts[index]?.find(isFamily)
    if (missing === undefined) continue
    taken.findLast((addresses) => addresses.length > 0)?.pop()
    taken[index]?.push(missing)
  }
}
