/**
 * The zones of exchangers that are in another hand than the domain: everything that is asked of the domain's own name servers is asked of
 * theirs. Page: docs/checks/exchanger-zone-faulty.md
 */
import { sameName } from '../../../dns/wire-name.ts'
import type { Facts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { plainName } from '../../read-facts.ts'
import type { Part, Rule } from '../../rule.ts'
import { listed } from '../../wording.ts'
import { withoutZone, type ZoneRule } from './zone-rule.ts'

/** @param rules  those of one zone's name servers */
export function createExchangerZoneFaulty(rules: readonly ZoneRule[]): Rule {
  return {
    id: 'exchanger-zone-faulty',
    title: 'name servers of an exchanger’s zone',
    rfc: ['RFC 5321 §5.1'],
    needs: [...new Set<Part>(rules.flatMap(({ needs }) => needs))],

    examine(facts) {
      const foreign = facts.zones.filter(({ apex }) => facts.zone === undefined || !sameName(apex, facts.zone))
      return [...foreign.flatMap((zone) => ofZone(zone, facts, rules)), ...withoutZone(facts)]
    },
  }
}

function ofZone(zone: ZoneFacts, facts: Facts, rules: readonly ZoneRule[]): Verdict[] {
  const hosts = facts.exchangers.filter((one) => one.zone !== undefined && sameName(one.zone, zone.apex))
  const of = hosts.length > 0 ? ` (zone of ${listed(hosts.map(({ name }) => plainName(name)))})` : ''
  const gaps = new Set<string>()
  return rules.flatMap((rule) =>
    rule.examineZone(zone, facts).flatMap((verdict): Verdict[] => {
      if (verdict.kind === 'undecided') {
        // What could not be asked is missing to each of the rules, and told once.
        if (gaps.has(verdict.why)) return []
        gaps.add(verdict.why)
        return [verdict]
      }
      const { remedy } = verdict
      return [
        {
          rfc: rule.rfc,
          ...verdict,
          seen: `${verdict.seen.replace(/\.$/, '')}${of}.`,
          why: `To find the exchanger, senders ask these servers too. ${verdict.why}`,
          remedy: { ...remedy, text: `Tell who runs the zone ${plainName(zone.apex)}: ${remedy.text}` },
          data: { ...verdict.data, check: rule.id, zone: plainName(zone.apex) },
        },
      ]
    }),
  )
}
