/**
 * How many connections there may be at once, over all, by client and by network, and how fast they may come (`connection-rate`). Asked by `sender-handler`
 * for each new one: whoever finds no place hears why in place of a greeting, before anything was spent on it.
 */
import type { Clock } from '../../base/clock.ts'
import { clientKey, networkKey } from '../../base/ip.ts'
import { createKeyedBudget, createRateCounter } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { loggedReply, type Reply, reply } from '../../mail/reply.ts'
import type { Peer } from '../../smtp/server/handler.ts'
import type { Tell } from '../events.ts'
import type { GatewaySettings } from '../settings.ts'
import { createConnectionRate } from './connection-rate.ts'

/** What the connection counts as while it is open (`base/ip`). */
export interface Place {
  readonly client: string
  readonly network: string
}

export interface ConnectionPlaces {
  /** @returns the place, to be given back when the connection has ended; or what the sender hears in place of a greeting */
  take(peer: Peer): Place | Reply
  give(place: Place): void
  /** Connections that have a place now. */
  readonly used: number
}

export interface ConnectionPlacesDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  /** Those of now: a reload counts for the next connection. */
  readonly limits: () => GatewaySettings['limits']
}

/** Refused connections that are logged a minute, of one network and in all. */
const refusalsToldOfNetwork = 5
const refusalsTold = 60

export function createConnectionPlaces({ clock, log, tell, limits }: ConnectionPlacesDeps): ConnectionPlaces {
  const rate = createConnectionRate(clock, () => limits().connectionRate)
  const clients = createKeyedBudget(() => limits().connectionsPerAddress)
  const networks = createKeyedBudget(() => limits().connectionsPerNetwork)
  /** Refused ones that were logged, by network and, as '', in all. */
  const told = createRateCounter(clock, 60_000)
  let used = 0

  /** @returns what the sender hears where there is no place for one more */
  function occupy({ client, network }: Place): Reply | undefined {
    if (used >= limits().connections) return tooManyInAll
    if (!clients.take(client, 1)) return tooManyOfOne
    if (!networks.take(network, 1)) {
      clients.give(client, 1)
      return tooManyOfNetwork
    }
    used++
    return undefined
  }

  /** A flood is told by its first lines: the disk under the log is not the flooder's. */
  function tellRefused({ address }: Peer, network: string, said: Reply): void {
    tell?.({ kind: 'connection-refused', atMs: clock.now() })
    if (told.recent(network) >= refusalsToldOfNetwork || told.recent('') >= refusalsTold) return
    told.count(network)
    told.count('')
    log.info('connection refused', { client: address, reply: loggedReply(said) })
  }

  return {
    take(peer) {
      const place = { client: clientKey(peer.address), network: networkKey(peer.address) }
      const refusal = rate.admits(peer.address, place.client, place.network) ? occupy(place) : tooFast
      if (refusal) tellRefused(peer, place.network, refusal)
      return refusal ?? place
    },
    give({ client, network }) {
      used--
      clients.give(client, 1)
      networks.give(network, 1)
    },
    get used() {
      return used
    },
  }
}

// RFC 2034 §4: no enhanced code in a greeting.
const tooManyInAll = reply(421, undefined, 'Too many connections, please try again later')
const tooManyOfOne = reply(421, undefined, 'Too many connections from your address, please try again later')
const tooManyOfNetwork = reply(421, undefined, 'Too many connections from your network, please try again later')
const tooFast = reply(421, undefined, 'Too many new connections from your network, please try again later')
