/** An NS record that names an alias, which resolvers need not follow. Page: docs/checks/ns-name-is-alias.md */
import type { Verdict } from '../../finding.ts'
import { plainName } from '../../read-facts.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { zoneName } from '../../wording.ts'
import { zoneRule } from './zone-rule.ts'

export const nsNameIsAlias = zoneRule({
  id: 'ns-name-is-alias',
  title: 'NS record names an alias',
  rfc: ['RFC 2181 §10.3'],

  examineZone: (zone) =>
    zone.nameServers.flatMap(({ name, a, aaaa }): Verdict[] => {
      const subject = {
        kind: 'name-server',
        zone: plainName(zone.apex),
        name: plainName(name),
        address: undefined,
      } as const
      const aliased = [a, aaaa].find((view) => view.kind !== 'not-examined' && view.aliases.length > 0)
      if (!aliased || aliased.kind === 'not-examined') {
        const isKnown = a.kind !== 'failed' || aaaa.kind !== 'failed'
        return isKnown && a.kind !== 'not-examined' ? [] : undecidedBy(subject, 'the address', a, aaaa)
      }
      const end = aliased.aliases.at(-1) ?? name
      return [
        {
          kind: 'fault',
          severity: 'error',
          subject,
          seen: `The NS record of ${plainName(zone.apex)} names ${plainName(name)}, which is an alias of ${plainName(end)}.`,
          why: 'Resolvers expect an address there. Many pass the server over, so that it is as good as not there; with all servers like this the domain cannot be found.',
          remedy: {
            text: `Name ${plainName(end)} itself in the NS record and at the registrar, or give ${plainName(name)} its addresses in place of the CNAME.`,
            records: [`${zoneName(zone.apex)} IN NS ${zoneName(end)}`],
          },
          data: { server: plainName(name), end: plainName(end) },
        },
      ]
    }),
})
