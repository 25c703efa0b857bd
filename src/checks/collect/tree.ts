/**
 * From the root down to the zone of a name, asking each parent itself (RFC 1034 §5.3.3): finds the apex, and what the parent says of it, also
 * where the zone's own servers are dead and a resolver can only say SERVFAIL. Servers of upper zones are remembered for all domains of a run.
 */
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import { type Random, shuffle } from '../../base/random.ts'
import { createCache } from '../../dns/cache.ts'
import type { Message } from '../../dns/message.ts'
import { rcodes } from '../../dns/types.ts'
import { foldName, isAtOrBelow, rootWireName, sameName, type WireName } from '../../dns/wire-name.ts'
import type { Delegation, Direct, NotExamined } from '../facts.ts'
import { type CheckOptions, defaultCheckOptions } from '../options.ts'
import { plainName } from '../read-facts.ts'
import { type Inquiry, notExamined } from './inquiry.ts'
import { createShared } from './shared.ts'

export interface Located {
  /** Undefined where it could not be found out; `delegation` says why then. */
  readonly apex: WireName | undefined
  readonly delegation: Delegation
}

export interface Tree {
  /** @param name  any name: its zone is looked for */
  locate(name: WireName, inquiry: Inquiry): Promise<Located>
  /** The same of a host that other domains of the run may depend on too. */
  locateHost(name: WireName, inquiry: Inquiry): Promise<Located>
}

type Failed = Extract<Delegation, { kind: 'failed' }>

interface Cut {
  readonly zone: WireName
  readonly servers: readonly Place[]
  readonly delegation: Delegation
}

interface Place {
  readonly name: WireName
  readonly address: IpAddress
}

const keepMs = 3_600_000
const roomZones = 20_000
/** Labels of real names; a hostile server may refer to itself in ever deeper zones. */
const mostSteps = 20
/** Servers of one zone that are tried before it is given up, and how often each: another is the better second try. */
const mostTries = 4
const rounds = 2
/** A zone whose servers were all silent is not waited for again by what comes right behind. */
const silentMs = 30_000

const roomHosts = 5_000
/** What was not found may have been so for want of one domain's time. */
const hostMs = ({ apex }: Located) => (apex ? 300_000 : 0)
/** Name servers without glue whose addresses are looked up. */
const mostGlueless = 3

export function createTree(clock: Clock, random: Random): Tree {
  const cuts = createCache<Cut>(roomZones, clock)
  const silent = createCache<Delegation>(roomZones, clock)

  const nearest = (name: WireName, inquiry: Inquiry): Cut => {
    let best: Cut | undefined
    for (let at = parentName(name); at !== undefined && !best; at = parentName(at)) best = cuts.get(foldName(at))
    const servers = inquiry.options.rootHints.map((address) => ({ name: rootWireName, address }))
    return best ?? { zone: rootWireName, servers, delegation: { kind: 'failed', why: 'the root has no parent' } }
  }

  const hosts = createShared<Located>({ room: roomHosts, keepMs: hostMs, cost: () => 1 }, clock)

  const tree: Tree = {
    locateHost: (name, inquiry) => hosts(foldName(name), () => tree.locate(name, inquiry)),
    async locate(name, inquiry) {
      let cut = nearest(name, inquiry)
      for (let step = 0; step < mostSteps; step++) {
        const key = foldName(cut.zone)
        const said = silent.get(key) ?? (await askCut(cut, inquiry, name, random))
        if (!('message' in said)) {
          if (said.kind === 'failed') silent.set(key, said, silentMs, 1)
          // Of a silent top-level domain nothing can be said; below it the zone that was referred to is the nearest that is known.
          if (labelCount(cut.zone) > 1) return { apex: cut.zone, delegation: cut.delegation }
          return { apex: undefined, delegation: said }
        }
        const { message, place } = said
        const referred = referralOf(message, cut.zone, name)
        if (!referred) return ended(message, cut, name)
        const delegation: Delegation = { kind: 'delegated', parent: cut.zone, referral: message, server: place }
        cut = { zone: referred, servers: await placesOf(message, referred, inquiry), delegation }
        // Zones with few names below them are not worth remembering; those of the tree are asked for by every domain.
        if (labelCount(referred) <= 2 && cut.servers.length > 0) cuts.set(foldName(referred), cut, keepMs, 1)
        if (sameName(referred, name)) return { apex: referred, delegation }
      }
      return { apex: undefined, delegation: { kind: 'failed', why: `more than ${mostSteps} referrals` } }
    },
  }
  return tree
}

/** What a server of the zone says that is of use; else why there is nothing. */
async function askCut(
  cut: Cut,
  inquiry: Inquiry,
  name: WireName,
  random: Random,
): Promise<{ readonly message: Message; readonly place: Place } | NotExamined | Failed> {
  const places = preferred(cut.servers, inquiry, random).slice(0, mostTries)
  const zone = cut.zone === rootWireName ? 'the root' : plainName(cut.zone)
  if (places.length === 0)
    return notExamined('not-wanted', `No name server of ${zone} has an address that is to be asked.`)
  let left: NotExamined | undefined
  for (let round = 0; round < rounds; round++) {
    for (const place of places) {
      const { outcome } = await askOne(place, name, inquiry)
      if (outcome.kind === 'not-examined') left ??= outcome
      if (outcome.kind !== 'response') continue
      const { rcode } = outcome.message
      if (rcode === rcodes.noError || rcode === rcodes.nxDomain) return { message: outcome.message, place }
    }
  }
  if (left) return left
  return { kind: 'failed', why: whyUseless(zone, places, inquiry.options) }
}

/** @param zone  in words; at a port of a laboratory the servers of the world's root are asked in vain, and the option that is missing is named */
export function whyUseless(
  zone: string,
  places: readonly Pick<Place, 'address'>[],
  { dnsPort, rootHints }: Pick<CheckOptions, 'dnsPort' | 'rootHints'>,
): string {
  const asked = places.map(({ address }) => address).join(', ')
  const isForgotten = dnsPort !== defaultCheckOptions.dnsPort && rootHints === defaultCheckOptions.rootHints
  const at = dnsPort === defaultCheckOptions.dnsPort ? '' : ` at port ${dnsPort}`
  const more = isForgotten ? '; --root-hints names the root servers of a laboratory' : ''
  return `no name server of ${zone} that was asked said anything of use (${asked}${at})${more}`
}

async function askOne(place: Place, name: WireName, inquiry: Inquiry): Promise<Direct> {
  const direct = await inquiry.direct(place.address, { name, type: 'NS', tries: 1 })
  const { outcome } = direct
  const isCut = outcome.kind === 'response' && outcome.message.truncated
  return isCut ? inquiry.direct(place.address, { name, type: 'NS', over: 'tcp', tries: 1 }) : direct
}

/**
 * IPv4 first: it is where a path is surest to exist; and of families that were left out, none. Otherwise by chance, so that all servers of a
 * top-level domain share the questions of a long run.
 */
function preferred(servers: readonly Place[], { options }: Inquiry, random: Random): readonly Place[] {
  const mixed = shuffle(servers, random)
  const v4 = options.families === 'ipv6' ? [] : mixed.filter(({ address }) => !isIpv6(address))
  const v6 = options.families === 'ipv4' ? [] : mixed.filter(({ address }) => isIpv6(address))
  return [...v4, ...v6]
}

/** The zone that a message refers to: below where we are, and at or above the name (RFC 1034 §4.3.2). */
function referralOf(message: Message, zone: WireName, name: WireName): WireName | undefined {
  if (message.authoritative || message.rcode !== rcodes.noError || message.answers.length > 0) return undefined
  const owner = message.authorities.find(({ data }) => data.type === 'NS')?.name
  if (!owner || sameName(owner, zone)) return undefined
  return isAtOrBelow(owner, zone) && isAtOrBelow(name, owner) ? owner : undefined
}

/** No referral: the zone that answers is the one, or one below it on the same server. */
function ended(message: Message, cut: Cut, name: WireName): Located {
  const owner = apexIn(message, name)
  if (!owner || sameName(owner, cut.zone) || !isAtOrBelow(owner, cut.zone))
    return { apex: cut.zone === rootWireName ? undefined : cut.zone, delegation: cut.delegation }
  const why = 'The same server keeps the zone and its parent, and answers from the zone.'
  return { apex: owner, delegation: { kind: 'not-examined', reason: 'not-applicable', why } }
}

function apexIn(message: Message, name: WireName): WireName | undefined {
  if (!message.authoritative) return undefined
  const own = message.answers.find((record) => record.data.type === 'NS' && sameName(record.name, name))
  const soa = message.authorities.find((record) => record.data.type === 'SOA' && isAtOrBelow(name, record.name))
  return own?.name ?? soa?.name
}

async function placesOf(referral: Message, zone: WireName, inquiry: Inquiry): Promise<readonly Place[]> {
  const names = referral.authorities.flatMap(({ name, data }) =>
    data.type === 'NS' && sameName(name, zone) ? [data.target] : [],
  )
  const glued = names.flatMap((name) => glueOf(referral, name).map((address) => ({ name, address })))
  if (glued.length > 0) return glued
  const looked = await Promise.all(
    names.slice(0, mostGlueless).map(async (name) => {
      const views = await Promise.all([inquiry.view(name, 'A'), inquiry.view(name, 'AAAA')])
      return views.flatMap((view) =>
        view.kind === 'answer' ? view.records.map(({ data }) => ({ name, address: data.address })) : [],
      )
    }),
  )
  return looked.flat()
}

/** The addresses that a referral gives for a name server. */
export function glueOf(referral: Message, name: WireName): readonly IpAddress[] {
  return referral.additionals.flatMap(({ name: owner, data }) =>
    (data.type === 'A' || data.type === 'AAAA') && sameName(owner, name) ? [data.address] : [],
  )
}

function parentName(name: WireName): WireName | undefined {
  return name === rootWireName ? undefined : (name.slice(1 + name.charCodeAt(0)) as WireName)
}

function labelCount(name: WireName): number {
  let count = 0
  for (let at = 0; at < name.length - 1; at += 1 + name.charCodeAt(at)) count++
  return count
}
