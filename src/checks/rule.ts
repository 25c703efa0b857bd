/**
 * What a rule is. One file, or one for rows that share their facts; pure; nothing of I/O and output. Its page is docs/checks/<id>.md.
 */
import type { IpAddress } from '../base/ip.ts'
import type { HostName } from '../dns/name.ts'
import type { Mailbox } from '../mail/address.ts'
import type { Roots } from './certificate.ts'
import type { Facts } from './facts.ts'
import type { Verdict } from './finding.ts'
import type { RuleId } from './rule-ids.ts'

/**
 * A part of the facts that costs questions of its own. What no chosen rule needs is not collected. The MX set, the exchangers and their
 * addresses are always there.
 */
export type Part =
  | 'name-servers' // delegation, and every authoritative server by itself
  | 'dnssec' // DS, DNSKEY, NSEC3PARAM; signatures are in what the servers say
  | 'wildcard'
  | 'reverse' // PTR and back
  | 'registrable' // whether an exchanger's domain is registered
  | 'smtp'
  | 'tlsa'
  | 'caa'
  | 'mta-sts'
  | 'tlsrpt'
  | 'senders' // SPF, DKIM, DMARC, BIMI
  | 'blocklists'

/** What facts are judged by: what only the owner knows, what was known before, whom senders trust. */
export interface Context {
  readonly roots: Roots
  /** The exchangers as waypost.yaml declares them: a difference is a finding. */
  readonly declaredExchangers?: readonly { readonly host: HostName; readonly preference: number }[]
  /** What a gateway of our own calls itself: where that is the exchanger, remedies say what to do in its waypost.yaml. */
  readonly gateway?: HostName | undefined
  /** Addresses that exist, in this domain. */
  readonly recipients?: readonly Mailbox[]
  /** The number of the autonomous system that announces an address, where a table is given. */
  readonly asNumber?: (address: IpAddress) => number | undefined
  /** What RPKI says of the route to an address (RFC 6811), where a validator's table is given. */
  readonly routeOrigin?: (address: IpAddress) => 'valid' | 'invalid' | 'not-found' | undefined
  /** What the MTA-STS record and policy were when they were seen last. */
  readonly previousPolicy?: { readonly id: string; readonly policySha256: string }
}

/** One check: a pure function of the facts. Its page is docs/checks/ID.md. */
export interface Rule {
  readonly id: RuleId
  /** A few words, without the domain: `null MX beside other MX records`. */
  readonly title: string
  readonly rfc: readonly string[]
  readonly needs: readonly Part[]
  /** Says nothing where nothing is wrong, and where the rule does not apply. */
  examine(facts: Facts, context: Context): readonly Verdict[]
}
