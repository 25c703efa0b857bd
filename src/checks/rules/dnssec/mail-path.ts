/** The names that the mail depends on, as the resolver sees them, and the zone of each. Pure; called by the rules of DNSSEC. */

import type { RecordType } from '../../../dns/types.ts'
import { isAtOrBelow, labelsOf, nameFromHost, type WireName } from '../../../dns/wire-name.ts'
import type { Facts, NamedView, View } from '../../facts.ts'
import { canBeBogus, isBogus } from './bogus-view.ts'

/** MX, the addresses and TLSA of exchangers, and where the policies are found. */
export function mailPath(facts: Facts): readonly NamedView[] {
  const domain = nameFromHost(facts.domain)
  const named = (name: WireName, type: RecordType, view: View): NamedView => ({ name, type, view })
  const nameOf = (view: View, otherwise: WireName) => (view.kind === 'not-examined' ? otherwise : view.name)
  return [
    named(domain, 'MX', facts.mx),
    named(domain, 'A', facts.a),
    named(domain, 'AAAA', facts.aaaa),
    ...facts.exchangers
      .filter(({ isImplicit }) => !isImplicit)
      .flatMap(({ name, a, aaaa }) => [named(name, 'A', a), named(name, 'AAAA', aaaa)]),
    ...facts.exchangers.flatMap(({ tlsa }) =>
      'kind' in tlsa ? [] : tlsa.map(({ base, view }) => named(nameOf(view, base), 'TLSA', view)),
    ),
    ...(
      [
        ['TXT', facts.mtaSts.txt],
        ['A', facts.mtaSts.a],
        ['AAAA', facts.mtaSts.aaaa],
        ['TXT', facts.tlsRpt.txt],
      ] as const
    ).map(([type, view]) => named(nameOf(view, domain), type, view)),
  ]
}

/**
 * Those of the look-ups whose validation failed, by zone; `unsure` are those in which it cannot, or may not, have been that.
 * @param concerns  which of them are meant
 */
export function bogusByZone(facts: Facts, concerns: (view: View) => boolean) {
  const failing = mailPath(facts).filter(({ view }) => isBogus(view) && concerns(view))
  const sure = new Map<WireName, readonly NamedView[]>()
  const unsure: NamedView[] = []
  for (const [apex, views] of byZone(failing, facts)) {
    const zone = facts.zones.find((one) => one.apex === apex)
    const certain = views.filter(({ view }) => canBeBogus(view, zone, facts))
    if (certain.length > 0) sure.set(apex, certain)
    unsure.push(...views.filter((one) => !certain.includes(one)))
  }
  return { sure: sure as ReadonlyMap<WireName, readonly NamedView[]>, unsure }
}

/** By the nearest zone that is known; what is in none stands for itself. */
function byZone(views: readonly NamedView[], { zones }: Facts): ReadonlyMap<WireName, readonly NamedView[]> {
  const groups = new Map<WireName, NamedView[]>()
  for (const one of views) {
    const above = zones.map(({ apex }) => apex).filter((apex) => isAtOrBelow(one.name, apex))
    const nearest = above.sort((first, second) => labelsOf(second).length - labelsOf(first).length)[0] ?? one.name
    groups.set(nearest, [...(groups.get(nearest) ?? []), one])
  }
  return groups
}
