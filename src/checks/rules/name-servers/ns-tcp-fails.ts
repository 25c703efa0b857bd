/** A name server that does not answer over TCP, which answers that do not fit into one packet need. Page: docs/checks/ns-tcp-fails.md */
import type { ServerFacts, ZoneFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { directs, plainName, serverSubject } from '../../read-facts.ts'
import { isHeard } from '../../server-answers.ts'
import { serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsTcpFails = zoneRule({
  id: 'ns-tcp-fails',
  title: 'name server without TCP',
  rfc: ['RFC 7766 §5', 'RFC 9210 §3'],

  // One that is silent over UDP too is `ns-silent`.
  examineZone: (zone) => zone.servers.filter(isHeard).flatMap((server) => ofServer(zone, server)),
})

function ofServer(zone: ZoneFacts, server: ServerFacts): Verdict[] {
  const asked = directs(server, { over: 'tcp' })
  const tried = asked.filter(({ outcome }) => outcome.kind !== 'not-examined')
  if (tried.length === 0) return notAskedBy(zone, server, asked)
  if (tried.some(({ outcome }) => outcome.kind === 'response' || outcome.kind === 'malformed')) return []
  if (tried.every(({ edns }) => edns) && !isHeardWithEdns(server)) {
    const why = `${serverText(server)} answers no question with EDNS, and over TCP it was asked no other.`
    return [{ kind: 'undecided', subject: serverSubject(zone, server), reason: 'no-answer', why }]
  }
  const cut = directs(server, { over: 'udp' }).find(
    ({ outcome }) => outcome.kind === 'response' && outcome.message.truncated,
  )
  const how = tried.some(({ outcome }) => outcome.kind === 'unreachable') ? 'refuses connections' : 'gives no answer'
  return [
    {
      kind: 'fault',
      severity: cut ? 'error' : 'warning',
      subject: serverSubject(zone, server),
      seen: `${serverText(server)} ${how} over TCP port 53.${cut ? ` Its answer to ${cut.type} ${plainName(cut.name)} over UDP is cut off (TC), so that TCP is needed.` : ''}`,
      why: cut
        ? 'Resolvers cannot get the whole answer from this server.'
        : 'Answers that grow, with DNSSEC or more records, do not fit into one packet and are lost with this server; some resolvers ask over TCP alone.',
      remedy: {
        text: `Open TCP port 53 of ${server.address} in the firewall, and let ${plainName(server.name)} listen on it.`,
      },
      data: { server: plainName(server.name), address: server.address, truncated: cut !== undefined },
    },
  ]
}

/** Else it is `ns-edns-breaks`. */
const isHeardWithEdns = (server: ServerFacts): boolean =>
  server.asked.some(({ over, edns, outcome }) => over === 'udp' && edns && outcome.kind === 'response')
