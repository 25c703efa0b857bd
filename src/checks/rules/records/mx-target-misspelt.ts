/**
 * A target that is nearly the host of a known provider, or has the zone's own name behind it because a final dot is missing (RFC 1035 §5.1).
 * A likeness is no proof, so it is worded as a question. Page: docs/checks/mx-target-misspelt.md
 */
import { type HostName, withoutDoubledOrigin } from '../../../dns/name.ts'
import { nearestTypo } from '../../../records/catalogue/nearest-typo.ts'
import type { Facts } from '../../facts.ts'
import type { Fault } from '../../finding.ts'
import { domainSubject, exchangerSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { mxRecord } from '../../wording.ts'

/** Each is compared with every host of the catalogue; nobody tries more of them anyway. */
const mostCompared = 50

export const mxTargetMisspelt: Rule = {
  id: 'mx-target-misspelt',
  title: 'MX target looks like a typing error',
  rfc: ['RFC 1035 §5.1', 'RFC 5321 §5.1'],
  needs: [],

  examine(facts) {
    if (facts.mx.kind === 'failed' || facts.mx.kind === 'not-examined')
      return undecidedBy(domainSubject(facts), 'MX', facts.mx)
    return facts.exchangers.slice(0, mostCompared).flatMap((exchanger): Fault[] => {
      const { host, isImplicit, preferences, a, aaaa } = exchanger
      const meant = host && !isImplicit ? meantBy(host, facts) : undefined
      if (!host || !meant) return []
      const isFound = a.kind === 'answer' || aaaa.kind === 'answer'
      return [
        {
          kind: 'fault',
          severity: isFound || facts.exchangers.length > 1 ? 'warning' : 'error',
          subject: exchangerSubject(exchanger),
          seen: `The MX target is ${host}${isFound ? ', which has an address' : ''}. Is ${meant.host}${meant.of} meant?${meant.isDotMissing ? ' The name of the zone seems to have been added to it, because the final dot is missing.' : ''}`,
          why: isFound
            ? 'If it is a typing error, somebody else receives the mail.'
            : 'Senders find no such host, and the mail does not arrive there.',
          remedy: {
            text: 'Correct the record if it is a typing error.',
            records: [mxRecord(facts.domain, preferences[0] ?? 10, meant.host)],
          },
          data: { target: host, meant: meant.host },
        },
      ]
    })
  },
}

interface Meant {
  readonly host: HostName
  /** ` of …`, or nothing. */
  readonly of: string
  readonly isDotMissing: boolean
}

function meantBy(host: HostName, { domain }: Facts): Meant | undefined {
  const typo = nearestTypo(host)
  if (typo) return { host: typo.meant, of: ` of ${typo.provider.name}`, isDotMissing: typo.how === 'missing-final-dot' }
  const undoubled = withoutDoubledOrigin(host, domain)
  return undoubled && { host: undoubled, of: '', isDotMissing: true }
}
