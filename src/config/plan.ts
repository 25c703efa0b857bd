/**
 * A configuration that was read and found in order, as plain data: what `read.ts` makes, what may cross to another thread, and what
 * `assemble.ts` makes `GatewaySettings` of.
 */

import type { HostName } from '../dns/name.ts'
import type { GatewaySettings, Listener } from '../gateway/settings.ts'
import type { Route } from '../routing/backend.ts'

export interface Plan {
  readonly general: PlannedGeneral
  /** Equal lists are one route; what follows names routes by their index here. */
  readonly routes: readonly Route[]
  readonly postmaster: number
  readonly domains: readonly PlannedDomain[]
}

/** What the gateway is told, less what is made of routes and domains. */
export type PlannedGeneral = Omit<GatewaySettings, 'destinations' | 'postmaster'>

export interface PlannedDomain {
  readonly name: HostName
  readonly subdomains: boolean
  readonly route: number
  /** A list holds local parts in lower case. */
  readonly recipients: 'ask' | 'any' | readonly string[]
  readonly addresses: readonly (readonly [key: string, route: number])[]
}

/** What a load says of itself, for people. */
export interface Summary {
  readonly files: readonly string[]
  readonly domains: number
  readonly routes: number
  readonly backends: number
  readonly listeners: readonly Listener[]
  readonly state: string
}

/** The name as it is declared: `example.com` or `*.example.com`. */
export const declaredName = (domain: { readonly name: HostName; readonly subdomains: boolean }): string =>
  domain.subdomains ? `*.${domain.name}` : domain.name

export function summarize(plan: Plan, files: readonly string[]): Summary {
  const backends = new Set(plan.routes.flatMap((route) => route.entries.map((entry) => entry.backend.key)))
  return {
    files,
    domains: plan.domains.length,
    routes: plan.routes.length,
    backends: backends.size,
    listeners: plan.general.listen,
    state: plan.general.state,
  }
}
