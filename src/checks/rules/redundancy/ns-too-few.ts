/** A zone with one name server, or with all of them in one network. Page: docs/checks/ns-too-few.md */
import { networkKey } from '../../../base/ip.ts'
import type { ZoneFacts } from '../../facts.ts'
import type { Severity, Verdict } from '../../finding.ts'
import { plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { counted, listed, zoneName } from '../../wording.ts'
import { ofEveryZone } from '../name-servers/zone-rule.ts'
import { isOneMachine, isOnePlace } from './same-place.ts'

export const nsTooFew: Rule = {
  id: 'ns-too-few',
  title: 'too few name servers',
  rfc: ['RFC 1034 §4.1', 'RFC 1912 §2.8', 'RFC 2182 §3.1', 'RFC 2182 §5'],
  needs: ['name-servers'],
  examine: (facts) => ofEveryZone(facts, ofZone),
}

function ofZone(zone: ZoneFacts): Verdict[] {
  const { nameServers, servers, apex } = zone
  const subject = { kind: 'zone', name: plainName(apex) } as const
  const addresses = [...new Set(servers.map(({ address }) => address))]
  if (nameServers.length === 0) {
    const why = `It was not found out which name servers the zone ${plainName(apex)} has.`
    return [{ kind: 'undecided', subject, reason: 'lookup-failed', why }]
  }
  const isOne = nameServers.length === 1 || isOneMachine(addresses)
  if (!isOne && !isOnePlace(addresses)) return []
  // Addresses of names that could not be looked up may be elsewhere.
  const gaps = nameServers.flatMap(({ a, aaaa }) => undecidedBy(subject, 'the address', a, aaaa)).slice(0, 1)
  if (nameServers.length > 1 && (gaps.length > 0 || addresses.length === 0)) return gaps
  const networks = [...new Set(addresses.map(networkKey))]
  const severity: Severity = isOne ? 'warning' : 'notice'
  const where = addresses.length > 0 ? ` (${listed(addresses)})` : ''
  return [
    {
      kind: 'fault',
      severity,
      subject,
      seen: isOne
        ? `The zone ${plainName(apex)} has ${counted(nameServers.length, 'name server')} on one machine${where}.`
        : `All name servers of the zone ${plainName(apex)} are in ${listed(networks)}.`,
      why: isOne
        ? 'While that machine is down nobody finds where the mail goes: all of it waits, whatever the exchangers do.'
        : 'One fault of a line or a router takes all of them away, and all mail waits. An anycast address is many machines; then it is fine.',
      remedy: {
        text: 'Add a name server in another network (many DNS hosts offer a secondary), to the zone and to the delegation.',
        records: [`${zoneName(apex)} IN NS <name server in another network>`],
      },
      data: { zone: plainName(apex), nameServers: nameServers.map(({ name }) => plainName(name)), addresses },
    },
  ]
}
