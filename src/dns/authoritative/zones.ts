/**
 * The zones that are served, and the way from a question to its prepared answer: the table of contents of this. Used by the answerer, transfers,
 * and `authority.ts`.
 *
 * what is served now (`served.ts`) ← put in and taken out zone by zone (`replace-zones.ts`)
 * a question → its answer (`find-answer.ts`), with the addresses of hosts (`hosts.ts`), those of gateways that are down left out (`left-out.ts`)
 */
import type { IpAddress } from '../../base/ip.ts'
import { foldName, type WireName } from '../wire-name.ts'
import { createAnswerFinder } from './find-answer.ts'
import { createHosts } from './hosts.ts'
import { createLeftOut, isAddressSet } from './left-out.ts'
import type { HashedName } from './name-table.ts'
import type { World } from './prepare.ts'
import type { Prepared } from './prepared.ts'
import { type Replaced, replaceZones } from './replace-zones.ts'
import type { Serials } from './serials.ts'
import { createServed } from './served.ts'
import { createShared } from './shared-answers.ts'
import type { Zone, ZoneSource } from './zone.ts'

export interface Zones {
  /** The answer to a question, or undefined where no zone has the name. @param name  read by `hash` */
  find(bytes: Uint8Array, name: HashedName, type: number): Prepared | undefined
  /** Reads and hashes the name of a question, see `NameTable`. */
  hash(bytes: Uint8Array, at: number, into: HashedName): boolean
  /** The zone with exactly this origin. @param origin  in any case */
  zone(origin: WireName): Zone | undefined
  /** Makes these the zones that are served, see `replaceZones`. */
  replace(sources: readonly ZoneSource[]): Promise<Replaced>
  /** Looks anew at which addresses are down. */
  healthChanged(): void
  readonly zones: number
  readonly names: number
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

export function createZones({ seed, serials, isDown, healthyTtlSeconds, breathe }: ZonesDeps): Zones {
  const hosts = createHosts()
  const leftOut = createLeftOut({ isDown, healthyTtlSeconds, touch: hosts.touch })
  const served = createServed(seed, {
    came(entry) {
      if (entry.isHealthy) leftOut.add(entry)
    },
    went: leftOut.remove,
    touch: hosts.touch,
  })
  const { table } = served
  const world: World = {
    shared: createShared(),
    host: hosts.host,
    addresses(name) {
      const entry = table.get(name)
      if (!entry || entry.isCut) return []
      return entry.sets.filter(isAddressSet).map((set) => leftOut.shown(entry, set))
    },
    shown: leftOut.shown,
  }
  const finder = createAnswerFinder(table, world)
  let replacing: Promise<unknown> = Promise.resolve()

  async function replace(sources: readonly ZoneSource[]): Promise<Replaced> {
    const replaced = await replaceZones(sources, { served, serials, breathe })
    hosts.forgetUnused(table.size)
    leftOut.changed()
    // Last, because answers hold addresses of other zones.
    for (const zone of replaced.changed) {
      await breathe()
      finder.prepareAll(zone)
    }
    return replaced
  }

  return {
    find: finder.find,
    hash: table.hash,
    zone: (origin) => served.zones.get(foldName(origin)),
    replace(sources) {
      const next = replacing.then(() => replace(sources))
      replacing = next.catch(() => undefined)
      return next
    },
    healthChanged: leftOut.changed,
    get zones() {
      return served.zones.size
    },
    get names() {
      return table.size
    },
  }
}
