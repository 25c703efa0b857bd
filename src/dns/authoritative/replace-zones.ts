/**
 * Makes other zones the ones that are served, one by one while questions are being answered: what did not change is left alone, and the work is done
 * in slices. Used by `zones.ts`, one call at a time.
 *
 * zones below others come first → read, and compared with what is served → serials → put in → zones with others below them made anew → those that
 *   are gone taken out
 */
import { foldName, maxNameOctets, type WireName } from '../wire-name.ts'
import type { Serials } from './serials.ts'
import { closest, type Served } from './served.ts'
import { compileZone, type ReadZone, readZone, type Zone, type ZoneSource } from './zone.ts'

export interface Replaced {
  /** Those that are new or other than before, as they are served now. */
  readonly changed: readonly Zone[]
  readonly unchanged: number
  readonly removed: number
  /** What was wrong; where a zone was served before, it still is. */
  readonly rejected: readonly { readonly origin: WireName; readonly why: string }[]
}

export interface ReplaceDeps {
  readonly served: Served
  readonly serials: Serials
  /** Lets others work when enough was done at a stretch. */
  readonly breathe: () => Promise<void> | undefined
}

/** By origin, the zones right below it. */
type Nested = ReadonlyMap<WireName, ReadonlySet<WireName>>

interface Told {
  readonly changed: Zone[]
  readonly rejected: { readonly origin: WireName; readonly why: string }[]
}

/** Zones that are read before serials are kept for them: what was read is large. */
const batch = 500

/** Rejects when serials cannot be kept; then the zones of that batch and of those behind it are as they were. */
export async function replaceZones(sources: readonly ZoneSource[], deps: ReplaceDeps): Promise<Replaced> {
  const { served, breathe } = deps
  const { order, origins, rejected } = await inOrder(sources, deps)
  const told: Told = { changed: [], rejected }
  let nested = await nestedOf(origins, deps)
  for (let at = 0; at < order.length; at += batch) await replaceSome(order.slice(at, at + batch), nested, told, deps)
  const gone: Zone[] = []
  for (const zone of served.zones.values()) {
    await breathe()
    if (!origins.has(zone.origin)) gone.push(zone)
  }
  if (rejected.length > 0) {
    for (const { origin } of rejected) if (!served.zones.has(origin)) origins.delete(origin)
    nested = await nestedOf(origins, deps)
  }
  await reshape(order, nested, deps)
  for (const zone of gone) {
    await breathe()
    served.remove(zone)
  }
  served.linkSides()
  const unchanged = sources.length - told.changed.length - rejected.length
  return { changed: told.changed, unchanged, removed: gone.length, rejected }
}

/** Zones below others first, so that a name never falls between two of them. */
async function inOrder(sources: readonly ZoneSource[], { breathe }: ReplaceDeps) {
  const origins = new Set<WireName>()
  const rejected: Told['rejected'] = []
  const byLength: ZoneSource[][] = Array.from({ length: maxNameOctets + 1 }, () => [])
  for (const source of sources) {
    await breathe()
    const origin = foldName(source.origin)
    if (origins.has(origin)) rejected.push({ origin, why: 'it is there twice' })
    else byLength[origin.length]?.push(source)
    origins.add(origin)
  }
  return { order: byLength.reverse().flat(), origins, rejected }
}

/** Reads some sources, and serves those that are other than what is served. */
async function replaceSome(
  sources: readonly ZoneSource[],
  nested: Nested,
  told: Told,
  { served, serials, breathe }: ReplaceDeps,
): Promise<void> {
  const reads: ReadZone[] = []
  for (const source of sources) {
    await breathe()
    const origin = foldName(source.origin)
    const before = served.zones.get(origin)
    if (before?.source === source) continue
    const read = readZone(source)
    if (read.kind === 'invalid') told.rejected.push({ origin, why: read.why })
    else if (before?.digest !== read.zone.digest || !isEqual(before.source.healthy, source.healthy))
      reads.push(read.zone)
  }
  if (reads.length === 0) return
  const kept = await serials.next(reads)
  for (const read of reads) {
    await breathe()
    const { origin, soa } = read
    const zone = compileZone(read, kept.get(origin) ?? soa.data.serial, nested.get(origin) ?? noNames)
    served.put(zone)
    told.changed.push(zone)
  }
}

/** Makes zones anew that are the same, but have other zones below them than before. */
async function reshape(
  sources: readonly ZoneSource[],
  nested: Nested,
  { served, breathe }: ReplaceDeps,
): Promise<void> {
  for (const source of sources) {
    await breathe()
    const before = served.zones.get(foldName(source.origin))
    const below = nested.get(foldName(source.origin)) ?? noNames
    if (!before || isSame(below, before.parentSides)) continue
    const again = readZone(before.source)
    if (again.kind !== 'zone') throw new TypeError('a zone that was valid is not')
    served.put(compileZone(again.zone, before.soa.data.serial, below))
  }
}

async function nestedOf(origins: ReadonlySet<WireName>, { breathe }: ReplaceDeps): Promise<Nested> {
  const nested = new Map<WireName, Set<WireName>>()
  for (const origin of origins) {
    await breathe()
    const above = closest(origin, origins)
    if (above === undefined) continue
    const names = nested.get(above) ?? new Set()
    nested.set(above, names.add(origin))
  }
  return nested
}

const noNames: ReadonlySet<WireName> = new Set()

function isSame(one: ReadonlySet<WireName>, other: ReadonlyMap<WireName, unknown>): boolean {
  return one.size === other.size && [...one].every((name) => other.has(name))
}

function isEqual(one: readonly WireName[] = [], other: readonly WireName[] = []): boolean {
  return one.map(foldName).sort().join() === other.map(foldName).sort().join()
}
