/** One exchanger stands in several MX records, which looks like redundancy and is none. Page: docs/checks/mx-target-twice.md */
import { domainSubject, exchangerSubject, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord, zoneName } from '../../wording.ts'

export const mxTargetTwice: Rule = {
  id: 'mx-target-twice',
  title: 'exchanger in several MX records',
  rfc: ['RFC 2181 §5'],
  needs: [],

  examine(facts) {
    if (facts.mx.kind !== 'answer') return undecidedBy(domainSubject(facts), 'MX', facts.mx)
    return facts.exchangers.flatMap((exchanger) => {
      const [best, ...others] = exchanger.preferences
      if (best === undefined || others.length === 0) return []
      const target = zoneName(exchanger.name)
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject: exchangerSubject(exchanger),
          seen: `${plainName(exchanger.name)} stands in the MX set ${exchanger.preferences.length} times, with the preferences ${listed(exchanger.preferences.map(String))}.`,
          why: 'Senders try the same host again before they go to the next, and where it is down that only costs time.',
          remedy: {
            text: `Keep "${mxRecord(facts.domain, best, target)}" and remove ${listed(others.map((preference) => `"${mxRecord(facts.domain, preference, target)}"`))}.`,
          },
          data: { target: plainName(exchanger.name), preferences: [...exchanger.preferences] },
        },
      ]
    })
  },
}
