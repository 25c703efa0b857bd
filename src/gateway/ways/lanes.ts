/**
 * The way of each recipient by name: what the hold files its messages under, and back again from the name to the route of today. Held rows
 * keep recipients and never backends, so what a lane leads to follows the configuration.
 */
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import type { Lane } from '../../queue/queue.ts'
import { looksUpRecipient, type Route } from '../../routing/backend.ts'
import type { Destination, Destinations } from '../../routing/destinations.ts'
import { type HoldPolicy, neverHold } from '../../routing/hold-policy.ts'

/** Where a recipient goes today. */
export interface Way {
  readonly lane: Lane
  readonly route: Route
  /** Of the recipients, for `mx`. */
  readonly domain: HostName | undefined
  readonly policy: HoldPolicy
}

/** An `mx` route has other exchangers for each domain, so each domain is a lane of its own. */
export function laneOf(route: Route, domain: HostName | undefined): Lane {
  return (looksUpRecipient(route) && domain !== undefined ? `${route.id} ${domain}` : route.id) as Lane
}

/** @returns undefined where the recipient's domain is not declared any more, and for what no backend is asked for */
export function wayOf(recipient: Recipient, destinations: Destinations, postmaster: Route): Way | undefined {
  return wayTo(destinations.find(recipient), recipient.domain, postmaster)
}

/** The same of a domain, whoever in it is meant. */
export function wayOfDomain(domain: HostName, destinations: Destinations, postmaster: Route): Way | undefined {
  return wayTo(destinations.ofDomain(domain), domain, postmaster)
}

function wayTo(destination: Destination, domain: HostName | undefined, postmaster: Route): Way | undefined {
  switch (destination.kind) {
    case 'literal':
    case 'not-ours':
    // A backend that trusts us would relay it on. It was listed under `addresses` when it was taken.
    case 'relay-syntax':
      return undefined
    case 'postmaster':
      return way(postmaster, undefined, neverHold)
    case 'route':
      return way(destination.route, domain, destination.domain.hold)
    // It was taken when the configuration still knew it: its backend has the last word.
    case 'unknown-recipient':
      return way(destination.domain.route, domain, destination.domain.hold)
  }
}

const way = (route: Route, domain: HostName | undefined, policy: HoldPolicy): Way => ({
  lane: laneOf(route, domain),
  route,
  domain,
  policy,
})
