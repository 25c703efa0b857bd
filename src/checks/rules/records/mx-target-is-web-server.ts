/**
 * An exchanger has the addresses of the website and takes no mail there: the record names the web server by accident. One machine for both is
 * nothing bad, so it is told only where port 25 is closed. Page: docs/checks/mx-target-is-web-server.md
 */
import type { ExchangerFacts, Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { isDead, reachabilityOf } from '../../reachability.ts'
import { exchangerSubject, plainName, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { listed, mxRecord } from '../../wording.ts'

export const mxTargetIsWebServer: Rule = {
  id: 'mx-target-is-web-server',
  title: 'MX target seems to be the web server',
  rfc: ['RFC 5321 §5.1'],
  needs: ['smtp'],

  examine(facts) {
    const own = [...recordsOf(facts.a), ...recordsOf(facts.aaaa)].map(({ data }) => data.address)
    return facts.exchangers
      .filter(({ isImplicit }) => !isImplicit)
      .flatMap((exchanger) => ofExchanger(exchanger, own, facts))
  },
}

function ofExchanger(exchanger: ExchangerFacts, own: readonly string[], facts: Facts): Verdict[] {
  const addresses = exchanger.addresses.map(({ address }) => address)
  if (addresses.length === 0 || !addresses.every((address) => own.includes(address))) return []
  const subject = exchangerSubject(exchanger)
  const states = exchanger.addresses.map((at) => reachabilityOf(at, facts))
  if (states.some(({ kind }) => kind === 'answers')) return []
  const unknown = states.find((state) => state.kind === 'unknown')
  if (unknown?.kind === 'unknown')
    return unknown.reason === 'not-applicable'
      ? []
      : [{ kind: 'undecided', subject, reason: unknown.reason, why: unknown.why }]
  const isOnly = facts.exchangers.length === 1
  return states.every(isDead)
    ? [
        {
          kind: 'fault',
          severity: isOnly ? 'error' : 'warning',
          subject,
          seen: `The exchanger ${plainName(exchanger.name)} has the address${addresses.length > 1 ? 'es' : ''} of ${facts.domain} itself (${listed(addresses)}), and nothing answers on port 25 there.`,
          why: 'That looks like the web server: mail is sent where nobody takes it.',
          remedy: {
            text: `Let the MX record name the mail server; or, if ${plainName(exchanger.name)} is to take the mail, start the mail server there and open port 25.`,
            records: [mxRecord(facts.domain, exchanger.preferences[0] ?? 10, `mx1.${facts.domain}`)],
          },
          data: { target: plainName(exchanger.name), addresses },
        },
      ]
    : []
}
