/**
 * All mail depends on one machine: one address a family in all. One name may stand for many addresses, so addresses are counted.
 * Page: docs/checks/single-exchanger.md
 */
import { domainSubject, isNullMx, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { mxRecord } from '../../wording.ts'
import { distinctAddresses, isOneMachine, unknownIn } from './same-place.ts'

export const singleExchanger: Rule = {
  id: 'single-exchanger',
  title: 'all mail depends on one machine',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine(facts) {
    const subject = domainSubject(facts)
    const [first] = facts.exchangers
    if (!first || isNullMx(facts)) return []
    const addresses = distinctAddresses(facts)
    if (!isOneMachine(addresses)) return []
    const unknown = unknownIn(facts)
    if (unknown) {
      const why = `The addresses of ${plainName(unknown.name)} could not all be looked up, and there may be more.`
      return [{ kind: 'undecided', subject, reason: 'lookup-failed', why }]
    }
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject,
        seen: `All exchangers of ${facts.domain} together have the address${addresses.length > 1 ? 'es' : ''} ${addresses.join(' and ')}.`,
        why: 'While that machine or its network is down, every sender waits; after some days they give up and the mail comes back.',
        remedy: {
          text: 'Add a second exchanger on another machine, best in another network, that knows the same recipients.',
          records: [mxRecord(facts.domain, (first.preferences[0] ?? 0) + 10, `mx2.${facts.domain}`)],
        },
        data: { addresses },
      },
    ]
  },
}
