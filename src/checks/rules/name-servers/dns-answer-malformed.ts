/** A name server whose answer cannot be read, or answers something else. Page: docs/checks/dns-answer-malformed.md */
import type { ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { plainName, serverSubject } from '../../read-facts.ts'
import { readDirect } from '../../server-answers.ts'
import { counted, listed, serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const dnsAnswerMalformed = zoneRule({
  id: 'dns-answer-malformed',
  title: 'name server with answers that cannot be read',
  rfc: ['RFC 1035 §4'],

  examineZone(zone) {
    const broken = zone.servers.map((server) => ({ server, what: malformedOf(server) }))
    const isAll = broken.length > 0 && broken.every(({ what }) => what.length > 0)
    return broken.flatMap(({ server, what }) => ofServer(zone, server, what, isAll))
  },
})

function ofServer(zone: ZoneFacts, server: ServerFacts, what: readonly string[], isAll: boolean): Verdict[] {
  if (what.length === 0) {
    const isHeard = server.asked.some(({ outcome }) => outcome.kind !== 'not-examined')
    return isHeard ? [] : notAskedBy(zone, server, server.asked)
  }
  return [
    {
      kind: 'fault',
      severity: isAll ? 'error' : 'warning',
      subject: serverSubject(zone, server),
      seen: `${counted(what.length, 'answer')} of ${serverText(server)} cannot be read: ${listed(what, 3)}.`,
      why: isAll
        ? 'Every name server of the zone answers so; resolvers throw such answers away, and the domain cannot be found.'
        : 'Resolvers throw such an answer away and ask another server, after a wait.',
      remedy: {
        text: `Update the server software of ${plainName(server.name)}, or whatever in front of it changes its packets.`,
      },
      data: { server: plainName(server.name), address: server.address, what: [...what] },
    },
  ]
}

function malformedOf(server: ServerFacts): readonly string[] {
  return server.asked.flatMap((direct) => {
    const answer = readDirect(direct)
    return answer.kind === 'malformed'
      ? [`${direct.type} ${plainName(direct.name)} over ${direct.over.toUpperCase()}: ${answer.why}`]
      : []
  })
}
