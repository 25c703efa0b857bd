/**
 * A name server that the delegation names and that does not know the zone: it refuses, fails, refers elsewhere, or passes on what others say
 * (a lame server). Page: docs/checks/ns-not-authoritative.md
 */
import { rcodeName, rcodes } from '../../../dns/types.ts'
import { nameFromHost } from '../../../dns/wire-name.ts'
import type { ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { plainName, serverSubject } from '../../read-facts.ts'
import { answerOf, isEdnsRefusal, type ServerAnswer } from '../../server-answers.ts'
import { serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsNotAuthoritative = zoneRule({
  id: 'ns-not-authoritative',
  title: 'name server that does not know the zone',
  rfc: ['RFC 1912 §2.8', 'RFC 8906 §3.1.1'],

  examineZone(zone, facts) {
    const domain = nameFromHost(facts.domain)
    const isOwn = zone.serves.some((name) => name === domain)
    const lameOf = (server: ServerFacts) => {
      const soa = lameHow(answerOf(server, zone.apex, 'SOA', 'udp'), `SOA ${plainName(zone.apex)}`)
      return soa ?? (isOwn ? lameHow(answerOf(server, domain, 'MX', 'udp'), `MX ${facts.domain}`) : undefined)
    }
    const lame = zone.servers.map((server) => ({ server, how: lameOf(server) }))
    const isAll = lame.length > 0 && lame.every(({ how }) => how)
    return lame.flatMap(({ server, how }) => (how ? [fault(zone, server, how, isAll)] : notAskedAll(zone, server)))
  },
})

function notAskedAll(zone: ZoneFacts, server: ServerFacts): Verdict[] {
  const isHeard = server.asked.some(({ outcome }) => outcome.kind !== 'not-examined')
  return isHeard ? [] : notAskedBy(zone, server, server.asked)
}

function fault(zone: ZoneFacts, server: ServerFacts, how: string, isAll: boolean): Verdict {
  const apex = plainName(zone.apex)
  return {
    kind: 'fault',
    severity: isAll ? 'error' : 'warning',
    subject: serverSubject(zone, server),
    seen: `${serverText(server)} ${how}.`,
    why: isAll
      ? 'No name server of the zone answers for it, so no sender finds where the mail goes.'
      : 'Resolvers lose time with it, and one server less is left when another fails.',
    remedy: {
      text: `Set the zone ${apex} up on ${plainName(server.name)} (as a secondary: allow it to transfer the zone, and look whether its copy has expired), or take it out of the NS set and of the delegation.`,
    },
    data: { server: plainName(server.name), address: server.address, how },
  }
}

/** Continues "ns1 …". */
function lameHow(answer: ServerAnswer, question: string): string | undefined {
  if (!('message' in answer)) return undefined
  const { message, direct } = answer
  // It has no EDNS, and nothing came of asking without: `ns-edns-breaks`.
  if (isEdnsRefusal(direct)) return undefined
  if (message.rcode !== rcodes.noError && message.rcode !== rcodes.nxDomain)
    return `answers ${rcodeName(message.rcode)} to ${question}`
  if (message.authoritative) return undefined
  if (message.answers.length > 0) return `answers ${question} from hearsay (the AA bit is clear)`
  return message.authorities.some(({ data }) => data.type === 'NS')
    ? `answers ${question} with a referral to other servers`
    : `answers ${question} without the AA bit`
}
