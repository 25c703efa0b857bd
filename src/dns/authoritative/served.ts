/**
 * What is served at this moment: zones by origin, and their names in one table. A zone is put in or taken out in one go, between two questions.
 * Used by `zones.ts`; when which zone comes or goes, `replace-zones.ts` knows.
 */
import { parentOf, rootWireName, type WireName } from '../wire-name.ts'
import { createNameTable, type NameTable } from './name-table.ts'
import type { Entry, Zone } from './zone.ts'

export interface Served {
  readonly table: NameTable<Entry>
  /** By origin, folded. */
  readonly zones: ReadonlyMap<WireName, Zone>
  /** In the place of the one of its origin, if there is one. */
  put(zone: Zone): void
  remove(zone: Zone): void
  /** Has zones that lie below others say their DS from there. */
  linkSides(): void
}

/** Told of each name whose records are others now, or that comes or goes. */
export interface ServedWatch {
  readonly came: (entry: Entry) => void
  readonly went: (entry: Entry) => void
  readonly touch: (name: WireName) => void
}

/** @param seed  see `NameTable` */
export function createServed(seed: number, watch: ServedWatch): Served {
  const table = createNameTable<Entry>(seed)
  const zones = new Map<WireName, Zone>()
  const withZonesBelow = new Set<Zone>()

  /** Takes away the names that the zone had and that nobody has now. */
  function forget(zone: Zone, now: Zone | undefined): void {
    withZonesBelow.delete(zone)
    for (const entry of zone.entries.values()) {
      watch.went(entry)
      if (now?.entries.has(entry.name) || table.get(entry.name) !== entry) continue
      table.delete(entry.name)
      watch.touch(entry.name)
    }
  }

  return {
    table,
    zones,

    put(zone) {
      const before = zones.get(zone.origin)
      zones.set(zone.origin, zone)
      if (zone.parentSides.size > 0) withZonesBelow.add(zone)
      for (const entry of zone.entries.values()) {
        table.set(entry)
        watch.touch(entry.name)
        watch.came(entry)
      }
      const above = closest(zone.origin, zones)
      zone.apex.parentSide = above === undefined ? undefined : zones.get(above)?.parentSides.get(zone.origin)
      if (before) forget(before, zone)
    },

    remove(zone) {
      zones.delete(zone.origin)
      forget(zone, undefined)
      for (const origin of zone.parentSides.keys()) {
        const below = zones.get(origin)
        if (below) below.apex.parentSide = undefined
      }
    },

    linkSides() {
      for (const zone of withZonesBelow)
        for (const [origin, side] of zone.parentSides) {
          const below = zones.get(origin)
          if (below) below.apex.parentSide = side
        }
    },
  }
}

/** The closest of these names that lies above this one. */
export function closest(name: WireName, names: { has(name: WireName): boolean }): WireName | undefined {
  for (let at = name; at !== rootWireName; ) {
    at = parentOf(at)
    if (names.has(at)) return at
  }
  return undefined
}
