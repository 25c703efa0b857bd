/**
 * How long the messages were that came without SIZE (RFC 1870) and did not fit into the hold. Whoever comes again with such a message hears at RCPT that
 * its domain has no room, and not at the dot, where the other recipients would hear it too, at each try. It only matters while there is no room for it.
 * Asked by `hold.ts`.
 */
import { BoundedMap } from '../../base/bounded-map.ts'
import { clientKey, type IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'

export interface UnsaidSizes {
  /** @param size  octets of a message that was turned away */
  note(client: IpAddress, domain: HostName | undefined, size: number): void
  /** @returns octets that a message of this client for the domain may have; 0 where nothing is known */
  expected(client: IpAddress, domain: HostName | undefined): number
}

/** Some hundred octets each; the one that was turned away longest ago is forgotten. */
const mostKnown = 10_000

export function createUnsaidSizes(): UnsaidSizes {
  const sizes = new BoundedMap<string, number>(mostKnown)
  const keyOf = (client: IpAddress, domain: HostName | undefined) => `${clientKey(client)} ${domain ?? ''}`
  return {
    note(client, domain, size) {
      sizes.set(keyOf(client, domain), size)
    },
    expected: (client, domain) => sizes.get(keyOf(client, domain)) ?? 0,
  }
}
