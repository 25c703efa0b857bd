/**
 * Everything that `collect` found out about one domain, as plain data. Rules are pure functions of it, so whatever a rule wants to know
 * stands here, and "seen", "not there" and "not examined (why)" are told apart.
 *
 * What others wrote is kept as it came: names as `WireName`, messages decoded, text and certificates as octets, replies as the server's text.
 * It reaches people through `nameText` and `base/printable` alone.
 */
import type { IpAddress } from '../base/ip.ts'
import type { DnsRecord, Message } from '../dns/message.ts'
import type { HostName } from '../dns/name.ts'
import type { RdataOf } from '../dns/rdata.ts'
import type { FailureReason } from '../dns/read-answer.ts'
import type { RecordType } from '../dns/types.ts'
import type { WireName } from '../dns/wire-name.ts'
import type { DmarcDiscovery } from '../records/dmarc-discovery.ts'
import type { SpfCost } from '../records/spf-limits.ts'
import type { Handshake, ProbedSession } from '../smtp/probe-facts.ts'

/** Why something was not looked at. None of these is a fault of the domain. */
export type NotExaminedReason =
  /** It does not apply here: no MX, so no exchangers; no TLSA, so no chain to compare. */
  | 'not-applicable'
  /** The options left it out (`--no-smtp`, `--probe polite`, `--skip`), or did not bring what it needs (selectors, a table of networks). */
  | 'not-wanted'
  /** What it would have to start from could not be had. */
  | 'depends-on-failed'
  /** The address is not one that everybody reaches, and `--private` was not said. */
  | 'not-public'
  /** We have no IPv4 or no IPv6 ourselves. */
  | 'no-family'
  /** Connections to port 25 are blocked where we are. */
  | 'port-25-blocked'
  /** The resolver does not validate, or we cannot trust that it does. */
  | 'not-validating'
  | 'rate-limited'
  /** Queries, connections or time of this domain were spent. */
  | 'budget-spent'

export interface NotExamined {
  readonly kind: 'not-examined'
  readonly reason: NotExaminedReason
  /** In words of ours, safe to print. */
  readonly why: string
}

/**
 * What the recursive resolver says, as a sender sees it.
 * `secure`: the resolver says that it has validated it (`Vantage.validation` tells what that is worth); `untold`: it does not validate.
 */
export type View<T extends RecordType = RecordType> =
  | (Answered & { readonly kind: 'answer'; readonly records: readonly DnsRecord<RdataOf<T>>[] })
  /** The name exists without data of this type. */
  | (Answered & { readonly kind: 'no-data' })
  /** NXDOMAIN. With aliases, it is the end of them that does not exist (RFC 6604 §3). */
  | (Answered & { readonly kind: 'no-such-name' })
  | FailedView
  | NotExamined

export interface Answered {
  readonly name: WireName
  /** The targets of the CNAMEs that were followed, in order. */
  readonly aliases: readonly WireName[]
  /** The name at the end of them; `name` where there are none. */
  readonly canonicalName: WireName
  readonly trust: 'secure' | 'insecure' | 'untold'
  readonly ttlSeconds: number
  /** Octets of the answer. */
  readonly bytes: number
  /** Of the answer (RFC 8914); codes of the servers above. */
  readonly extendedErrors: readonly ExtendedError[]
  readonly tookMs: number
}

export interface FailedView {
  readonly kind: 'failed'
  readonly name: WireName
  /** The aliases that were followed before it failed: the last one is where the chain stops. */
  readonly aliases: readonly WireName[]
  readonly reason: FailureReason
  /** In words, safe to print. */
  readonly why: string
  /**
   * The same question with CD set (RFC 4035 §3.2.2), asked after SERVFAIL: an answer means that the servers work and validation failed,
   * none that the servers are broken. `not-asked` where the failure was another.
   */
  readonly unchecked: 'answer' | 'no-data' | 'no-such-name' | 'failed' | 'not-asked'
  readonly extendedErrors: readonly ExtendedError[]
  readonly tookMs: number
}

/** RFC 8914. */
export interface ExtendedError {
  readonly code: number
  /** The server's own words. */
  readonly text: Buffer
}

/** A name and what the resolver says of it, where the names are found on the way (SPF, tree walks, CAA). */
export interface NamedView<T extends RecordType = RecordType> {
  readonly name: WireName
  readonly type: T
  readonly view: View<T>
}

/** Where we look from. */
export interface Vantage {
  /** Whether packets get out at all, found out when something of that family did not answer. */
  readonly ipv4: 'works' | 'broken' | 'not-examined'
  readonly ipv6: 'works' | 'broken' | 'not-examined'
  /** Whether port 25 of a host that is known to answer answers us: asked only when an exchanger was silent. */
  readonly port25: 'open' | 'blocked' | 'not-examined'
  /**
   * `trusted`: the resolver validates and stands on this machine (RFC 4035 §4.9.3), or was declared trusted; `remote`: it validates, and its
   * word comes over a path that somebody could change: good enough to look, not to deliver; `none`: it does not validate.
   */
  readonly validation: 'trusted' | 'remote' | 'none' | 'not-examined'
}

/** What one authoritative server said to one question that was put to it directly. */
export interface Direct {
  readonly name: WireName
  readonly type: RecordType
  readonly over: 'udp' | 'tcp'
  /** Whether the question had EDNS, with DO. */
  readonly edns: boolean
  /** Whether recursion was asked for: only to see whether it is offered to strangers. */
  readonly recursion: boolean
  readonly outcome: DirectOutcome
}

export type DirectOutcome =
  | { readonly kind: 'response'; readonly message: Message; readonly bytes: number; readonly tookMs: number }
  /** No answer in `tries` tries. */
  | { readonly kind: 'silence'; readonly tries: number; readonly tookMs: number }
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string }
  | NotExamined

export interface ServerFacts {
  /** The NS target. */
  readonly name: WireName
  readonly address: IpAddress
  /** Everything that it was asked, in order; the same question again is another sample. Use `directs` to find one. */
  readonly asked: readonly Direct[]
}

/** A name in an NS set. */
export interface NameServerName {
  readonly name: WireName
  /** Whether it stands in the delegation, and in the NS set of the zone itself. */
  readonly atParent: boolean
  readonly atApex: boolean
  /** Glue in the referral. */
  readonly glue: readonly IpAddress[]
  readonly a: View<'A'>
  readonly aaaa: View<'AAAA'>
}

export type Delegation =
  | {
      readonly kind: 'delegated'
      readonly parent: WireName
      /** What a server of the parent said. */
      readonly referral: Message
      readonly server: { readonly name: WireName; readonly address: IpAddress }
    }
  /** The parent knows no such zone. */
  | { readonly kind: 'not-delegated'; readonly parent: WireName }
  | { readonly kind: 'failed'; readonly why: string }
  | NotExamined

/** One zone: that of the domain, or of an exchanger. */
export interface ZoneFacts {
  readonly apex: WireName
  /** Names whose records in this zone the mail depends on: the domain, exchangers. */
  readonly serves: readonly WireName[]
  readonly delegation: Delegation
  readonly nameServers: readonly NameServerName[]
  /** Each address of each of them once. */
  readonly servers: readonly ServerFacts[]
  /** As the resolver sees them. DS stands at the parent. */
  readonly ds: View<'DS'>
  readonly dnskey: View<'DNSKEY'>
  readonly nsec3param: View<'NSEC3PARAM'>
}

export interface ReverseFacts {
  readonly ptr: View<'PTR'>
  /** The addresses of each name in it, of the family of the address. */
  readonly forward: readonly { readonly name: WireName; readonly view: View<'A'> | View<'AAAA'> }[]
}

/** The sessions with one address: the first, and a later one where the first was told to wait. */
export type SmtpFacts =
  | {
      readonly kind: 'probed'
      readonly sessions: readonly [ProbedSession, ...ProbedSession[]]
      /** How much was asked: less than `Examination.probe` says at providers whose servers many domains share, more where the session is shared. */
      readonly probe: 'full' | 'polite'
      /** The session was held for another domain less than a minute ago, and is used again; its recipients are not of this domain. */
      readonly isShared: boolean
    }
  | NotExamined

export interface ExchangerAddress {
  readonly address: IpAddress
  /** Why it is not one that everybody reaches (RFC 6890), in words. */
  readonly notPublic: string | undefined
  readonly reverse: ReverseFacts | NotExamined
  readonly smtp: SmtpFacts
  /** The names in its greeting and in its answers to EHLO, as far as they are host names, each once: whether they exist. */
  readonly ownNames:
    | readonly { readonly name: HostName; readonly a: View<'A'>; readonly aaaa: View<'AAAA'> }[]
    | NotExamined
  /** What lists of senders say (RFC 5782), for those that were asked for. */
  readonly blocklists: readonly BlocklistFacts[] | NotExamined
}

export interface BlocklistFacts {
  readonly zone: HostName
  /** 127.0.0.2 must be listed and 127.0.0.1 must not (RFC 5782 §5), or the list tells nothing. */
  readonly mustBeListed: View<'A'>
  readonly mustNotBeListed: View<'A'>
  readonly address: View<'A'>
}

/** A TLSA look-up, in the order of RFC 7672 §2.2.3: at the end of the aliases, then at the name in the MX record. */
export interface TlsaLookup {
  /** The candidate for the TLSA base domain: `mx1.example.com.`, of which `_25._tcp` is asked. */
  readonly base: WireName
  readonly place: 'target' | 'original'
  readonly view: View<'TLSA'>
}

/** One target of the MX set; the domain itself where there is none (RFC 5321 §5.1). The root of a null MX is none. */
export interface ExchangerFacts {
  /** As the first record has it, case kept. */
  readonly name: WireName
  /** Undefined where the name has what no host name has; nothing is looked up then. */
  readonly host: HostName | undefined
  /** Of each record that names it, ascending. */
  readonly preferences: readonly number[]
  readonly isImplicit: boolean
  readonly a: View<'A'>
  readonly aaaa: View<'AAAA'>
  /** CNAME at the name itself, asked where the addresses came through an alias: tells whether the first hop is secure. */
  readonly cname: View<'CNAME'>
  /** The zone in which its addresses are, among `Facts.zones`. */
  readonly zone: WireName | undefined
  /** Why it was not found. */
  readonly zoneUnknown?: NotExamined | undefined
  /** Of the registrable domain: whether somebody has registered it. */
  readonly registrable: { readonly domain: HostName; readonly soa: View<'SOA'> } | NotExamined
  readonly tlsa: readonly TlsaLookup[] | NotExamined
  /** CAA, from the host's name up the tree, as far as it was asked (RFC 8659 §3). */
  readonly caa: readonly NamedView<'CAA'>[] | NotExamined
  readonly addresses: readonly ExchangerAddress[]
}

/** One GET of a policy (RFC 8461 §3.3). */
export type HttpsFacts =
  | {
      readonly kind: 'response'
      readonly address: IpAddress
      readonly handshake: Handshake
      readonly status: number
      /** As the server wrote them. */
      readonly contentType: string | undefined
      readonly location: string | undefined
      /** At most 64 KiB and one octet. */
      readonly body: Buffer
      /** `too-long`: it went on; `too-slow`: the time was over; `cut`: the connection ended first. */
      readonly bodyEnd: 'whole' | 'too-long' | 'too-slow' | 'cut'
      readonly tookMs: number
    }
  | {
      readonly kind: 'failed'
      readonly address: IpAddress | undefined
      readonly step: 'address' | 'connect' | 'handshake' | 'response'
      readonly handshake: Handshake
      /** Words of ours and codes, safe to print. */
      readonly why: string
      readonly tookMs: number
    }
  | NotExamined

export interface MtaStsFacts {
  /** TXT at `_mta-sts`. */
  readonly txt: View<'TXT'>
  readonly a: View<'A'>
  readonly aaaa: View<'AAAA'>
  readonly https: HttpsFacts
}

export interface TlsRptFacts {
  /** TXT at `_smtp._tls`. */
  readonly txt: View<'TXT'>
  /** Of each domain to which reports go by mail. */
  readonly destinations: readonly {
    readonly domain: HostName
    readonly mx: View<'MX'>
    readonly a: View<'A'>
    readonly aaaa: View<'AAAA'>
  }[]
}

export interface SpfFacts {
  /** TXT at the domain: the record itself is among it. */
  readonly txt: View<'TXT'>
  /**
   * Every answer that evaluating the record needs, in the order in which they were asked, one more than the limit at most. A rule evaluates
   * the record again with these as its look-up.
   */
  readonly lookups: readonly NamedView[]
  /** What the record costs, counted with these answers (RFC 7208 §4.6.4). Undefined where there is not exactly one that can be read. */
  readonly cost: SpfCost | undefined
}

export interface DkimFacts {
  /** TXT at `_domainkey`. */
  readonly parent: View<'TXT'>
  readonly selectors: readonly { readonly selector: string; readonly txt: View<'TXT'> }[] | NotExamined
}

export interface DmarcFacts {
  /** TXT at `_dmarc` of the domain and of each parent that the tree walk asks (RFC 9989 §4.10), in order, 8 at most. */
  readonly walk: readonly NamedView<'TXT'>[]
  /** What the walk has led to. */
  readonly discovery: DmarcDiscovery | NotExamined
  /** TXT at `<domain>._report._dmarc.<destination>` for each destination in another organisation (RFC 9990). */
  readonly reportConsents: readonly { readonly destination: HostName; readonly txt: View<'TXT'> }[]
}

/** A random label below the domain, to find wildcards; and one beside it, to find out whether the domain itself comes from one. */
export interface WildcardFacts {
  readonly name: WireName
  readonly mx: View<'MX'>
  readonly txt: View<'TXT'>
  /** Where the domain has an address and no MX: the same below it. */
  readonly address?: NamedView<'A' | 'AAAA'> | undefined
  /** Asked where what the domain lives on (MX, or an address) is also there below it: the same of a name beside it. */
  readonly beside?: NamedView<'MX' | 'A' | 'AAAA'> | undefined
}

/** What was asked for, where it decides what a fact means. */
export interface Examination {
  readonly probe: 'full' | 'polite' | 'none'
  readonly smtpPort: number
  readonly isPrivate: boolean
  readonly families: 'both' | 'ipv4' | 'ipv6'
}

export interface Spent {
  readonly queries: number
  readonly connections: number
}

/**
 * All that was seen of a domain, as plain data: rules look at nothing else. What could not be looked at says why instead of being left out.
 */
export interface Facts {
  readonly domain: HostName
  /** Wall clock, milliseconds since 1970: dates are judged by it. */
  readonly startedAtMs: number
  readonly tookMs: number
  readonly examination: Examination
  readonly vantage: Vantage
  readonly mx: View<'MX'>
  /** Of the domain itself. */
  readonly a: View<'A'>
  readonly aaaa: View<'AAAA'>
  /** Each target once, best preference first. */
  readonly exchangers: readonly ExchangerFacts[]
  /** The zone in which the domain is: among `zones`. Undefined where it was not found. */
  readonly zone: WireName | undefined
  /** Why it was not found. */
  readonly zoneUnknown?: NotExamined | undefined
  readonly zones: readonly ZoneFacts[]
  readonly wildcard: WildcardFacts
  readonly spf: SpfFacts
  readonly dkim: DkimFacts
  readonly dmarc: DmarcFacts
  /** TXT at `default._bimi`. */
  readonly bimi: View<'TXT'>
  readonly mtaSts: MtaStsFacts
  readonly tlsRpt: TlsRptFacts
  readonly spent: Spent
}
