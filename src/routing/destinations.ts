/**
 * Which domains are ours and where each recipient's mail goes (SEMANTICS.md §1): built by `config` from waypost.yaml, asked by
 * `gateway/accept` for each recipient. A declared set never changes; a reload makes a new one.
 */
import type { HostName } from '../dns/name.ts'
import type { Mailbox } from '../mail/address.ts'
import type { Route } from './backend.ts'

export interface MailDomain {
  /** The declared name; for `*.example.com` the `example.com`, with `subdomains` true. */
  readonly name: HostName
  readonly subdomains: boolean
  readonly route: Route
  /** `ask`: the backend says who exists; `any`: everybody does; else the local parts that do, in lower case. */
  readonly recipients: 'ask' | 'any' | ReadonlySet<string>
  /** Keys as written under `addresses:`, in lower case: `local@` (exact, may hold what `recipients` may not) and `prefix*@`. */
  readonly addresses: ReadonlyMap<string, Route>
}

export type Destination =
  | { readonly kind: 'route'; readonly route: Route; readonly domain: MailDomain }
  | { readonly kind: 'postmaster' }
  /** Undeclared. `leftRecently`: it was in the configuration less than 7 days ago. */
  | { readonly kind: 'not-ours'; readonly leftRecently: boolean }
  | { readonly kind: 'literal' }
  /** Its local part holds `@`, `%` or `!`, which a backend that trusts us might relay on. */
  | { readonly kind: 'relay-syntax' }
  | { readonly kind: 'unknown-recipient' }

export interface Destinations {
  readonly domains: readonly MailDomain[]
  /** Every route of them, each once. */
  readonly routes: readonly Route[]
  find(recipient: Mailbox): Destination
}
