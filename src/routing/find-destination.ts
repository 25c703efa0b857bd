/**
 * Where a recipient's mail goes, by the most exact thing that was declared. Built by `config` for each load of waypost.yaml, asked by
 * `gateway/receive/placing.ts` for each recipient. A look-up costs the same for one domain and for a hundred thousand.
 */
import type { HostName } from '../dns/name.ts'
import { isPostmaster, type Mailbox } from '../mail/address.ts'
import type { Route } from './backend.ts'
import type { Destination, Destinations, MailDomain } from './destinations.ts'

export interface DestinationDeps {
  /** Our own name: postmaster there is ours, whether it is a declared domain or not. */
  readonly hostname: HostName
  /** Whether a domain that is not declared was so less than 7 days ago. */
  readonly leftRecently: (domain: HostName) => boolean
}

/** @param domains  no two of them with the same name and `subdomains` */
export function createDestinations(domains: readonly MailDomain[], deps: DestinationDeps): Destinations {
  const exact = new Map<HostName, MailDomain>()
  const parents = new Map<HostName, MailDomain>()
  for (const domain of domains) (domain.subdomains ? parents : exact).set(domain.name, domain)
  const declared = (name: HostName) => exact.get(name) ?? (parents.size > 0 ? nearestParent(parents, name) : undefined)

  return {
    domains,
    routes: [...new Set(domains.flatMap((domain) => [domain.route, ...domain.addresses.values()]))],
    find(recipient) {
      if (recipient.literal !== undefined) return { kind: 'literal' }
      // RFC 5321 §4.5.1: <Postmaster> without a domain is always ours.
      if (recipient.domain === undefined) return { kind: 'postmaster' }
      if (isPostmaster(recipient) && recipient.domain === deps.hostname) return { kind: 'postmaster' }
      const domain = declared(recipient.domain)
      if (!domain) return { kind: 'not-ours', leftRecently: deps.leftRecently(recipient.domain) }
      return within(domain, recipient, recipient.domain)
    },
    ofDomain(name) {
      // The one mailbox that is heard there in any case.
      if (name === deps.hostname) return { kind: 'postmaster' }
      const domain = declared(name)
      return domain
        ? { kind: 'route', route: domain.route, domain }
        : { kind: 'not-ours', leftRecently: deps.leftRecently(name) }
    },
  }
}

function within(domain: MailDomain, recipient: Mailbox, name: HostName): Destination {
  const local = recipient.localPart.toLowerCase()
  const listed = domain.addresses.size > 0 ? listedRoute(domain.addresses, local, name) : undefined
  if (listed) return { kind: 'route', route: listed, domain }
  // A backend that trusts us would relay `victim%elsewhere` on; a prefix that happens to match is not a listing.
  if (/[@%!]/.test(local)) return { kind: 'relay-syntax', domain }
  const byPrefix = domain.addresses.size > 0 ? prefixRoute(domain.addresses, local) : undefined
  if (byPrefix) return { kind: 'route', route: byPrefix, domain }
  const isKnown = isPostmaster(recipient) || typeof domain.recipients === 'string' || domain.recipients.has(local)
  return isKnown ? { kind: 'route', route: domain.route, domain } : { kind: 'unknown-recipient', domain }
}

function listedRoute(addresses: ReadonlyMap<string, Route>, local: string, name: HostName): Route | undefined {
  const key = addressKey(local)
  return addresses.get(`${key}${name}`) ?? addresses.get(key)
}

/** The longest prefix that was declared; a local part has 64 characters, so there are at most as many look-ups. */
function prefixRoute(addresses: ReadonlyMap<string, Route>, local: string): Route | undefined {
  for (let length = local.length; length > 0; length--) {
    const route = addresses.get(`${local.slice(0, length)}*@`)
    if (route) return route
  }
  return undefined
}

/**
 * The key of a local part among `addresses`: `local@`. One that holds a star is quoted, so that it is not taken for a prefix.
 * @param local  in lower case, without quotes
 */
export function addressKey(local: string): string {
  return `${local.includes('*') ? `"${local}"` : local}@`
}

/** What an address key may be that a person wrote: `local@`, `prefix*@` or `local@domain`. Undefined: none of these. */
export function splitAddressKey(key: string): { local: string; isPrefix: boolean; domain: string } | undefined {
  const at = key.lastIndexOf('@')
  const written = key.slice(0, at)
  if (at < 1) return undefined
  const isPrefix = written.endsWith('*')
  return { local: isPrefix ? written.slice(0, -1) : written, isPrefix, domain: key.slice(at + 1) }
}

/** `*.example.com` covers what lies below example.com, the nearest declaration first. A name has at most 127 labels. */
function nearestParent(parents: ReadonlyMap<HostName, MailDomain>, name: HostName): MailDomain | undefined {
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const domain = parents.get(name.slice(dot + 1) as HostName)
    if (domain) return domain
  }
  return undefined
}
