/**
 * The way that a person has chosen for held mail (`waypost queue route ID --to BACKEND`): a lane of its own, which names the recipients' domain and
 * a backend or a route of the configuration. Only what is declared is a way; once it leaves, the mail goes by its domain's route again.
 */
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import type { Lane } from '../../queue/queue.ts'
import type { Backend, Route } from '../../routing/backend.ts'
import { holdPolicy } from '../../routing/hold-policy.ts'
import type { GatewaySettings } from '../settings.ts'
import { type Way, wayOfDomain } from './lanes.ts'

/** No route has a colon in its name. */
const prefix = 'chosen:'

type Where = Pick<GatewaySettings, 'destinations' | 'postmaster'>

export const isChosen = (lane: Lane): boolean => lane.startsWith(prefix)

/**
 * @param to  the name of a route, or a backend's URL or key, as it stands in the configuration
 * @returns undefined where nothing of that name is declared, a lookup by domain is asked for a recipient without one, or no backend is ever asked
 *   for it
 */
export function chosenLane(recipient: Recipient, to: string, where: Where): Lane | undefined {
  if (where.destinations.find(recipient).kind === 'relay-syntax') return undefined
  const lane = laneNamed(recipient, to)
  return chosenWay(lane, where) && lane
}

/** The same before anybody has looked whether that is declared. */
export const laneNamed = (recipient: Recipient, to: string): Lane => `${prefix}${recipient.domain ?? ''} ${to}` as Lane

/** What a person has named, or undefined where nobody has chosen. */
export const nameIn = (lane: Lane): string | undefined =>
  isChosen(lane) ? lane.slice(lane.indexOf(' ') + 1) : undefined

/** Where such a lane leads today, or undefined where what it names is not declared any more. */
export function chosenWay(lane: Lane, where: Where): Way | undefined {
  const blank = lane.indexOf(' ')
  const domain = (lane.slice(prefix.length, blank) || undefined) as HostName | undefined
  const declared = domain && wayOfDomain(domain, where.destinations, where.postmaster)
  const route = routeNamed(nameIn(lane) ?? '', declared?.route, where)
  if (!route) return undefined
  const needsDomain = route.entries.some(({ backend }) => backend.url === 'mx')
  if (needsDomain && domain === undefined) return undefined
  return { lane, route, domain, policy: declared?.policy ?? holdPolicy({}, {}) }
}

/** What can be named, for people: routes by name, backends by URL, and routes that are called after their domain where those are few. */
export function choices({ destinations, postmaster }: Where): readonly string[] {
  // A list that has no name is called after a domain, which has a dot.
  const { true: ofDomains = [], false: named = [] } = Object.groupBy(
    destinations.routes.map(({ id }) => id),
    (id) => (id.includes('.') ? 'true' : 'false'),
  )
  const urls = [...destinations.routes, postmaster].flatMap(({ entries }) => entries.map(({ backend }) => backend.url))
  return [...new Set([...named, ...urls, ...(ofDomains.length > mostOfDomains ? [] : ofDomains)])]
}

/** More than these nobody reads. */
const mostOfDomains = 50

/** @param own  the route that the recipients have: of several backends with one URL, it is its own that is meant */
function routeNamed(name: string, own: Route | undefined, { destinations, postmaster }: Where): Route | undefined {
  const routes = [...(own ? [own] : []), ...destinations.routes, postmaster]
  const named = destinations.routes.find(({ id }) => id === name)
  if (named) return named
  for (const route of routes) {
    const entry = route.entries.find(({ backend }) => isNamed(backend, name))
    if (entry) return { ...route, id: entry.backend.url, entries: [entry] }
  }
  return undefined
}

const isNamed = ({ key, url }: Backend, name: string) => key === name || url === name
