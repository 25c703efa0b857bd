/**
 * A configuration that was read and found in order, as plain data: what `read.ts` makes, what may cross to another thread, and what
 * `assemble.ts` makes `GatewaySettings` of.
 */
import type { DnsServerOptions } from '../dns/authoritative/options.ts'
import type { HostName } from '../dns/name.ts'
import type { NameServer } from '../dns/servers.ts'
import type { GatewaySettings } from '../gateway/settings.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import type { PublisherOptions } from '../publish/options.ts'
import type { Route } from '../routing/backend.ts'
import type { HoldPolicy } from '../routing/hold-policy.ts'
import type { WatchingSettings } from '../watch/settings.ts'
import type { WebSettings } from '../web/settings.ts'
import type { ListenPlace, WrittenPlace } from './listen.ts'
import type { Problem } from './source.ts'

export interface Plan {
  readonly general: PlannedGeneral
  /** Equal lists are one route; what follows names routes by their index here. */
  readonly routes: readonly Route[]
  readonly postmaster: number
  /** `outbound.via`. */
  readonly outboundVia: number | undefined
  readonly domains: readonly PlannedDomain[]
  readonly publishing: PlannedPublishing
  readonly watching: WatchingSettings
  readonly web: WebSettings
  readonly listeners: readonly WrittenPlace[]
  readonly certificates: PlannedCertificates
  /** What the file says beside `domains:` and `routes:`, as it is written: for what a reload tells of its changes. */
  readonly said: Readonly<Record<string, unknown>>
  /** Where the file says `state:`; undefined where it does not. */
  readonly stateWritten: Omit<Problem, 'message'> | undefined
  /** Where it says `log:`, or `file:` in it. */
  readonly logFileWritten: Omit<Problem, 'message'> | undefined
}

/** Those that the file names, by the key that does: `tls`, `web.tls`. For what a reload tells of one that was renewed. */
export type PlannedCertificates = Readonly<Record<string, PlannedCertificate>>

export interface PlannedCertificate {
  /** Of the whole certificate: another one has another. */
  readonly fingerprint: string
  /** `for mx.example.com, until 2027-01-15 00:00:00 UTC`. */
  readonly words: string
}

/** Where records are kept, and the built-in server that may keep them. Secrets are not read yet. */
export interface PlannedPublishing {
  /** Paths are absolute. */
  readonly publishers: Readonly<Record<string, PublisherOptions>>
  readonly listenDns: readonly NameServer[]
  readonly dns: DnsServerOptions
}

/** What the gateway is told, less what is made of routes and domains. */
export type PlannedGeneral = Omit<GatewaySettings, 'destinations' | 'postmaster' | 'outbound'> & {
  readonly outboundFrom: GatewaySettings['outbound']['from']
}

export interface PlannedDomain {
  readonly name: HostName
  readonly subdomains: boolean
  /** What is published of it. */
  readonly declaration: Declaration | undefined
  /** Undefined: its mail is nobody's business here. */
  readonly mail: PlannedMail | undefined
}

export interface PlannedMail {
  readonly route: number
  /** A list holds local parts in lower case. */
  readonly recipients: 'ask' | 'any' | readonly string[]
  readonly addresses: readonly (readonly [key: string, route: number])[]
  readonly hold: HoldPolicy
}

/** What a load says of itself, for people. */
export interface Summary {
  readonly files: readonly string[]
  /** Whose mail is taken. */
  readonly domains: number
  /** Whose records are published. */
  readonly declared: number
  readonly routes: number
  readonly backends: number
  readonly listeners: readonly ListenPlace[]
  readonly state: string
  /** What is in order and probably not meant. */
  readonly remarks: readonly Problem[]
}

export function summarize(plan: Plan, files: readonly string[], remarks: readonly Problem[]): Summary {
  const backends = new Set(plan.routes.flatMap((route) => route.entries.map((entry) => entry.backend.key)))
  return {
    files,
    domains: plan.domains.filter(({ mail }) => mail).length,
    declared: plan.domains.filter(({ declaration }) => declaration).length,
    routes: plan.routes.length,
    backends: backends.size,
    listeners: plan.listeners.map(({ written: _, ...place }) => place),
    state: plan.general.state,
    remarks,
  }
}
