/**
 * Backends that were down when the last process ended: met at the start, so that the probe tries them although no mail asks for them, and it is soon known what they
 * are. For `reach`; nobody waits for it.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import type { Route } from '../../routing/backend.ts'
import type { MailDomain } from '../../routing/destinations.ts'
import type { Backends } from './backends.ts'
import type { Endpoints } from './endpoints.ts'

export interface Doubted {
  /** Meets them now, and again after a while those whose name has no address yet. */
  meet(): void
  stop(): void
}

export interface DoubtedDeps {
  readonly clock: Clock
  readonly log: Log
  readonly backends: Pick<Backends, 'doubted' | 'health'>
  readonly endpoints: Pick<Endpoints, 'expand'>
  readonly routes: () => readonly Route[]
  /** Those that are declared. */
  readonly domains: () => readonly Pick<MailDomain, 'name' | 'subdomains' | 'route'>[]
}

const againMs = 30_000
/** One exchanger that answers is enough, and a route may have a hundred thousand domains. */
const mostDomains = 10

export function createDoubted({ clock, log, backends, endpoints, routes, domains }: DoubtedDeps): Doubted {
  const alarm = new Deadline(clock, meet)
  /** Keys of those that were met: one that the probe has given up since is mail's to meet again. */
  const met = new Set<string>()
  let isStopped = false

  function meet(): void {
    if (isStopped || backends.doubted.size === 0) return
    for (const route of routes())
      if (route.entries.some(({ backend }) => backends.doubted.has(backend.url)))
        for (const domain of whereTo(route)) void meetThoseOf(route, domain)
    alarm.arm(againMs)
  }

  /** What `mx` leads to depends on the recipient: to exchangers of the domains that go by it. */
  function whereTo(route: Route): readonly (HostName | undefined)[] {
    const isByRecipient = route.entries.some(
      ({ backend: { url, address } }) =>
        backends.doubted.has(url) && address.protocol === 'mx' && address.domain === undefined,
    )
    if (!isByRecipient) return [undefined]
    const own = domains().filter((domain) => domain.route === route && !domain.subdomains)
    return own.slice(0, mostDomains).map(({ name }) => name)
  }

  async function meetThoseOf(route: Route, domain: HostName | undefined): Promise<void> {
    try {
      const expansion = await endpoints.expand(route, domain)
      if (isStopped || expansion.kind !== 'members') return
      for (const { endpoint } of expansion.members) {
        if (!backends.doubted.has(endpoint.backend.url) || met.has(endpoint.key)) continue
        met.add(endpoint.key)
        backends.health(endpoint)
      }
    } catch (error) {
      log.error('a backend that was down is not tried', { route: route.id, error })
    }
  }

  return {
    meet,
    stop() {
      isStopped = true
      alarm.end()
    },
  }
}
