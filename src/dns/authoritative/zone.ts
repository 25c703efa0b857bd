/**
 * A zone as it is served: its records sorted by name and type, with the names that exist without records, the cuts below which others
 * answer, and the wildcards. Made from typed records by `compileZone`; `replace-zones.ts` calls it whenever a zone changes.
 * RFC 1034 §4.2, RFC 2181, RFC 4592, RFC 8020.
 */
import { hash } from 'node:crypto'
import { type Rdata, rdataCode, type Soa, writeRdata } from '../rdata.ts'
import { typeCodes } from '../types.ts'
import { foldName, isAtOrBelow, nameText, parentOf, type WireName } from '../wire-name.ts'
import { Writer } from '../writer.ts'
import type { Prepared } from './prepared.ts'

/** One record of a zone; the class is IN. */
export interface ZoneRecord {
  readonly name: WireName
  /** 0 to 2^31 − 1. */
  readonly ttlSeconds: number
  readonly data: Rdata
}

/** A zone as its owner declares it. */
export interface ZoneSource {
  readonly origin: WireName
  /** All of them, in any order, exactly one SOA among them: its serial is the least that is served, see `serials.ts`. */
  readonly records: readonly ZoneRecord[]
  /** Hosts of this zone whose addresses are left out while they are known to be down. */
  readonly healthy?: readonly WireName[]
}

/** The records of one name and type. */
export interface RecordSet {
  readonly type: number
  readonly ttlSeconds: number
  readonly data: readonly Rdata[]
  /** The answer to exactly this question; made again when it is asked for and no longer right. */
  prepared: Prepared | undefined
}

/** A name that exists. Names at and below a cut exist only as `cut`. */
export interface Entry {
  /** Folded. */
  readonly name: WireName
  readonly zone: Zone
  /** None where the name exists only because names below it do (RFC 4592 §2.2.2). */
  readonly sets: readonly RecordSet[]
  readonly isCut: boolean
  /** Whether addresses that are down are left out. */
  readonly isHealthy: boolean
  /** The alias, if it is one: then it has no other data (RFC 1034 §3.6.2). */
  readonly alias: RecordSet | undefined
  /** `*` right below this name (RFC 4592 §3.3.1). */
  wildcard: Entry | undefined
  /** At the apex: the name in the zone above, where that is served here too: it has the DS (RFC 4035 §3.1.4.1). */
  parentSide: Entry | undefined
  /** Answers that belong to the name and to no set of it, once they were asked for. */
  more: MoreAnswers | undefined
}

export interface MoreAnswers {
  any?: Prepared
  referral?: Prepared
  /** What follows the alias, by the type asked for; one for all types that its target has not. */
  behindAlias?: Map<number, Prepared>
  negativeBehindAlias?: Prepared
  typesBehindAlias?: ReadonlySet<number>
}

export interface Zone {
  readonly source: ZoneSource
  /** Folded. */
  readonly origin: WireName
  /** What its records are, see `ReadZone`. */
  readonly digest: string
  readonly soa: ZoneRecord & { readonly data: Soa }
  readonly apex: Entry
  /** By folded name. */
  readonly entries: ReadonlyMap<WireName, Entry>
  /** Addresses at and below cuts, by folded name: served with referrals alone. */
  readonly glue: ReadonlyMap<WireName, readonly RecordSet[]>
  /** What this zone says at the origins of zones below it that are served here too. */
  readonly parentSides: ReadonlyMap<WireName, Entry>
  negative: { nxDomain?: Prepared; noData?: Prepared }
}

/** The records of a source, put in order. */
export interface ReadZone {
  readonly source: ZoneSource
  /** Folded. */
  readonly origin: WireName
  readonly soa: ZoneRecord & { readonly data: Soa }
  readonly byName: ReadonlyMap<WireName, ByType>
  /** Equal where the records are, whatever their order and the serial. */
  readonly digest: string
}

export type Read =
  | { readonly kind: 'zone'; readonly zone: ReadZone }
  /** Words of ours, with names as printable text. */
  | { readonly kind: 'invalid'; readonly why: string }

type Building = { -readonly [Key in keyof Zone]: Zone[Key] }

/** A set larger than this would not fit into any message beside the question, aliases and an SOA. */
const maxSetBytes = 55_000

/** Reads what was declared, and says what is wrong with it. */
export function readZone(source: ZoneSource): Read {
  const origin = foldName(source.origin)
  const grouped = group(source, origin)
  if (typeof grouped === 'string') return { kind: 'invalid', why: grouped }
  const { byName, soa } = grouped
  const why = findProblem(byName, origin)
  if (why !== undefined) return { kind: 'invalid', why }
  return { kind: 'zone', zone: { source, origin, soa, byName, digest: digestOf(byName) } }
}

/** @param nested  the folded origins of zones below this one that are served here: what this zone has there is not answered from */
export function compileZone(read: ReadZone, serial: number, nested: ReadonlySet<WireName>): Zone {
  const { source, origin, byName, digest } = read
  const soa = { ...read.soa, data: { ...read.soa.data, serial } }
  const entries = new Map<WireName, Entry>()
  const glue = new Map<WireName, readonly RecordSet[]>()
  const parentSides = new Map<WireName, Entry>()
  // Entries know their zone, so it is there first; its apex follows below.
  const apex = undefined as unknown as Entry
  const zone: Building = { source, origin, digest, soa, apex, entries, glue, parentSides, negative: {} }
  const healthy = new Set((source.healthy ?? []).map(foldName))
  const add = (name: WireName, sets: readonly RecordSet[], into: Map<WireName, Entry>): void => {
    const isCut = name !== origin && sets.some((set) => set.type === typeCodes.NS)
    const alias = sets.find((set) => set.type === typeCodes.CNAME)
    const isHealthy = healthy.has(name)
    const later = { wildcard: undefined, parentSide: undefined, more: undefined }
    into.set(name, { name, zone, sets, isCut, isHealthy, alias, ...later })
  }
  const cuts = cutsOf(byName, origin, nested)
  for (const [name, types] of byName) {
    const sets = setsOf(types, name === origin ? soa : undefined)
    const cut = cutAbove(name, origin, cuts)
    if (cut === undefined || (cut === name && !nested.has(name))) add(name, sets, entries)
    else if (cut === name) add(name, sets, parentSides)
    const addresses = sets.filter(({ type }) => type === typeCodes.A || type === typeCodes.AAAA)
    if (cut !== undefined && addresses.length > 0) glue.set(name, addresses)
  }
  for (const name of nested) if (!parentSides.has(name)) add(name, [], parentSides)
  addEmptyNames(origin, [...entries.keys(), ...parentSides.keys()], (name) => {
    if (!entries.has(name) && cutAbove(name, origin, cuts) === undefined) add(name, [], entries)
  })
  for (const entry of entries.values()) {
    const above = isWildcard(entry.name) ? entries.get(parentOf(entry.name)) : undefined
    if (above) above.wildcard = entry
  }
  // Most zones have none, and there may be very many zones.
  if (glue.size === 0) zone.glue = noSets
  if (parentSides.size === 0) zone.parentSides = noSides
  zone.apex = entries.get(origin) as Entry
  return zone
}

const noSets: Zone['glue'] = new Map()
const noSides: Zone['parentSides'] = new Map()

const isWildcard = (name: WireName) => name.startsWith('\x01*')

export type ByType = Map<number, ReadSet>

export interface ReadSet {
  ttlSeconds: number
  /** By octets, so that none is there twice. */
  readonly data: Map<string, Rdata>
  /** Whose each of them is, in the letter case in which it was declared. */
  readonly names: WireName[]
}

/** @returns the records by name and type without doubles, or what is wrong with them */
function group(
  source: ZoneSource,
  origin: WireName,
): { byName: Map<WireName, ByType>; soa: ZoneRecord & { readonly data: Soa } } | string {
  const byName = new Map<WireName, ByType>()
  let soa: (ZoneRecord & { readonly data: Soa }) | undefined
  for (const record of source.records) {
    const name = foldName(record.name)
    if (!isAtOrBelow(name, origin)) return `${nameText(record.name)} lies outside of the zone`
    if (record.data.type === 'SOA') {
      if (soa || name !== origin) return 'there is more than one SOA, or one that is not at the top'
      soa = { ...record, data: record.data }
    }
    const code = rdataCode(record.data)
    // RFC 6895 §3.1: 128–255 are for questions, and so are 0 and OPT; none of them is data.
    if (code === 0 || code === 41 || (code >= 128 && code <= 255)) return `${code} is no type of data`
    const types: ByType = byName.get(name) ?? new Map()
    byName.set(name, types)
    const set: ReadSet = types.get(code) ?? { ttlSeconds: record.ttlSeconds, data: new Map(), names: [] }
    // RFC 2181 §5.2: one set has one TTL.
    set.ttlSeconds = Math.min(set.ttlSeconds, record.ttlSeconds)
    // The serial is not part of what a zone says.
    const data = record.data.type === 'SOA' ? { ...record.data, serial: 0 } : record.data
    const octets = octetsOf(data)
    if (!set.data.has(octets)) set.names.push(record.name)
    set.data.set(octets, data)
    types.set(code, set)
  }
  return soa ? { byName, soa } : 'it has no SOA'
}

function digestOf(byName: ReadonlyMap<WireName, ByType>): string {
  const lines: string[] = []
  for (const [name, types] of byName) {
    for (const [type, { ttlSeconds, data }] of types) {
      // A name says itself where it ends.
      for (const octets of data.keys()) lines.push(`${name}${type} ${ttlSeconds} ${octets.length} ${octets}`)
    }
  }
  return hash('sha256', lines.sort().join('\n'), 'base64url')
}

/** What makes two records the same: RFC 2181 §5, and names in them compare without case. */
function octetsOf(data: Rdata): string {
  const writer = new Writer()
  writeRdata(writer, data)
  const octets = writer.done().toString('latin1')
  return hasNames.has(data.type) ? foldName(octets as WireName) : octets
}

const hasNames: ReadonlySet<string> = new Set(['NS', 'CNAME', 'PTR', 'DNAME', 'MX', 'SRV'])

function findProblem(byName: ReadonlyMap<WireName, ByType>, origin: WireName): string | undefined {
  if (!byName.get(origin)?.has(typeCodes.NS)) return 'it has no NS at the top'
  for (const [name, types] of byName) {
    const alias = types.get(typeCodes.CNAME)
    if (alias && (types.size > 1 || alias.data.size > 1)) return `${nameText(name)} has other data beside a CNAME`
    // RFC 4592 §4.2: what a cut at a wildcard would mean is not defined.
    if (isWildcard(name) && types.has(typeCodes.NS)) return `${nameText(name)} has an NS at a wildcard`
    if (types.has(typeCodes.DNAME)) return `${nameText(name)} has a DNAME, which is not served`
    for (const set of types.values()) {
      let bytes = 0
      for (const octets of set.data.keys()) bytes += 12 + octets.length
      if (bytes > maxSetBytes) return `${nameText(name)} has a set of records larger than any message`
    }
  }
  return undefined
}

function setsOf(types: ByType, soa: ZoneRecord | undefined): RecordSet[] {
  return Array.from(types, ([type, { ttlSeconds, data }]) => ({
    ...{ type, ttlSeconds, prepared: undefined },
    data: type === typeCodes.SOA && soa ? [soa.data] : [...data.values()],
  }))
}

function cutsOf(
  byName: ReadonlyMap<WireName, ByType>,
  origin: WireName,
  nested: ReadonlySet<WireName>,
): ReadonlySet<WireName> {
  const cuts = new Set(nested)
  for (const [name, types] of byName) if (name !== origin && types.has(typeCodes.NS)) cuts.add(name)
  return cuts
}

/** The highest cut at or above the name, within the zone. */
function cutAbove(name: WireName, origin: WireName, cuts: ReadonlySet<WireName>): WireName | undefined {
  if (cuts.size === 0) return undefined
  let found: WireName | undefined
  for (let at = name; at !== origin; at = parentOf(at)) if (cuts.has(at)) found = at
  return found
}

/** RFC 4592 §2.2.2: a name exists when one below it does. */
function addEmptyNames(origin: WireName, names: readonly WireName[], add: (name: WireName) => void): void {
  for (const name of names) {
    for (let at = name; at !== origin; ) {
      at = parentOf(at)
      add(at)
    }
  }
}
