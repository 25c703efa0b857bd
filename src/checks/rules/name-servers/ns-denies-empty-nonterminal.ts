/**
 * A name server that answers NXDOMAIN for a name that has others below it. Resolvers that ask step by step stop there and never find the TLSA
 * or DKIM record below. Page: docs/checks/ns-denies-empty-nonterminal.md
 */
import { nameFromHost, parentOf, sameName, type WireName } from '../../../dns/wire-name.ts'
import type { Facts, ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { domainSubject, plainName, serverSubject } from '../../read-facts.ts'
import { answerOf } from '../../server-answers.ts'
import { listed, serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsDeniesEmptyNonterminal = zoneRule({
  id: 'ns-denies-empty-nonterminal',
  title: 'name server that denies names with others below them',
  rfc: ['RFC 8020 §2', 'RFC 8020 §3.1', 'RFC 4592 §2.2.2'],
  needs: ['name-servers', 'tlsa', 'senders'],
  examineZone: (zone, facts) => [...zone.servers.flatMap((server) => ofServer(zone, server)), ...ofDkim(zone, facts)],
})

function ofServer(zone: ZoneFacts, server: ServerFacts): Verdict[] {
  const parents = namesBelow(zone).map(parentOf)
  const denied = parents.filter((parent) => answerOf(server, parent, 'TXT').kind === 'no-such-name')
  if (denied.length === 0) {
    const asked = server.asked.filter(
      ({ name, type }) => type === 'TXT' && parents.some((parent) => sameName(parent, name)),
    )
    return notAskedBy(zone, server, asked)
  }
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject: serverSubject(zone, server),
      seen: `${serverText(server)} says that ${listed(denied.map(plainName))} ${denied.length > 1 ? 'do' : 'does'} not exist (NXDOMAIN), although TLSA records stand below.`,
      why: 'NXDOMAIN says that nothing is below a name either. Resolvers that ask label by label stop there: to them the TLSA record does not exist.',
      remedy: {
        text: `Update the server software of ${plainName(server.name)}; or let each such name exist by a record of its own.`,
        records: denied.map((name) => `${plainName(name)}. IN TXT "exists"`),
      },
      data: { server: plainName(server.name), address: server.address, denied: denied.map(plainName) },
    },
  ]
}

/** `_25._tcp.host` of which some server of the zone has records. */
function namesBelow(zone: ZoneFacts): readonly WireName[] {
  const names: WireName[] = []
  for (const server of zone.servers)
    for (const { name, type } of server.asked)
      if (
        type === 'TLSA' &&
        !names.some((one) => sameName(one, name)) &&
        answerOf(server, name, 'TLSA').kind === 'answer'
      )
        names.push(name)
  return names
}

/** The resolver's view: `_domainkey` does not exist, and a selector below it does. */
function ofDkim(zone: ZoneFacts, facts: Facts): Verdict[] {
  const { parent, selectors } = facts.dkim
  if ('kind' in selectors || parent.kind !== 'no-such-name') return []
  if (!zone.serves.some((name) => sameName(name, nameFromHost(facts.domain)))) return []
  const below = selectors.find(({ txt }) => txt.kind === 'answer')
  if (!below) return []
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject: domainSubject(facts),
      seen: `The name _domainkey.${facts.domain} does not exist (NXDOMAIN), although a DKIM key stands below it.`,
      why: 'Resolvers that ask label by label stop there: to them the key does not exist, and signatures fail.',
      remedy: {
        text: 'Update the software of the name servers; or let the name exist by a record of its own.',
        records: [`_domainkey.${facts.domain}. IN TXT "exists"`],
      },
      data: { denied: [`_domainkey.${facts.domain}`] },
    },
  ]
}
