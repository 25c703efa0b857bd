/** Domains whose mail an `mx` route could not be tried for, by what DNS said last: for people who ask how things stand. For `endpoints`. */
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { HostName } from '../../dns/name.ts'
import type { Route } from '../../routing/backend.ts'

export interface MisconfiguredRoutes {
  /** What came of the route for mail to the domain. @param why  undefined where nothing is wrong */
  note(route: Route, domain: HostName, why: string | undefined): void
  /** Undefined where nothing is wrong, or nobody has asked for an hour. */
  why(route: Route, domain: HostName): string | undefined
}

/** Senders that were put off come again within the hour (RFC 5321 §4.5.4.1), and ask anew. */
const forgottenMs = 3_600_000
const mostDomains = 10_000

export function createMisconfiguredRoutes(clock: Clock): MisconfiguredRoutes {
  // By the route itself: a reload that makes another of it may have mended it.
  const found = new WeakMap<Route, Map<HostName, { readonly why: string; readonly atMs: number }>>()
  return {
    note(route, domain, why) {
      const domains = found.get(route)
      if (why === undefined) {
        domains?.delete(domain)
        return
      }
      const noted = { why, atMs: clock.monotonicMs() }
      if (domains) domains.set(domain, noted)
      else found.set(route, new BoundedMap<HostName, typeof noted>(mostDomains).set(domain, noted))
    },
    why(route, domain) {
      const noted = found.get(route)?.get(domain)
      return noted && clock.monotonicMs() - noted.atMs < forgottenMs ? noted.why : undefined
    },
  }
}
