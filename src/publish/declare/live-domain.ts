/**
 * What is live of a domain, of all that waypost.yaml can declare: asked of its own name servers, so that TTLs are whole. Called by `waypost import dns`
 * and `waypost init`, which write it down with `write-declaration.ts`.
 */
import { type Clock, within } from '../../base/clock.ts'
import { type IpAddress, whyNotPublic } from '../../base/ip.ts'
import { type HostName, isHostName, isWithin } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import type { Resolution } from '../../dns/resolution.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { type NameServer, nameServerText } from '../../dns/servers.ts'
import type { Transport } from '../../dns/transport.ts'
import { type RecordType, typeCodes } from '../../dns/types.ts'
import { hostFromName, nameFromHost, parentOf, rootWireName, sameName, type WireName } from '../../dns/wire-name.ts'
import { txtText } from '../../records/txt.ts'
import { askServer, type ServerSaid } from '../sets/ask-server.ts'
import type { SetContent, SetName } from '../sets/record-set.ts'
import { isOfKind, type TextKind, textKinds } from '../sets/text-kind.ts'

export interface LiveDomain {
  readonly domain: HostName
  /** Undefined: none. A null MX has the root as its host. */
  readonly mx: LiveMx | undefined
  readonly texts: readonly LiveText[]
  /** What could not be taken as it is; words of ours, printable. */
  readonly notes: readonly string[]
  /** Its own servers could not be asked for all of it, and a resolver's TTLs are what is left of them. */
  readonly isSecondHand: boolean
}

export interface LiveMx {
  readonly ttlSeconds: number
  readonly exchangers: readonly LiveExchanger[]
}

export interface LiveExchanger {
  readonly preference: number
  readonly host: HostName
  /** Of hosts at or below the domain, where their sets have the TTL of the MX records; others keep theirs. */
  readonly addresses: readonly IpAddress[] | undefined
}

export interface LiveText {
  readonly kind: TextKind
  readonly text: string
  readonly ttlSeconds: number
  /** Whether others stand in the set, whose TTL it then keeps. */
  readonly isShared: boolean
}

export type LookedAt =
  | { readonly kind: 'live'; readonly live: LiveDomain }
  /** `why` is printable. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'no-such-domain' }

export interface LiveDeps {
  readonly clock: Clock
  readonly resolver: Resolver
  readonly transport: Transport
  /** Whether name servers are asked at addresses, too, that not everybody reaches. */
  readonly isPrivate: boolean
}

const timeoutMs = 3_000
/** For all of a domain. What was not read by then is told as such: whoever owns the domain must not keep us for hours. */
const domainMs = 60_000
/** Name servers of a domain whose addresses are looked up, and exchangers of its own; others of either are nobody's who means it well. */
const mostServers = 13
const mostOwnHosts = 50
/** Silences of one server, beyond which it is asked no more. */
const mostSilences = 2

/** @param servers  whom to ask in place of the servers that DNS names for it */
export async function lookAtDomain(
  domain: HostName,
  deps: LiveDeps,
  servers?: readonly NameServer[],
): Promise<LookedAt> {
  const name = nameFromHost(domain)
  const asker = createAsker(deps)
  const known = servers ? await isKnownTo(name, servers, asker) : false
  if (typeof known === 'string') return { kind: 'failed', why: known }
  // Servers that were named may know a domain that the world does not see, or not yet.
  if (!known) {
    const found = await asker.resolve(name, 'MX')
    if (found.kind === 'failed') return { kind: 'failed', why: found.why }
    if (found.kind === 'no-such-name') return { kind: 'no-such-domain' }
  }
  const notes: string[] = []
  let isSecondHand = false
  const ask = servers
    ? createQuestions(servers, asker, async () => 'failed')
    : createQuestions(await serversFor(name, asker, deps.isPrivate), asker, async (name, type) => {
        isSecondHand = true
        return askResolver(name, type, asker)
      })
  const set = await ask(name, 'MX')
  if (set === 'failed') return { kind: 'failed', why: `the MX records of ${domain} could not be read` }
  const mx = set && (await readMx(domain, set, ask, notes))
  const texts: LiveText[] = []
  for (const kind of Object.keys(textKinds) as TextKind[]) texts.push(...(await readText(kind, domain, ask, notes)))
  return { kind: 'live', live: { domain, mx, texts, notes, isSecondHand } }
}

/** Asks as long as there is time left for the domain. */
interface Asker {
  resolve<T extends RecordType>(name: WireName, type: T): Promise<Resolution<T> | { kind: 'failed'; why: string }>
  server(server: NameServer, set: SetName): Promise<ServerSaid>
}

function createAsker({ clock, resolver, transport }: LiveDeps): Asker {
  const untilMs = clock.monotonicMs() + domainMs
  const why = `it took longer than ${domainMs / 1000} s`
  const inTime = async <Said, Late>(ask: () => Promise<Said>, late: Late): Promise<Said | Late> =>
    clock.monotonicMs() >= untilMs ? late : ((await within(ask(), untilMs, clock)) ?? late)
  return {
    resolve: (name, type) => inTime(() => resolver.resolve(name, type), { kind: 'failed', why }),
    server: (server, set) => inTime(() => askServer(transport, server, set, timeoutMs), { kind: 'silent', why }),
  }
}

/** @returns why not, printable, where none of them answers for it */
async function isKnownTo(name: WireName, servers: readonly NameServer[], asker: Asker): Promise<boolean | string> {
  const silent: string[] = []
  for (const server of servers) {
    const said = await asker.server(server, { name, code: typeCodes.MX })
    if (said.kind !== 'set') silent.push(`${nameServerText(server)} does not answer for it: ${said.why}`)
    else if (said.content !== undefined) return true
  }
  return silent.length === servers.length ? silent.join('; ') : false
}

type Ask = (name: WireName, type: RecordType) => Promise<SetContent | undefined | 'failed'>

/** The first server that answers for its zone. @param otherwise  asked where none does */
function createQuestions(servers: readonly NameServer[], asker: Asker, otherwise: Ask): Ask {
  const silences = new Map<NameServer, number>()
  return async (name, type) => {
    for (const server of servers.slice(0, 4)) {
      const before = silences.get(server) ?? 0
      if (before >= mostSilences) continue
      const said = await asker.server(server, { name, code: typeCodes[type] })
      if (said.kind === 'set') return said.content
      if (said.kind === 'silent') silences.set(server, before + 1)
    }
    return otherwise(name, type)
  }
}

/** The TTLs count down. */
async function askResolver(name: WireName, type: RecordType, asker: Asker): ReturnType<Ask> {
  const answer = await asker.resolve(name, type)
  if (answer.kind === 'failed') return 'failed'
  if (answer.kind !== 'answer' || !sameName(answer.canonicalName, name)) return undefined
  const ttlSeconds = Math.max(...answer.records.map((record) => record.ttlSeconds))
  return { ttlSeconds, data: answer.records.map((record) => record.data as Rdata) }
}

/** Those of the zone that the name lies in, which may begin above it. */
async function serversFor(name: WireName, asker: Asker, isPrivate: boolean): Promise<NameServer[]> {
  for (let at = name; at !== rootWireName; at = parentOf(at)) {
    const ns = await asker.resolve(at, 'NS')
    if (ns.kind !== 'answer' || !sameName(ns.canonicalName, at)) continue
    const hosts = await Promise.all(ns.records.slice(0, mostServers).map(({ data }) => asker.resolve(data.target, 'A')))
    const found = hosts.flatMap((answer) =>
      answer.kind === 'answer' ? answer.records.map(({ data }) => data.address) : [],
    )
    // Whoever writes the zone decides where we would ask: not inside of our own network.
    const open = found.filter((address) => isPrivate || whyNotPublic(address) === undefined)
    return open.map((address) => ({ address, port: 53 }))
  }
  return []
}

async function readMx(domain: HostName, set: SetContent, ask: Ask, notes: string[]): Promise<LiveMx | undefined> {
  const exchangers: LiveExchanger[] = []
  let own = 0
  for (const data of set.data) {
    if (data.type !== 'MX') continue
    const host = hostFromName(data.exchange)
    if (host === undefined || (host !== '.' && !isHostName(host))) {
      notes.push(`one exchanger has a name that no host can have, and is left out: mend it in DNS`)
      continue
    }
    if (host !== '.' && !host.includes('.')) {
      notes.push(`the exchanger "${host}" has no dot, which is a host of nobody, and is left out: mend it in DNS`)
      continue
    }
    const isOwn = host !== '.' && isWithin(host, domain) && ++own <= mostOwnHosts
    const addresses = isOwn ? await readAddresses(host, set.ttlSeconds, ask, notes) : undefined
    exchangers.push({ preference: data.preference, host, addresses })
  }
  if (own > mostOwnHosts) notes.push(`the addresses of ${own - mostOwnHosts} more of its own exchangers were not read`)
  return exchangers.length === 0 ? undefined : { ttlSeconds: set.ttlSeconds, exchangers }
}

async function readAddresses(
  host: HostName,
  ttlSeconds: number,
  ask: Ask,
  notes: string[],
): Promise<readonly IpAddress[] | undefined> {
  const name = nameFromHost(host)
  const sets = [await ask(name, 'A'), await ask(name, 'AAAA')]
  const found = sets.filter((set) => set !== undefined && set !== 'failed')
  if (sets.includes('failed') || found.length === 0) {
    notes.push(`the addresses of ${host} could not be read, and are left to whoever keeps them`)
    return undefined
  }
  if (found.some((set) => set.ttlSeconds !== ttlSeconds)) {
    notes.push(`the addresses of ${host} have a TTL of their own, and are left to whoever keeps them`)
    return undefined
  }
  return found.flatMap(({ data }) => data.flatMap((each) => ('address' in each ? [each.address] : [])))
}

async function readText(kind: TextKind, domain: HostName, ask: Ask, notes: string[]): Promise<LiveText[]> {
  const { prefix, title, whyInvalid } = textKinds[kind]
  const host = (prefix === '' ? domain : `${prefix}.${domain}`) as HostName
  if (host.length > 253) return []
  const set = await ask(nameFromHost(host), 'TXT')
  if (set === 'failed') notes.push(`whether ${host} has a record of ${title} could not be read`)
  if (set === undefined || set === 'failed') return []
  const own = set.data.filter((data) => isOfKind(data, kind))
  const [only] = own
  if (only?.type !== 'TXT') return []
  if (own.length > 1) {
    notes.push(`${host} has ${own.length} records of ${title}, of which none counts: remove all but one`)
    return []
  }
  const text = txtText(only.strings)
  const why = whyInvalid(text)
  if (why !== undefined || !/^[\x20-\x7e]{1,4000}$/.test(text)) {
    notes.push(`the ${title} record at ${host} is not valid, and left out${why === undefined ? '' : `: ${why}`}`)
    return []
  }
  return [{ kind, text, ttlSeconds: set.ttlSeconds, isShared: set.data.length > 1 }]
}
