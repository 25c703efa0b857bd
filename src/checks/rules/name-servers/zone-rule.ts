/**
 * Rules of name servers look at one zone: that of the domain. The same questions are put to the zones of exchangers by
 * `exchanger-zone-faulty`, because another hand mends those.
 */
import type { Facts, ZoneFacts } from '../../facts.ts'
import { type Undecided, undecided, type Verdict } from '../../finding.ts'
import { domainSubject, exchangerSubject, whyNoZone, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'

export interface ZoneRule extends Rule {
  examineZone(zone: ZoneFacts, facts: Facts): readonly Verdict[]
}

export function zoneRule(words: Omit<ZoneRule, 'examine' | 'needs'> & Partial<Pick<Rule, 'needs'>>): ZoneRule {
  return {
    needs: ['name-servers'],
    ...words,
    examine(facts) {
      const zone = zoneNamed(facts, facts.zone)
      return zone ? words.examineZone(zone, facts) : noZone(facts)
    },
  }
}

/** What is said where the zone of the domain was not found. A domain that does not exist has none. */
export function noZone(facts: Facts): Undecided[] {
  if (facts.mx.kind === 'no-such-name') return []
  const why = 'The zone of the domain was not found, so its name servers were not asked.'
  const unknown = { kind: 'not-examined', reason: 'depends-on-failed', why } as const
  return [undecided(domainSubject(facts), facts.zoneUnknown ?? unknown)]
}

/** Exchangers whose zones were not found. */
export function withoutZone(facts: Facts): Undecided[] {
  return facts.exchangers
    .filter(({ host, zone, isImplicit }) => host && !zone && !isImplicit)
    .map((exchanger) => undecided(exchangerSubject(exchanger), whyNoZone(exchanger)))
}

/** For rules that look at the zones of the domain and of its exchangers alike: a zone that was not found has not been looked at. */
export function ofEveryZone(facts: Facts, examineZone: (zone: ZoneFacts) => readonly Verdict[]): readonly Verdict[] {
  return [...facts.zones.flatMap(examineZone), ...missingZone(facts)]
}

/** Told once, of the domain or of the first exchanger; none where all were found. */
export const missingZone = (facts: Facts): Undecided[] =>
  [...(zoneNamed(facts, facts.zone) ? [] : noZone(facts)), ...withoutZone(facts)].slice(0, 1)
