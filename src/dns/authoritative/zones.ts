/**
 * The zones that are served, and the way from a question to its prepared answer. Zones are replaced one by one while questions are being
 * answered: what did not change is left alone, and the work is done in slices.
 */
import type { IpAddress } from '../../base/ip.ts'
import { metaTypeCodes, typeCodes } from '../types.ts'
import { foldName, maxNameOctets, parentOf, rootWireName, type WireName } from '../wire-name.ts'
import { createNameTable, type HashedName } from './name-table.ts'
import {
  createShared,
  type Host,
  type Prepared,
  prepareAnswer,
  prepareAny,
  prepareNegative,
  prepareReferral,
  stampOf,
  typesBehindAlias,
  type World,
} from './prepare.ts'
import type { Serials } from './serials.ts'
import {
  compileZone,
  type Entry,
  type MoreAnswers,
  type ReadZone,
  type RecordSet,
  readZone,
  type Zone,
  type ZoneSource,
} from './zone.ts'

export interface Zones {
  /** The answer to a question, or undefined where no zone has the name. @param name  read by `hash` */
  find(bytes: Uint8Array, name: HashedName, type: number): Prepared | undefined
  /** Reads and hashes the name of a question, see `NameTable`. */
  hash(bytes: Uint8Array, at: number, into: HashedName): boolean
  /** The zone with exactly this origin. @param origin  in any case */
  zone(origin: WireName): Zone | undefined
  /** Makes these the zones that are served. Rejects when serials cannot be kept; then the zones are as they were. */
  replace(sources: readonly ZoneSource[]): Promise<Replaced>
  /** Looks anew at which addresses are down. */
  healthChanged(): void
  readonly zones: number
  readonly names: number
}

export interface Replaced {
  /** Those that are new or other than before, as they are served now. */
  readonly changed: readonly Zone[]
  readonly unchanged: number
  readonly removed: number
  /** What was wrong; where a zone was served before, it still is. */
  readonly rejected: readonly { readonly origin: WireName; readonly why: string }[]
}

export interface ZonesDeps {
  readonly seed: number
  readonly serials: Serials
  readonly isDown: (address: IpAddress) => boolean
  /** The TTL of addresses that can be left out, seconds. */
  readonly healthyTtlSeconds: number
  /** Lets others work when enough was done at a stretch. */
  readonly breathe: () => Promise<void> | undefined
}

/** Zones that are read before serials are kept for them. */
const batch = 500
/** Hosts that are remembered beyond those in use, before all are forgotten. */
const spareHosts = 10_000

export function createZones(deps: ZonesDeps): Zones {
  const table = createNameTable<Entry>(deps.seed)
  const zones = new Map<WireName, Zone>()
  const hosts = new Map<WireName, Host>()
  let hostsKept = spareHosts
  let lastHost = 0
  /** Entries whose addresses can be left out, with those of them that are. */
  const healthy = new Map<Entry, string>()
  const down = new Set<IpAddress>()
  const withZonesBelow = new Set<Zone>()
  let replacing: Promise<unknown> = Promise.resolve()

  const world: World = {
    shared: createShared(),
    host(name) {
      let host = hosts.get(name)
      if (!host) {
        host = { id: ++lastHost, version: 0 }
        hosts.set(name, host)
      }
      return host
    },
    addresses(name) {
      const entry = table.get(name)
      if (!entry || entry.isCut) return []
      return entry.sets.filter(isAddressSet).map((set) => world.shown(entry, set))
    },
    shown(entry, set) {
      if (!entry.isHealthy || !isAddressSet(set)) return set
      const up = set.data.filter((data) => !('address' in data && down.has(data.address)))
      // Never the last one: that everything is down may be an error of ours, and senders try again anyway.
      const data = up.length > 0 ? up : set.data
      return { type: set.type, ttlSeconds: Math.min(set.ttlSeconds, deps.healthyTtlSeconds), data }
    },
  }

  function find(bytes: Uint8Array, name: HashedName, type: number): Prepared | undefined {
    const entry = table.find(bytes, name, 0)
    if (entry) {
      if (type === typeCodes.DS) return answerAt(entry.parentSide ?? entry, type)
      return entry.isCut ? referral(entry) : answerAt(entry, type)
    }
    for (let label = 1; label < name.labels; label++) {
      const above = table.find(bytes, name, label)
      if (!above) continue
      if (above.isCut) return referral(above)
      // RFC 4592 §3.3.1: the closest name that exists, and nothing above it.
      return above.wildcard ? answerAt(above.wildcard, type) : negative(above.zone, 'no-such-name')
    }
    return undefined
  }

  function answerAt(entry: Entry, type: number): Prepared {
    const { sets } = entry
    for (let index = 0; index < sets.length; index++) {
      const set = sets[index] as RecordSet
      if (set.type !== type) continue
      if (!isCurrent(set.prepared)) set.prepared = prepareAnswer(entry, type, world)
      return set.prepared
    }
    const { alias } = entry
    if (type === metaTypeCodes.ANY && sets.length > 0) {
      if (alias) return answerAt(entry, typeCodes.CNAME)
      const more = moreOf(entry)
      more.any ??= prepareAny(entry, world)
      return more.any
    }
    return alias && type !== metaTypeCodes.ANY ? answerBehindAlias(entry, type) : negative(entry.zone, 'no-data')
  }

  function answerBehindAlias(entry: Entry, type: number): Prepared {
    const more = moreOf(entry)
    more.typesBehindAlias ??= typesBehindAlias(entry)
    if (!more.typesBehindAlias.has(type)) {
      if (!isCurrent(more.negativeBehindAlias)) more.negativeBehindAlias = prepareAnswer(entry, type, world)
      return more.negativeBehindAlias
    }
    more.behindAlias ??= new Map()
    let prepared = more.behindAlias.get(type)
    if (!isCurrent(prepared)) {
      prepared = prepareAnswer(entry, type, world)
      more.behindAlias.set(type, prepared)
    }
    return prepared
  }

  function referral(cut: Entry): Prepared {
    const more = moreOf(cut)
    if (!isCurrent(more.referral)) more.referral = prepareReferral(cut, world)
    return more.referral
  }

  function negative(zone: Zone, kind: 'no-data' | 'no-such-name'): Prepared {
    const key = kind === 'no-data' ? 'noData' : 'nxDomain'
    zone.negative[key] ??= prepareNegative(zone, kind, world)
    return zone.negative[key]
  }

  async function replace(sources: readonly ZoneSource[]): Promise<Replaced> {
    const origins = new Set<WireName>()
    const rejected: { origin: WireName; why: string }[] = []
    const byLength: ZoneSource[][] = Array.from({ length: maxNameOctets + 1 }, () => [])
    for (const source of sources) {
      await deps.breathe()
      const origin = foldName(source.origin)
      if (origins.has(origin)) rejected.push({ origin, why: 'it is there twice' })
      else byLength[origin.length]?.push(source)
      origins.add(origin)
    }
    // Zones below others first, so that a name never falls between two of them.
    const order = byLength.reverse().flat()
    const changed: Zone[] = []
    let nested = await nestedOf(origins)
    for (let at = 0; at < order.length; at += batch)
      await replaceSome(order.slice(at, at + batch), nested, { changed, rejected })
    const gone: Zone[] = []
    for (const zone of zones.values()) {
      await deps.breathe()
      if (!origins.has(zone.origin)) gone.push(zone)
    }
    if (rejected.length > 0) {
      for (const { origin } of rejected) if (!zones.has(origin)) origins.delete(origin)
      nested = await nestedOf(origins)
    }
    await reshape(order, nested)
    for (const zone of gone) {
      await deps.breathe()
      remove(zone)
    }
    for (const zone of withZonesBelow) linkSides(zone)
    forgetHosts()
    healthChanged()
    // Last, because answers hold addresses of other zones.
    for (const zone of changed) {
      await deps.breathe()
      prepareAll(zone)
    }
    const unchanged = sources.length - changed.length - rejected.length
    return { changed, unchanged, removed: gone.length, rejected }
  }

  /** Reads some sources, and serves those that are other than what is served. Only so many, because what was read is large. */
  async function replaceSome(
    sources: readonly ZoneSource[],
    nested: Nested,
    told: { readonly changed: Zone[]; readonly rejected: { origin: WireName; why: string }[] },
  ): Promise<void> {
    const reads: ReadZone[] = []
    for (const source of sources) {
      await deps.breathe()
      const origin = foldName(source.origin)
      const before = zones.get(origin)
      if (before?.source === source) continue
      const read = readZone(source)
      if (read.kind === 'invalid') told.rejected.push({ origin, why: read.why })
      else if (before?.digest !== read.zone.digest || !isEqual(before.source.healthy, source.healthy))
        reads.push(read.zone)
    }
    if (reads.length === 0) return
    const serials = await deps.serials.next(reads)
    for (const read of reads) {
      await deps.breathe()
      const { origin, soa } = read
      const zone = compileZone(read, serials.get(origin) ?? soa.data.serial, nested.get(origin) ?? noNames)
      apply(zones.get(origin), zone)
      told.changed.push(zone)
    }
  }

  /** Makes zones anew that are the same, but have other zones below them than before. */
  async function reshape(sources: readonly ZoneSource[], nested: Nested): Promise<void> {
    for (const source of sources) {
      await deps.breathe()
      const before = zones.get(foldName(source.origin))
      const below = nested.get(foldName(source.origin)) ?? noNames
      if (!before || isSame(below, before.parentSides)) continue
      const again = readZone(before.source)
      if (again.kind !== 'zone') throw new TypeError('a zone that was valid is not')
      apply(before, compileZone(again.zone, before.soa.data.serial, below))
    }
  }

  /** What has an answer of its own. Of a zone that was replaced meanwhile this is made in vain, and let go with it. */
  function prepareAll(zone: Zone): void {
    for (const entry of zone.entries.values()) {
      if (entry.isCut) referral(entry)
      else for (const { type } of entry.sets) answerAt(entry, type)
    }
  }

  /** By origin, the zones right below it. */
  async function nestedOf(origins: ReadonlySet<WireName>): Promise<Nested> {
    const nested = new Map<WireName, Set<WireName>>()
    for (const origin of origins) {
      await deps.breathe()
      const above = closest(origin, origins)
      if (above === undefined) continue
      const names = nested.get(above) ?? new Set()
      nested.set(above, names.add(origin))
    }
    return nested
  }

  function apply(before: Zone | undefined, zone: Zone): void {
    zones.set(zone.origin, zone)
    if (zone.parentSides.size > 0) withZonesBelow.add(zone)
    for (const entry of zone.entries.values()) {
      table.set(entry)
      touch(entry.name)
      if (entry.isHealthy) healthy.set(entry, '')
    }
    const above = closest(zone.origin, zones)
    zone.apex.parentSide = above === undefined ? undefined : zones.get(above)?.parentSides.get(zone.origin)
    if (before) forget(before, zone)
  }

  function remove(zone: Zone): void {
    zones.delete(zone.origin)
    forget(zone, undefined)
    for (const origin of zone.parentSides.keys()) {
      const below = zones.get(origin)
      if (below) below.apex.parentSide = undefined
    }
  }

  /** Takes away the names that the zone had and that nobody has now. */
  function forget(zone: Zone, now: Zone | undefined): void {
    withZonesBelow.delete(zone)
    for (const entry of zone.entries.values()) {
      healthy.delete(entry)
      if (now?.entries.has(entry.name) || table.get(entry.name) !== entry) continue
      table.delete(entry.name)
      touch(entry.name)
    }
  }

  /** The names of the zones right below say their DS from here. */
  function linkSides(zone: Zone): void {
    for (const [origin, side] of zone.parentSides) {
      const below = zones.get(origin)
      if (below) below.apex.parentSide = side
    }
  }

  /** Answers that have this host's addresses in them are made again when they are asked for. */
  function touch(name: WireName): void {
    const host = hosts.get(name)
    if (host) host.version++
  }

  function forgetHosts(): void {
    if (hosts.size <= hostsKept) return
    for (const host of hosts.values()) host.version++
    hosts.clear()
    hostsKept = spareHosts + table.size
  }

  function healthChanged(): void {
    down.clear()
    for (const [entry, before] of healthy) {
      const addresses = entry.sets.flatMap((set) =>
        set.data.flatMap((data) => ('address' in data ? [data.address] : [])),
      )
      const out = addresses.filter((address) => deps.isDown(address))
      for (const address of out) down.add(address)
      const now = out.join(' ')
      if (now === before) continue
      healthy.set(entry, now)
      touch(entry.name)
    }
  }

  return {
    find,
    hash: table.hash,
    zone: (origin) => zones.get(foldName(origin)),
    replace(sources) {
      const next = replacing.then(() => replace(sources))
      replacing = next.catch(() => undefined)
      return next
    },
    healthChanged,
    get zones() {
      return zones.size
    },
    get names() {
      return table.size
    },
  }
}

type Nested = ReadonlyMap<WireName, ReadonlySet<WireName>>

const noNames: ReadonlySet<WireName> = new Set()

function moreOf(entry: Entry): MoreAnswers {
  entry.more ??= {}
  return entry.more
}

const isAddressSet = (set: RecordSet) => set.type === typeCodes.A || set.type === typeCodes.AAAA

function isCurrent(prepared: Prepared | undefined): prepared is Prepared {
  return prepared !== undefined && (prepared.hosts.length === 0 || prepared.stamp === stampOf(prepared.hosts))
}

/** The closest of these names that lies above this one. */
function closest(name: WireName, names: { has(name: WireName): boolean }): WireName | undefined {
  for (let at = name; at !== rootWireName; ) {
    at = parentOf(at)
    if (names.has(at)) return at
  }
  return undefined
}

function isSame(one: ReadonlySet<WireName>, other: ReadonlyMap<WireName, unknown>): boolean {
  return one.size === other.size && [...one].every((name) => other.has(name))
}

function isEqual(one: readonly WireName[] = [], other: readonly WireName[] = []): boolean {
  return one.map(foldName).sort().join() === other.map(foldName).sort().join()
}
