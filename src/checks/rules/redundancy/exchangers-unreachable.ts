/**
 * Addresses that take no connection on port 25, and a first choice that never does. Our own block and a missing family are ruled out first.
 * Pages: docs/checks/exchanger-unreachable.md, docs/checks/first-choice-never-answers.md
 */
import type { ExchangerAddress, ExchangerFacts, Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { bestOf } from '../../mail-share.ts'
import { isDead, isExchangerDead, type Reachability, reachabilityOf } from '../../reachability.ts'
import { addressSubject, domainSubject, everyAddress, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { counted, listed, mxRecord } from '../../wording.ts'

export const exchangerUnreachable: Rule = {
  id: 'exchanger-unreachable',
  title: 'exchanger that takes no connections',
  rfc: ['RFC 5321 §5.1'],
  needs: ['smtp'],

  examine(facts) {
    const states = everyAddress(facts).map((one) => ({ ...one, state: reachabilityOf(one.at, facts) }))
    const isAll = states.length > 0 && states.every(({ state }) => isDead(state))
    // A first choice that never answers while a later one does is told whole, by the other rule.
    const isNolisting = hasDeadFirstChoice(facts)
    const first = bestOf(facts.exchangers)
    return states.flatMap(({ exchanger, at, state }): Verdict[] => {
      if (isDead(state))
        return isNolisting && first.includes(exchanger) ? [] : [fault(exchanger, at, state, isAll, facts)]
      if (state.kind !== 'unknown' || state.reason === 'not-applicable') return []
      return [
        { kind: 'undecided', subject: addressSubject(exchanger, at.address), reason: state.reason, why: state.why },
      ]
    })
  },
}

export const firstChoiceNeverAnswers: Rule = {
  id: 'first-choice-never-answers',
  title: 'first choice takes no connections',
  rfc: ['RFC 5321 §5.1'],
  needs: ['smtp'],

  examine(facts) {
    if (!hasDeadFirstChoice(facts)) return []
    const first = bestOf(facts.exchangers)
    const names = first.map(({ name }) => plainName(name))
    const preference = first[0]?.preferences[0] ?? 0
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject: domainSubject(facts),
        seen: `${listed(names)}, of the best preference (${preference}), take${first.length > 1 ? '' : 's'} no connection on port 25 at any address; a later exchanger does.`,
        why: 'Every sender tries it first, and waits until it has failed: often minutes a message. Some do this on purpose against spam ("nolisting"); it delays wanted mail, and a few senders never try the next.',
        remedy: {
          text: 'Start the mail server there and open port 25; or, if it is gone or was put there on purpose, remove its record.',
          records: first.map(
            ({ name, preferences }) => `; remove: ${mxRecord(facts.domain, preferences[0] ?? 0, plainName(name))}`,
          ),
        },
        data: { exchangers: names, preference },
      },
    ]
  },
}

function hasDeadFirstChoice(facts: Facts): boolean {
  const first = bestOf(facts.exchangers)
  const later = facts.exchangers.filter((one) => !first.includes(one))
  const answers = ({ addresses }: ExchangerFacts) =>
    addresses.some((at) => reachabilityOf(at, facts).kind === 'answers')
  return first.length > 0 && first.every((one) => isExchangerDead(one, facts)) && later.some(answers)
}

function fault(
  exchanger: ExchangerFacts,
  { address }: ExchangerAddress,
  state: Reachability,
  isAll: boolean,
  facts: Facts,
): Verdict {
  const port = facts.examination.smtpPort
  const isRefused = state.kind === 'refused'
  const detail = 'detail' in state && state.detail !== '' ? ` (${state.detail})` : ''
  const tries = 'tries' in state ? counted(state.tries, 'try', 'tries') : ''
  return {
    kind: 'fault',
    severity: isAll ? 'error' : 'warning',
    subject: addressSubject(exchanger, address),
    seen: isRefused
      ? `${plainName(exchanger.name)} (${address}) refuses connections on port ${port}${detail}, in ${tries}.`
      : `${plainName(exchanger.name)} (${address}) does not answer on port ${port}${detail}, in ${tries}.`,
    why: isAll
      ? 'No exchanger of the domain takes mail. Senders wait, and after some days the mail comes back.'
      : isRefused
        ? 'Senders go on to another address at once; when that fails too, the mail waits.'
        : 'Senders wait here until they give the address up, mostly 30 seconds and more, before they try another; when that fails too, the mail waits.',
    remedy: {
      text: isRefused
        ? `Start the mail server on ${address}, and let it listen on that address; or remove the address from ${plainName(exchanger.name)}.`
        : `Open TCP port ${port} to ${address} in every firewall on the way (hosting companies often close it), and see that the machine runs; or remove the address from ${plainName(exchanger.name)}.`,
    },
    data: { exchanger: plainName(exchanger.name), address, port, how: state.kind },
  }
}
