/**
 * The zones on which the mail depends: that of the domain, and those of exchangers that are elsewhere. Found while the sessions with the
 * exchangers are still going on. Called by `collector.ts`.
 */
import type { HostName } from '../../dns/name.ts'
import { foldName, hostFromName, nameFromHost, sameName, type WireName } from '../../dns/wire-name.ts'
import { judgeTarget } from '../../routing/target.ts'
import type { NotExamined, ZoneFacts } from '../facts.ts'
import type { Part } from '../rule.ts'
import { mostExchangers, type Target } from './exchangers.ts'
import { type Inquiry, notExamined } from './inquiry.ts'
import type { Located, Tree } from './tree.ts'
import { collectZone } from './zone.ts'

export interface ZonesWork {
  readonly domain: WireName
  /** Where the domain is. */
  readonly located: Located
  readonly targets: readonly Target[]
  readonly parts: ReadonlySet<Part>
  /** See `ZoneWork`. */
  readonly foreign: WireName
}

export interface Zones {
  readonly zones: readonly ZoneFacts[]
  /** Where the addresses of a target are; undefined where it was not looked for. */
  placeOf(target: WireName): Located | undefined
}

/** Zones that are looked at; each costs some twenty questions. */
const mostZones = 4

export async function collectZones(work: ZonesWork, tree: Tree, inquiry: Inquiry): Promise<Zones> {
  const places = await Promise.all(
    work.targets.slice(0, mostExchangers).map(async (target) => placesOf(target, tree, inquiry)),
  )
  const byApex = new Map<string, { readonly located: Located; readonly hosts: Set<HostName> }>()
  const { located } = work
  if (located.apex) byApex.set(foldName(located.apex), { located, hosts: new Set() })
  for (const { host, place } of places.flat()) {
    if (!place.apex) continue
    const known = byApex.get(foldName(place.apex)) ?? { located: place, hosts: new Set() }
    known.hosts.add(host)
    byApex.set(foldName(place.apex), known)
  }
  const zones = await Promise.all(
    [...byApex.values()].slice(0, mostZones).flatMap(({ located: { apex, delegation }, hosts }) => {
      if (!apex) return []
      const domain = located.apex && sameName(apex, located.apex) ? work.domain : undefined
      const serves = [...(domain ? [domain] : []), ...[...hosts].map(nameFromHost)]
      const { parts, foreign } = work
      return [collectZone(apex, delegation, { domain, hosts: [...hosts], serves, parts, foreign }, inquiry)]
    }),
  )
  return {
    zones,
    placeOf(target) {
      const index = work.targets.findIndex(({ name }) => sameName(name, target))
      return places[index]?.at(-1)?.place
    },
  }
}

/** The target's own name, and where it is an alias the end of it. */
async function placesOf({ name }: Target, tree: Tree, inquiry: Inquiry) {
  const judged = judgeTarget(name, inquiry.options.isPrivate)
  if (judged.kind !== 'host') return []
  const wire = nameFromHost(judged.host)
  const views = await Promise.all([inquiry.view(wire, 'A'), inquiry.view(wire, 'AAAA')])
  const ends = views.flatMap((view) => (view.kind === 'answer' ? (hostFromName(view.canonicalName) ?? []) : []))
  const hosts = [...new Set([judged.host, ...ends])]
  return Promise.all(hosts.map(async (host) => ({ host, place: await tree.locateHost(nameFromHost(host), inquiry) })))
}

/** Why a zone was not found; undefined where it was. @param whose  `the domain`, a host's name */
export function zoneUnknownOf({ apex, delegation }: Located, whose: string): NotExamined | undefined {
  if (apex) return undefined
  if (delegation.kind === 'not-examined') {
    const why = `The zone of ${whose} was not looked for to its end, so its name servers were not asked: ${delegation.why}`
    return notExamined(delegation.reason, why)
  }
  const more = delegation.kind === 'failed' ? `: ${delegation.why}` : ''
  return notExamined(
    'depends-on-failed',
    `The zone of ${whose} was not found, so its name servers were not asked${more}.`,
  )
}
