/**
 * The gateway's settings from a test's words, with limits and budgets as they are in production unless the test says otherwise.
 * Used by `gateway.ts`; `process.ts` writes the same words as waypost.yaml for the command line.
 */
import { join } from 'node:path'
import { parseIp, parseNetwork } from '../../src/base/ip.ts'
import type { HostName } from '../../src/dns/name.ts'
import { defaultResolverOptions, type ResolverOptions } from '../../src/dns/resolver-options.ts'
import type { Budgets, GatewaySettings, Limits } from '../../src/gateway/settings.ts'
import { parseMailbox } from '../../src/mail/address.ts'
import type { BackendOptions, Route, RouteEntry } from '../../src/routing/backend.ts'
import type { MailDomain } from '../../src/routing/destinations.ts'
import { createDestinations } from '../../src/routing/find-destination.ts'
import { type HoldPolicy, holdPolicy, neverHold } from '../../src/routing/hold-policy.ts'
import { createBackend, defaultBackendOptions, parseBackend } from '../../src/routing/parse-backend.ts'
import type { FakeBackend } from './backend.ts'
import { labHost } from './names.ts'

/** A backend of the lab, or a URL: `smtp://127.0.0.1:25`, `lmtp:/path`, `maildir:/path`, `mx`, `mx:domain`. */
export type To = FakeBackend | string

export interface EntryWords extends Partial<BackendOptions> {
  readonly to: To
  readonly preference?: number
  readonly weight?: number
  /** Where the exchangers of `mx` listen in this lab, instead of 25. */
  readonly mxPort?: number
}

export type DeliverWords = To | readonly (To | EntryWords)[]

export interface DomainWords {
  readonly deliver: DeliverWords
  readonly balance?: Route['balance']
  readonly onDefer?: Route['onDefer']
  /** What differs from the defaults; without it nothing is held. */
  readonly hold?: Partial<HoldPolicy>
  readonly recipients?: 'ask' | 'any' | readonly string[]
  /** As under `addresses:`: `local@` and `prefix*@`. */
  readonly addresses?: Readonly<Record<string, DeliverWords>>
}

export interface GatewayWords {
  /** For `example.test`, unless `domains` says which. */
  readonly deliver?: DeliverWords
  readonly balance?: Route['balance']
  readonly onDefer?: Route['onDefer']
  /** What differs from the defaults; without it nothing is held. */
  readonly hold?: Partial<HoldPolicy>
  /** By name; `*.example.test` covers subdomains. */
  readonly domains?: Readonly<Record<string, DomainWords>>
  readonly hostname?: string
  readonly listen?: readonly { readonly address: string; readonly port: number }[]
  readonly limits?: Partial<Limits>
  /** Octets that the hold may take. */
  readonly holdBytes?: number
  /** Octets of the disk that stay free; default: none. */
  readonly freeBytes?: number
  readonly budgets?: Partial<Budgets>
  /** STARTTLS: with the lab's certificate, or with these files. */
  readonly tls?: boolean | { readonly certificate: string; readonly key: string }
  /** Default: a Maildir in the state folder. */
  readonly postmaster?: DeliverWords
  readonly publicAddresses?: readonly string[]
  /** How MX are looked up; `servers: [dns.server]` for a DNS of the lab. Without it there is no name server. */
  readonly resolver?: Partial<ResolverOptions>
  /** Whether an undeclared domain was declared lately. Default: none was. */
  readonly leftRecently?: (domain: HostName) => boolean
  readonly bareNewline?: 'repair' | 'reject'
  readonly eightBit?: 'pass' | 'refuse'
  readonly dsn?: boolean
  /** Networks whose senders are believed. */
  readonly trusted?: readonly string[]
  /** Where mail of our own goes, instead of the exchangers of each domain; and whom it is from. */
  readonly outbound?: { readonly via?: DeliverWords; readonly from?: string }
}

export const labDomain = 'example.test'

/** As in production; `config/load.test.ts` holds both tables to the defaults of waypost.yaml. */
export const productionLimits: Limits = {
  messageBytes: 50 * 1024 * 1024,
  recipients: 1000,
  connections: 10_000,
  connectionsPerAddress: 50,
  connectionsPerNetwork: 200,
  connectionRate: 100,
  bodyMemory: 256 * 1024 * 1024,
  spool: 2 * 1024 * 1024 * 1024,
  hops: 100,
  errors: 20,
  idleCommands: 100,
  refusedPerConnection: 10,
  refusedPerMinute: 30,
  minimumRate: 500,
}

export const productionBudgets: Budgets = {
  connectMs: 25_000,
  mailMs: 50_000,
  rcptMs: 100_000,
  dotMs: 270_000,
  bodyReserveMs: 30_000,
  sessionMs: 10_000,
  sessionIdleInTransactionMs: 1_000,
  commandMs: 300_000,
  firstMailMs: 600_000,
  connectionMs: 3_600_000,
  blockMs: 180_000,
  messageMs: 30 * 60_000,
  handshakeMs: 30_000,
  shutdownGraceMs: 60_000,
}

/** @param lab  its state folder, certificate and the address that a gateway of its own listens on */
export function settingsOf(
  words: GatewayWords,
  lab: { readonly state: string; readonly certificate: string; readonly key: string; readonly address: string },
): GatewaySettings {
  const hostname = labHost(words.hostname ?? 'mx.waypost.test')
  const postmaster = routeOf('postmaster', words.postmaster ?? `maildir:${join(lab.state, 'postmaster')}`, {})
  const declared = words.domains ?? {
    [labDomain]: {
      deliver: words.deliver ?? [],
      ...(words.balance ? { balance: words.balance } : {}),
      ...(words.onDefer ? { onDefer: words.onDefer } : {}),
      ...(words.hold ? { hold: words.hold } : {}),
    },
  }
  const routeFor = sharedRoutes()
  const domains = Object.entries(declared).map(([name, domain]) => domainOf(name, domain, routeFor))
  return {
    hostname,
    listen: (words.listen ?? [{ address: lab.address, port: 0 }]).map(placeOf),
    state: lab.state,
    tls: words.tls === true ? { certificate: lab.certificate, key: lab.key } : words.tls || undefined,
    limits: { ...productionLimits, ...words.limits },
    holdLimits: { holdBytes: words.holdBytes, freeBytes: words.freeBytes ?? 0 },
    budgets: { ...productionBudgets, ...words.budgets },
    destinations: createDestinations(domains, { hostname, leftRecently: words.leftRecently ?? (() => false) }),
    postmaster,
    publicAddresses: (words.publicAddresses ?? []).map(ipOf),
    resolver: { ...defaultResolverOptions, servers: [noNameServer], ...words.resolver },
    bareNewline: words.bareNewline ?? 'repair',
    eightBit: words.eightBit ?? 'pass',
    dsn: words.dsn ?? true,
    trusted: (words.trusted ?? []).map(networkOf),
    outbound: {
      via: words.outbound?.via === undefined ? undefined : routeOf('outbound', words.outbound.via, {}),
      from: words.outbound?.from === undefined ? undefined : mailboxOf(words.outbound.from),
    },
  }
}

/** Domains that are handed the very same list share its route, as those whose lists are equal do in waypost.yaml. */
function sharedRoutes(): typeof routeOf {
  const made: { readonly deliver: DeliverWords; readonly route: Route }[] = []
  return (id, deliver, words) => {
    const route = routeOf(id, deliver, words)
    const known = made.find((one) => one.deliver === deliver && one.route.balance === route.balance)
    if (known && known.route.onDefer === route.onDefer) return known.route
    made.push({ deliver, route })
    return route
  }
}

function domainOf(name: string, words: DomainWords, routeFor: typeof routeOf): MailDomain {
  const addresses = Object.entries(words.addresses ?? {}).map(
    ([key, deliver]) => [key.toLowerCase(), routeOf(`${key}${name}`, deliver, words)] as const,
  )
  const { recipients = 'ask' } = words
  return {
    name: labHost(name.replace(/^\*\./, '')),
    subdomains: name.startsWith('*.'),
    route: routeFor(name, words.deliver, words),
    recipients:
      typeof recipients === 'string' ? recipients : new Set(recipients.map((recipient) => recipient.toLowerCase())),
    addresses: new Map(addresses),
    hold: words.hold ? { ...holdPolicy({}, {}), ...words.hold } : neverHold,
  }
}

function routeOf(id: string, deliver: DeliverWords, words: Partial<Pick<Route, 'balance' | 'onDefer'>>): Route {
  const list = Array.isArray(deliver) ? (deliver as readonly (To | EntryWords)[]) : [deliver as To]
  return {
    id,
    entries: list.map(entryOf),
    balance: words.balance ?? 'round-robin',
    onDefer: words.onDefer ?? 'pass',
  }
}

function entryOf(words: To | EntryWords): RouteEntry {
  if (typeof words === 'string' || 'messages' in words) return entryOf({ to: words })
  const { to, preference = 10, weight = 1, mxPort, ...chosen } = words
  const url = typeof to === 'string' ? to : to.url
  const parsed = parseBackend(url, '/')
  if (parsed.kind === 'invalid') throw new TypeError(`${url}: ${parsed.why}`)
  // What the lab's DNS says leads to loopback, which is private.
  const isMx = parsed.address.protocol === 'mx'
  const address = isMx && mxPort !== undefined ? { ...parsed.address, port: mxPort } : parsed.address
  const backend = createBackend(address, { ...defaultBackendOptions, private: isMx, ...chosen })
  return { backend, preference, weight }
}

/** Nobody answers there, so that no test asks the machine's own name servers. */
const noNameServer = placeOf({ address: '127.0.0.1', port: 9 })

function placeOf({ address, port }: { address: string; port: number }) {
  return { address: ipOf(address), port }
}

function ipOf(text: string) {
  const address = parseIp(text)
  if (!address) throw new TypeError(`not an address: ${text}`)
  return address
}

function networkOf(text: string) {
  const network = parseNetwork(text)
  if (!network) throw new TypeError(`not a network: ${text}`)
  return network
}

function mailboxOf(text: string) {
  const parsed = parseMailbox(text)
  if (parsed.kind === 'invalid') throw new TypeError(`not an address: ${text}: ${parsed.why}`)
  return parsed.mailbox
}
