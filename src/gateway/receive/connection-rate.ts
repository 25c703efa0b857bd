/**
 * How many new connections a second a client and its network may make. A connection that is refused costs a fraction of one that gets as far
 * as a refused recipient, so a flood that is seen here is a cheap one. Asked by `connection-places.ts` for each new connection.
 */
import type { Clock } from '../../base/clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import { createTokenBuckets } from '../../base/limits.ts'
import { isLoopback } from '../../base/loopback.ts'

export interface ConnectionRate {
  /**
   * Counts the connection.
   * @param client  what the address counts as, and its network (`clientKey`, `networkKey`)
   */
  admits(address: IpAddress, client: string, network: string): boolean
}

/** A network may make as many as four of its clients: as for connections at once. */
const clientsANetwork = 4
/** What was not used is saved up for so long: a mail queue that is flushed is a burst and no flood. */
const burstSeconds = 10

/** @param perSecond  of one client; asked each time, so that a reload can change it */
export function createConnectionRate(clock: Clock, perSecond: () => number): ConnectionRate {
  const clients = createTokenBuckets(clock, perSecond, burstSeconds)
  const networks = createTokenBuckets(clock, () => clientsANetwork * perSecond(), burstSeconds)
  return {
    admits(address, client, network) {
      // This machine does not flood itself, and what runs here (a content filter, a benchmark) may be fast.
      if (isLoopback(address)) return true
      return clients.take(client) && networks.take(network)
    },
  }
}
