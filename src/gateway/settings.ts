/**
 * What the gateway is told, parsed and checked: `config` makes it from waypost.yaml, a library user by hand. Defaults, units and
 * ranges stand in `options.ts`. A reload hands in new settings; those of a session in progress stay as they were.
 */

import { type IpAddress, inNetwork, type Network } from '../base/ip.ts'
import type { HostName } from '../dns/name.ts'
import type { ResolverOptions } from '../dns/resolver-options.ts'
import type { Mailbox } from '../mail/address.ts'
import type { HoldLimits } from '../queue/quota.ts'
import type { Backend, Route } from '../routing/backend.ts'
import type { Destinations } from '../routing/destinations.ts'
import type { ServerBudgets } from '../smtp/server/options.ts'

/** All that a gateway is told by waypost.yaml. Durations in milliseconds, sizes in octets. */
export interface GatewaySettings {
  /** Our name, in greeting, EHLO, Received and everything that we send. */
  readonly hostname: HostName
  readonly listen: readonly Listener[]
  /** Absolute path of the state folder (0700). */
  readonly state: string
  /** Absolute path of the file that the log goes to, beside standard error. */
  readonly logFile?: string | undefined
  /** Absolute paths to PEM files. Undefined: no STARTTLS. Their content is read again when the files change. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined
  readonly limits: Limits
  readonly holdLimits: HoldLimits
  readonly budgets: Budgets
  readonly destinations: Destinations
  /** Takes `<Postmaster>`, postmaster@hostname and what is left over. */
  readonly postmaster: Route
  /** Our addresses as the world sees them (NAT), for knowing ourselves in an MX set. */
  readonly publicAddresses: readonly IpAddress[]
  /** How MX are looked up. */
  readonly resolver: ResolverOptions
  readonly bareNewline: 'repair' | 'reject'
  /** What becomes of 8-bit text whose backend offers no 8BITMIME. */
  readonly eightBit: 'pass' | 'refuse'
  /** Whether DSN is offered to senders (RFC 3461). Only where messages can be held, because what it obliges to is kept there. */
  readonly dsn: boolean
  /** Networks whose senders are believed: their mail counts as proven. */
  readonly trusted: readonly Network[]
  readonly outbound: OutboundSettings
}

/** How mail of our own goes out: notifications to domains that are none of ours. */
export interface OutboundSettings {
  /** A backend that takes all of it; undefined: the exchangers of each domain. */
  readonly via: Route | undefined
  /** Whom people see as its author; undefined: postmaster at our name. */
  readonly from: Mailbox | undefined
}

/** Every route that mail may go: of the domains, the postmaster's, and that of our own mail where it has one. */
export const routesOf = ({
  destinations,
  postmaster,
  outbound,
}: Pick<GatewaySettings, 'destinations' | 'postmaster' | 'outbound'>): readonly Route[] => [
  ...destinations.routes,
  postmaster,
  ...(outbound.via ? [outbound.via] : []),
]

/** The backends of those routes, each once. */
export const backendsOf = (settings: Parameters<typeof routesOf>[0]): readonly Backend[] => {
  const entries = routesOf(settings).flatMap((route) => route.entries)
  return [...new Map(entries.map(({ backend }) => [backend.key, backend])).values()]
}

/** Whether the configuration believes whoever sends from there. */
export const isTrusted = ({ trusted }: Pick<GatewaySettings, 'trusted'>, address: IpAddress): boolean =>
  trusted.some((network) => inNetwork(address, network))

/** A place where senders connect. */
export interface Listener {
  readonly address: IpAddress
  /** 0–65535; 0 lets the system choose. */
  readonly port: number
}

/** The most that there may be of each thing. Sizes in octets. */
export interface Limits {
  readonly messageBytes: number
  readonly recipients: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly connectionsPerNetwork: number
  /** New connections a second of one client; its network may make four times as many (`connection-rate.ts`). */
  readonly connectionRate: number
  /** Octets of bodies kept in memory over all sessions; beyond it, and beyond 256 KiB a message, bodies go to file. */
  readonly bodyMemory: number
  /** Octets of bodies on their way in, in memory and in files. */
  readonly spool: number
  /** `Received:` lines after which a message is a loop (RFC 5321 §6.3). */
  readonly hops: number
  /** Errors after which a session ends with 421. */
  readonly errors: number
  /** Commands that lead to no mail (NOOP, RSET, VRFY, HELP, EHLO) in a row after which a session ends with 421. */
  readonly idleCommands: number
  /** Refused recipients of a connection, then 421 4.7.0; and of a client address a minute, then 450 without asking a backend. */
  readonly refusedPerConnection: number
  readonly refusedPerMinute: number
  /** Octets a second over any minute that a sender must keep up within DATA. */
  readonly minimumRate: number
  /** Octets of the postmaster's Maildir in the state folder; undefined: a tenth of what the hold may have, 1 GiB at most. */
  readonly postmaster?: number | undefined
}

/** Milliseconds: beside what the server gives a sender, how long a sender may have to wait for backends, and a backend for a sender. */
export interface Budgets extends ServerBudgets {
  /** For connecting, over all backends that are asked. */
  readonly connectMs: number
  /** Of `rcptMs`, for what ends at MAIL. */
  readonly mailMs: number
  /** For MAIL and RCPT, over all backends that are asked. */
  readonly rcptMs: number
  /** From the sender's dot to our answer, T. */
  readonly dotMs: number
  /** What T keeps back for the backend's answer once the body is there. */
  readonly bodyReserveMs: number
  /** Waiting for a place in a backend's pool. */
  readonly sessionMs: number
  /** A session that waits for the body longer than this is reset and given to others. */
  readonly sessionIdleInTransactionMs: number
  /** For sessions in progress when we stop. */
  readonly shutdownGraceMs: number
}
