/**
 * The MX look-up fails, and nobody knows where the mail goes. Failed validation is told by `dnssec-bogus`, and a resolver that does not work
 * for us is no fault of the domain. Page: docs/checks/domain-lookup-fails.md
 */
import type { FailureReason } from '../../../dns/read-answer.ts'
import type { FailedView } from '../../facts.ts'
import { domainSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
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
