/** An authoritative server that looks names of others up for strangers: attackers use it as an amplifier. Page: docs/checks/ns-open-recursor.md */
import { whyNotPublic } from '../../../base/ip.ts'
import { rcodes } from '../../../dns/types.ts'
import type { DirectOutcome } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { directs, plainName, serverSubject } from '../../read-facts.ts'
import { serverText } from '../../wording.ts'
import { notAskedBy } from './not-asked.ts'
import { zoneRule } from './zone-rule.ts'

export const nsOpenRecursor = zoneRule({
  id: 'ns-open-recursor',
  title: 'name server that recurses for strangers',
  rfc: ['RFC 5358 §4'],

  examineZone: (zone) =>
    zone.servers.flatMap((server): Verdict[] => {
      const asked = directs(server, { recursion: true })
      const open = asked.find(({ outcome }) => isRecursed(outcome))
      if (!open) return notAskedBy(zone, server, asked)
      // At such an address nobody is a stranger: we are one of those whom it may serve.
      const near = whyNotPublic(server.address)
      return [
        {
          kind: 'fault',
          severity: near === undefined ? 'warning' : 'notice',
          subject: serverSubject(zone, server),
          seen: `${serverText(server)} looked ${plainName(open.name)} up for us, a name of somebody else.${near === undefined ? '' : ` The address is ${near}, so that we are no stranger: whether it does so for strangers is not known.`}`,
          why: 'Attackers send it questions in the name of their victims; then it is overloaded, or blocked, and your own domain cannot be looked up. Its cache can be poisoned by anybody.',
          remedy: {
            text: `Turn recursion off on ${plainName(server.name)}, or allow it for your own networks alone.`,
            settings: [
              'BIND: recursion no;',
              'PowerDNS: use the recursor on another address',
              'Knot DNS, NSD: never recurse',
            ],
          },
          data: { server: plainName(server.name), address: server.address },
        },
      ]
    }),
})

/** That recursion is available (RA) alone is no sign: it must have been done. */
function isRecursed(outcome: DirectOutcome): boolean {
  if (outcome.kind !== 'response' || !outcome.message.recursionAvailable) return false
  const { rcode, answers, authorities } = outcome.message
  if (rcode === rcodes.nxDomain) return true
  return rcode === rcodes.noError && (answers.length > 0 || authorities.some(({ data }) => data.type === 'SOA'))
}
