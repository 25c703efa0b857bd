/** That a domain which a person asks for is not declared, and which one may be meant: where nothing is held for it. For `list` and what is done by a filter. */
import { nearest } from '../../base/nearest.ts'
import { printable } from '../../base/printable.ts'
import { parseName } from '../../dns/name.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { declaredName } from '../../routing/destinations.ts'

/** @returns a sentence; undefined where the domain is declared, or nobody knows. Mail of our own goes to others, so it is no mistake by itself */
export function undeclaredText(
  asked: string | undefined,
  settings: Pick<GatewaySettings, 'destinations'> | undefined,
): string | undefined {
  if (asked === undefined || settings === undefined) return undefined
  const parsed = parseName(asked)
  const name = parsed.kind === 'invalid' ? asked : parsed.name
  const { domains } = settings.destinations
  const isDeclared = domains.some((domain) =>
    domain.subdomains ? name.endsWith(`.${domain.name}`) : name === domain.name,
  )
  if (isDeclared) return undefined
  const near = nearest(name, domains.map(declaredName))
  const meant = near === undefined ? '' : `; did you mean "${printable(near, 300)}"?`
  return `waypost.yaml declares no domain "${printable(asked, 300)}"${meant || '.'}`
}
