/**
 * A name server that answers SOA and drops the question for MX: a firewall or a load balancer that knows a few types alone. Page:
 * docs/checks/ns-mx-silent.md
 */
import { nameFromHost } from '../../../dns/wire-name.ts'
import type { Verdict } from '../../finding.ts'
import { directs, plainName, serverSubject } from '../../read-facts.ts'
import { answerOf } from '../../server-answers.ts'
import { serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsMxSilent = zoneRule({
  id: 'ns-mx-silent',
  title: 'name server that drops MX queries',
  rfc: ['RFC 8906 §3.1.2'],

  examineZone(zone, { domain }) {
    const name = nameFromHost(domain)
    return zone.servers.flatMap((server): Verdict[] => {
      // A server that is silent altogether is `ns-silent`.
      if (!('message' in answerOf(server, zone.apex, 'SOA', 'udp'))) return []
      const asked = directs(server, { name, type: 'MX', over: 'udp' })
      const heard = asked.filter(({ outcome }) => outcome.kind !== 'not-examined')
      if (asked.length > 0 && heard.length === 0) return notAskedBy(zone, server, asked)
      if (heard.length === 0 || heard.some(({ outcome }) => outcome.kind !== 'silence')) return []
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject: serverSubject(zone, server),
          seen: `${serverText(server)} answers SOA ${plainName(zone.apex)} over UDP, and gives no answer to MX ${domain}.`,
          why: 'Senders wait for it before they ask another server; with all servers like this no mail arrives.',
          remedy: {
            text: `Something in front of ${plainName(server.name)} drops queries by their type: let its firewall or load balancer pass all types.`,
          },
          data: { server: plainName(server.name), address: server.address },
        },
      ]
    })
  },
})
