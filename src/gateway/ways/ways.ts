/**
 * Where each lane leads today, looked up anew when the configuration has changed; asked by the drain, by what files recipients under lanes, and by
 * `queue-operations`.
 */
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import type { Lane } from '../../queue/queue.ts'
import { type HoldPolicy, neverHold } from '../../routing/hold-policy.ts'
import type { GatewaySettings } from '../settings.ts'
import { chosenWay, isChosen } from './chosen-lane.ts'
import { laneOf, type Way, wayOf, wayOfDomain } from './lanes.ts'
import { isOutbound, outboundWay } from './outbound.ts'

export interface Ways {
  /** Undefined: nowhere. */
  ofLane(lane: Lane): Way | undefined
  /** @param lane  under which it is filed now @returns under which it is to be, or undefined where it has no way */
  ofRecipient(recipient: Recipient, lane: Lane): Lane | undefined
  /** Where what is held for a domain goes, but for addresses that have a way of their own. */
  ofDomain(domain: HostName): Lane | undefined
  /** Its local part would have a backend that trusts us relay it on, and it is not listed. */
  isNeverAsked(recipient: Recipient): boolean
  /** What the recipient's own domain wants, whoever shares its route. Undefined: what is filed there goes nowhere. */
  policyOf(held: Filed): HoldPolicy | undefined
}

export type PolicyOf = Ways['policyOf']

/** A recipient, and the lane under which it is filed now. */
export interface Filed {
  readonly recipient: Recipient
  readonly lane: Lane
}

export type WaySettings = Pick<GatewaySettings, 'destinations' | 'postmaster' | 'outbound'>

export function createWays(settings: () => WaySettings): Ways {
  let lanes: { readonly of: WaySettings; readonly ways: Map<Lane, Way> } | undefined

  function current(): Map<Lane, Way> {
    const now = settings()
    if (lanes?.of === now) return lanes.ways
    const ways = new Map<Lane, Way>()
    for (const { route, hold, addresses } of now.destinations.domains) {
      for (const each of [route, ...addresses.values()])
        ways.set(laneOf(each, undefined), {
          lane: laneOf(each, undefined),
          route: each,
          domain: undefined,
          policy: hold,
        })
    }
    const { postmaster } = now
    const lane = laneOf(postmaster, undefined)
    ways.set(lane, { lane, route: postmaster, domain: undefined, policy: neverHold })
    lanes = { of: now, ways }
    return ways
  }

  function ofLane(lane: Lane): Way | undefined {
    if (isOutbound(lane)) return outboundWay(lane, settings())
    if (isChosen(lane)) return chosenWay(lane, settings())
    const ways = current()
    const way = ways.get(lane)
    if (way) return way
    // The lane of an `mx` route names the domain too.
    const blank = lane.lastIndexOf(' ')
    const base = ways.get(lane.slice(0, blank) as Lane)
    return base && { ...base, lane, domain: lane.slice(blank + 1) as HostName }
  }

  const isNeverAsked = (recipient: Recipient) => settings().destinations.find(recipient).kind === 'relay-syntax'

  return {
    ofLane,
    isNeverAsked,
    ofRecipient(recipient, lane) {
      const now = settings()
      // Mail of our own stays where it is filed; where that leads, its lane finds out each time.
      if (isOutbound(lane)) return lane
      // So does what a person has sent another way, as long as that way is declared.
      if (isChosen(lane) && chosenWay(lane, now) && !isNeverAsked(recipient)) return lane
      return wayOf(recipient, now.destinations, now.postmaster)?.lane
    },
    ofDomain(domain) {
      const { destinations, postmaster } = settings()
      return wayOfDomain(domain, destinations, postmaster)?.lane
    },
    policyOf({ recipient, lane }) {
      const way = ofLane(lane)
      if (!way || isOutbound(lane)) return way?.policy
      const { destinations, postmaster } = settings()
      return wayOf(recipient, destinations, postmaster)?.policy ?? way.policy
    },
  }
}
