/** How `waypost check` looks at domains: defaults, units and ranges, each once. Handed to `collect`; the command line and the library set them. */
import type { IpAddress } from '../base/ip.ts'
import type { HostName } from '../dns/name.ts'
import type { NameServer } from '../dns/servers.ts'
import type { Mailbox } from '../mail/address.ts'
import type { ProbeLimits } from '../smtp/probe.ts'

/** How a check looks: whom it asks, over which addresses, as whom, and for how long at most. */
export interface CheckOptions {
  /** Recursive servers; empty: those of this machine. Asked in this order. */
  readonly resolvers: readonly NameServer[]
  /** The resolver's AD bit is believed although it does not stand on this machine (RFC 4035 §4.9.3). */
  readonly trustsResolver: boolean
  /** Where the tree begins; a laboratory has a root of its own. */
  readonly rootHints: readonly IpAddress[]
  /** Of authoritative servers. */
  readonly dnsPort: number
  readonly smtpPort: number
  /** Of policy hosts. */
  readonly httpsPort: number
  /**
   * `full` asks for an unknown recipient and for relaying, and tries more TLS versions: with the owner's consent. `polite` leaves that out,
   * `none` speaks no SMTP.
   */
  readonly probe: 'full' | 'polite' | 'none'
  /** Addresses that not everybody reaches are meant (RFC 6890). */
  readonly isPrivate: boolean
  readonly families: 'both' | 'ipv4' | 'ipv6'
  /** What we call ourselves in EHLO: a name that resolves to us. */
  readonly helo: string
  /** Sender of the question for relaying, and the domain of its recipient; undefined: `postmaster@` our EHLO name. */
  readonly from: Mailbox | undefined
  /** Addresses that exist, asked at every exchanger. */
  readonly recipients: readonly Mailbox[]
  /**
   * What a gateway of our own, which greets with this name, hears behind a NOOP and knows: the session then neither counts nor teaches. Another
   * word each time. Undefined: nothing, as for all that are not ours.
   */
  readonly introduce: ((greetedBy: string) => Promise<string | undefined>) | undefined
  readonly dkimSelectors: readonly string[]
  /** Zones of DNSBLs to ask (RFC 5782). None by default. */
  readonly blocklists: readonly HostName[]
  /** Asks whether commands behind STARTTLS survive into TLS. */
  readonly injects: boolean
  /** One domain in all; then what is not known yet is told as not examined. */
  readonly timeoutMs: number
  readonly maxQueries: number
  readonly maxConnections: number
  /** One try over UDP, and one over TCP. */
  readonly dnsTimeoutMs: number
  readonly dnsTries: number
  /** After SERVFAIL the resolver is asked once more; resolvers keep a failure for up to 5 s (RFC 9520 §3.2), and say it again until then. */
  readonly servfailPauseMs: number
  /** Questions a second to one authoritative server. */
  readonly dnsPerSecond: number
  /** Hosts with an SMTP session at once. */
  readonly hostsAtOnce: number
  /** What a session has shown is used for other domains for so long, and the host left in peace. */
  readonly reuseSessionMs: number
  /** After so long a host that was silent or asked for patience is tried once more (RFC 5321 §4.5.4.1 would wait half an hour); undefined: not. */
  readonly retryAfterMs: number | undefined
  readonly probeLimits: Partial<ProbeLimits>
  /** A zone that is signed, and a name below which validation must fail: they show whether the resolver validates. */
  readonly validation: { readonly signed: HostName; readonly broken: HostName } | undefined
  /** A mail host that is known to answer on port 25, to find out whether ours is blocked. */
  readonly knownExchanger: HostName | undefined
}

/** RFC 8461 §3.3. */
export const maxPolicyBytes = 64 * 1024

/** A stranger's polite look from this machine, over both families, at the usual ports. */
export const defaultCheckOptions: CheckOptions = {
  resolvers: [],
  trustsResolver: false,
  rootHints: [
    ...['198.41.0.4', '170.247.170.2', '192.33.4.12', '199.7.91.13', '192.203.230.10', '192.5.5.241', '192.112.36.4'],
    ...['198.97.190.53', '192.36.148.17', '192.58.128.30', '193.0.14.129', '199.7.83.42', '202.12.27.33'],
    ...['2001:503:ba3e::2:30', '2801:1b8:10::b', '2001:500:2::c', '2001:500:2d::d', '2001:500:a8::e', '2001:500:2f::f'],
    ...['2001:500:12::d0d', '2001:500:1::53', '2001:7fe::53', '2001:503:c27::2:30', '2001:7fd::1', '2001:500:9f::42'],
    '2001:dc3::35',
  ] as readonly string[] as readonly IpAddress[],
  dnsPort: 53,
  smtpPort: 25,
  httpsPort: 443,
  probe: 'polite',
  isPrivate: false,
  families: 'both',
  helo: 'localhost',
  from: undefined,
  recipients: [],
  introduce: undefined,
  dkimSelectors: [],
  blocklists: [],
  injects: false,
  timeoutMs: 120_000,
  maxQueries: 300,
  maxConnections: 32,
  dnsTimeoutMs: 3_000,
  dnsTries: 3,
  servfailPauseMs: 6_000,
  dnsPerSecond: 10,
  hostsAtOnce: 20,
  reuseSessionMs: 60_000,
  retryAfterMs: undefined,
  probeLimits: {},
  validation: { signed: 'com' as HostName, broken: 'dnssec-failed.org' as HostName },
  knownExchanger: 'gmail-smtp-in.l.google.com' as HostName,
}
