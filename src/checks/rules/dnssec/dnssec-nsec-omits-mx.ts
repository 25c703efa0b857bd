/**
 * The zone's own denial says that the domain has no MX, while it has. Resolvers that answer out of denials (RFC 8198) then say the same, and
 * the mail goes to the web server or comes back. Page: docs/checks/dnssec-nsec-omits-mx.md
 */
import { typeCodes } from '../../../dns/types.ts'
import { nameFromHost } from '../../../dns/wire-name.ts'
import { denialAt, mostIterations } from '../../dnssec-facts.ts'
import type { Subject, Undecided, Verdict } from '../../finding.ts'
import { plainName, serverSubject, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { answerOf } from '../../server-answers.ts'
import { serverText } from '../../wording.ts'
import { notAskedBy } from '../name-servers/not-asked.ts'
import { noZone } from '../name-servers/zone-rule.ts'

export const dnssecNsecOmitsMx: Rule = {
  id: 'dnssec-nsec-omits-mx',
  title: 'denial says that there is no MX',
  rfc: ['RFC 4035 §2.3', 'RFC 8198 §5'],
  needs: ['dnssec', 'name-servers'],

  examine(facts) {
    const zone = zoneNamed(facts, facts.zone)
    if (!zone) return noZone(facts)
    const domain = nameFromHost(facts.domain)
    return zone.servers.flatMap((server): Verdict[] => {
      if (answerOf(server, domain, 'MX').kind !== 'answer') return []
      // A type that the name has not: the denial lists those that it has.
      const answer = answerOf(server, domain, 'HINFO')
      if (answer.kind === 'not-examined')
        return notAskedBy(
          zone,
          server,
          server.asked.filter(({ type }) => type === 'HINFO'),
        )
      if (answer.kind !== 'no-data') return []
      const denial = denialAt(answer.message.authorities, domain)
      if (denial.kind === 'too-many-iterations') return [notHashed(serverSubject(zone, server), denial.iterations)]
      if (denial.kind === 'none' || denial.data.types.includes(typeCodes.MX)) return []
      return [
        {
          kind: 'fault',
          severity: 'error',
          subject: serverSubject(zone, server),
          seen: `${serverText(server)} has MX records of ${facts.domain}, and its ${denial.data.type} record for that name does not list MX.`,
          why: 'Resolvers may answer out of that record, and say, validated, that there is no MX: senders then go to the address of the domain or give up.',
          remedy: {
            text: `Sign the zone ${plainName(zone.apex)} anew, whole; a part that was signed by hand or by an old signer is out of date.`,
          },
          data: { server: plainName(server.name), address: server.address, types: [...denial.data.types] },
        },
      ]
    })
  },
}

const notHashed = (subject: Subject, iterations: number): Undecided => ({
  kind: 'undecided',
  subject,
  reason: 'budget-spent',
  why: `Its NSEC3 records ask for ${iterations} iterations. More than ${mostIterations} are not hashed here, and validators do not believe them either (RFC 9276 §3.2).`,
})
