/**
 * The MX look-up fails, and nobody knows where the mail goes. Failed validation is told by `dnssec-bogus`, and a resolver that does not work
 * for us is no fault of the domain. Page: docs/checks/domain-lookup-fails.md
 */
import type { FailureReason } from '../../../dns/read-answer.ts'
import { nameFromHost } from '../../../dns/wire-name.ts'
import type { Facts, FailedView } from '../../facts.ts'
import { directs, domainSubject, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { isAuthoritative, readDirect } from '../../server-answers.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { serverText } from '../../wording.ts'
import { isBogus } from '../dnssec/bogus-view.ts'

export const domainLookupFails: Rule = {
  id: 'domain-lookup-fails',
  title: 'MX look-up fails',
  rfc: ['RFC 5321 §5.1', 'RFC 6840 §5.9'],
  needs: [],

  examine(facts) {
    const { mx, domain } = facts
    const subject = domainSubject(facts)
    if (mx.kind !== 'failed' || isOurs(mx)) return undecidedBy(subject, 'MX', mx)
    if (isBogus(mx)) return []
    const server = answeringServer(facts)
    if (server !== undefined && mx.reason !== 'malformed' && mx.reason !== 'cname-loop') {
      const why = `The resolver said ${words[mx.reason]} to MX ${domain}, and ${server} answers it: that is a fault of the resolver, or of a moment, such as a rate limit.`
      return [{ kind: 'undecided', subject, reason: 'lookup-failed', why }]
    }
    const isBroken =
      mx.unchecked === 'failed' ? ' Without validation (CD) it fails as well, so the servers are broken.' : ''
    return [
      {
        kind: 'fault',
        severity: 'error',
        subject,
        seen: `The look-up of MX ${domain} fails (${words[mx.reason]}): ${mx.why}.${isBroken}`,
        why: 'No sender finds out where the mail goes. They keep it and try again, and after some days they give up.',
        remedy: {
          text: `See that the name servers of ${domain} run, that they keep the zone, and that the delegation at the registrar names them; what each of them answers is told by the checks of name servers.`,
        },
        data: { domain, reason: mx.reason, unchecked: mx.unchecked },
      },
    ]
  },
}

/** A server of the zone that answers the question itself, where they were asked. */
function answeringServer(facts: Facts): string | undefined {
  const zone = zoneNamed(facts, facts.zone)
  const question = { name: nameFromHost(facts.domain), type: 'MX', over: 'udp' } as const
  const server = zone?.servers.find((one) =>
    directs(one, question).some((direct) => {
      const answer = readDirect(direct)
      return (
        (answer.kind === 'answer' || answer.kind === 'no-data' || answer.kind === 'no-such-name') &&
        isAuthoritative(answer)
      )
    }),
  )
  return server && serverText(server)
}

/** Nothing was heard of the domain at all. */
const isOurs = ({ reason }: FailedView) => reason === 'unreachable' || reason === 'refused'

const words: Readonly<Record<FailureReason, string>> = {
  timeout: 'no answer in time',
  unreachable: 'not reachable',
  servfail: 'SERVFAIL',
  refused: 'REFUSED',
  malformed: 'an answer that cannot be read',
  'error-code': 'an error code',
  'cname-loop': 'aliases without end',
}
