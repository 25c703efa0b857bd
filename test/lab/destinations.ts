/** Which recipient goes where in a lab (SEMANTICS §1). */
import { type HostName, isWithin } from '../../src/dns/name.ts'
import type { Mailbox } from '../../src/mail/address.ts'
import type { Destination, Destinations, MailDomain } from '../../src/routing/destinations.ts'

export function destinationsOf(domains: readonly MailDomain[], hostname: HostName): Destinations {
  const exact = new Map(domains.filter((domain) => !domain.subdomains).map((domain) => [domain.name, domain]))
  const wide = domains.filter((domain) => domain.subdomains)
  const find = ({ localPart, domain: name, literal }: Mailbox): Destination => {
    const local = localPart.toLowerCase()
    if (literal) return { kind: 'literal' }
    if (local === 'postmaster' && (name === undefined || name === hostname)) return { kind: 'postmaster' }
    const domain = name && (exact.get(name) ?? wide.find((one) => name !== one.name && isWithin(name, one.name)))
    if (!domain) return { kind: 'not-ours', leftRecently: false }
    const listed = domain.addresses.get(`${local}@`)
    if (listed) return { kind: 'route', route: listed, domain }
    if (/[@%!]/.test(localPart)) return { kind: 'relay-syntax' }
    for (const [key, route] of domain.addresses)
      if (key.endsWith('*@') && local.startsWith(key.slice(0, -2))) return { kind: 'route', route, domain }
    if (typeof domain.recipients !== 'string' && !domain.recipients.has(local)) return { kind: 'unknown-recipient' }
    return { kind: 'route', route: domain.route, domain }
  }
  const routes = [...new Set(domains.flatMap((domain) => [domain.route, ...domain.addresses.values()]))]
  return { domains, routes, find }
}
