/**
 * Which domains are ours and where each recipient's mail goes: built by `config` from waypost.yaml, asked by
 * `gateway/receive/placing.ts` for each recipient. A declared set never changes; a reload makes a new one.
 */
import type { HostName } from '../dns/name.ts'
import type { Mailbox } from '../mail/address.ts'
import type { Route } from './backend.ts'
import type { HoldPolicy } from './hold-policy.ts'

/** A declared domain, with what its owner wants for it. */
export interface MailDomain {
  /** The declared name; for `*.example.com` the `example.com`, with `subdomains` true. */
  readonly name: HostName
  readonly subdomains: boolean
  readonly route: Route
  /** `ask`: the backend says who exists; `any`: everybody does; else the local parts that do, in lower case. */
  readonly recipients: 'ask' | 'any' | ReadonlySet<string>
  /**
   * Keys as written under `addresses:`, in lower case: `local@` and `local@domain` (exact, may hold what `recipients` may
   * not; one with a star is quoted) and `prefix*@`.
   */
  readonly addresses: ReadonlyMap<string, Route>
  readonly hold: HoldPolicy
}

/** As people write it: `example.com`, `*.example.com`. */
export const declaredName = ({ name, subdomains }: Pick<MailDomain, 'name' | 'subdomains'>): string =>
  subdomains ? `*.${name}` : name

/** As it is declared, where the recipient's domain is ours. */
export function declaredDomain(destinations: Destinations, recipient: Mailbox): string | undefined {
  const found = destinations.find(recipient)
  return 'domain' in found ? declaredName(found.domain) : undefined
}

/** Who says which recipients there are, where the recipient's domain is ours. */
export function whoExists(destinations: Destinations, recipient: Mailbox): MailDomain['recipients'] | undefined {
  const found = destinations.find(recipient)
  return 'domain' in found ? found.domain.recipients : undefined
}

/** Whose a recipient is. */
export type Destination =
  | { readonly kind: 'route'; readonly route: Route; readonly domain: MailDomain }
  | { readonly kind: 'postmaster' }
  /** Undeclared. `leftRecently`: it was in the configuration less than 7 days ago. */
  | { readonly kind: 'not-ours'; readonly leftRecently: boolean }
  | { readonly kind: 'literal' }
  /** Its local part holds `@`, `%` or `!`, which a backend that trusts us might relay on. */
  | { readonly kind: 'relay-syntax'; readonly domain: MailDomain }
  | { readonly kind: 'unknown-recipient'; readonly domain: MailDomain }

export type DomainDestination = Extract<Destination, { kind: 'route' | 'postmaster' | 'not-ours' }>

/** The declared domains, to be asked whose a recipient is. */
export interface Destinations {
  readonly domains: readonly MailDomain[]
  /** Every route of them, each once. */
  readonly routes: readonly Route[]
  find(recipient: Mailbox): Destination
  /** Where mail for a domain goes that has no address of its own there. */
  ofDomain(domain: HostName): DomainDestination
}
