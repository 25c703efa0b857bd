/**
 * Whose mail has nobody to go to while a backend is out of service: told to whoever takes it out (`cli/backend`), and to the log. Pure.
 */
import type { Route } from '../../routing/backend.ts'
import { declaredName, type MailDomain } from '../../routing/destinations.ts'
import { isServing } from '../../routing/health.ts'
import type { GatewaySettings } from '../settings.ts'
import type { BackendReport } from './report.ts'

export interface LeftWithout {
  /** Domains, and addresses that go another way, whose mail is held from now on. */
  readonly held: readonly string[]
  /** The same of those with `hold: off`: their senders hear 451. */
  readonly deferred: readonly string[]
}

/** @param url  as in `backends`; only what would go there is looked at */
export function leftWithout(
  url: string,
  { destinations }: Pick<GatewaySettings, 'destinations'>,
  backends: readonly Pick<BackendReport, 'url' | 'state'>[],
): LeftWithout {
  const serving = new Set(backends.filter(({ state }) => isServing(state)).map((backend) => backend.url))
  const isLeft = ({ entries }: Route) =>
    entries.some(({ backend }) => backend.url === url) && !entries.some(({ backend }) => serving.has(backend.url))
  const left = new Set(destinations.routes.filter(isLeft))
  const found = { held: [] as string[], deferred: [] as string[] }
  if (left.size === 0) return found
  for (const domain of destinations.domains) {
    const names = domain.hold.holdMs === 0 ? found.deferred : found.held
    if (left.has(domain.route)) names.push(declaredName(domain))
    for (const [key, route] of domain.addresses)
      if (left.has(route) && !left.has(domain.route)) names.push(addressName(key, domain))
  }
  return found
}

const addressName = (key: string, domain: MailDomain) => (key.endsWith('@') ? `${key}${declaredName(domain)}` : key)
