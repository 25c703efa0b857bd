/**
 * An exchanger's address stands on a list of senders, of those that were asked for. A list that does not know its own test entries tells
 * nothing, and 127.255.255.x is the operator's refusal and no listing. Page: docs/checks/address-blocklisted.md
 */
import type { BlocklistFacts, ExchangerAddress, ExchangerFacts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { addressSubject, everyAddress, isAbsent, plainName, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed } from '../../wording.ts'

export const addressBlocklisted: Rule = {
  id: 'address-blocklisted',
  title: 'address on a blocklist',
  rfc: ['RFC 5782 §2.1', 'RFC 5782 §5'],
  needs: ['blocklists'],

  examine: (facts) =>
    everyAddress(facts).flatMap(({ exchanger, at }) =>
      // Asked for alone where somebody named lists.
      'kind' in at.blocklists ? [] : at.blocklists.flatMap((list) => ofList(exchanger, at, list)),
    ),
}

function ofList(exchanger: ExchangerFacts, at: ExchangerAddress, list: BlocklistFacts): Verdict[] {
  const subject = addressSubject(exchanger, at.address)
  const codes = recordsOf(list.address).map(({ data }) => data.address as string)
  const all = [...codes, ...recordsOf(list.mustBeListed).map(({ data }) => data.address as string)]
  if (all.some((code) => code.startsWith('127.255.255.'))) {
    const why = `${list.zone} refuses to answer our resolver (127.255.255.x): such lists want a resolver of your own.`
    return [{ kind: 'undecided', subject, reason: 'rate-limited', why }]
  }
  // RFC 5782 §5: how a list is known to work.
  if (list.mustBeListed.kind !== 'answer' || !isAbsent(list.mustNotBeListed)) {
    const gaps = undecidedBy(subject, 'the test entry', list.mustBeListed, list.mustNotBeListed)
    const why = `${list.zone} is no working list: it must have 127.0.0.2 and must not have 127.0.0.1.`
    return gaps.length > 0 ? gaps : [{ kind: 'undecided', subject, reason: 'depends-on-failed', why }]
  }
  if (codes.length === 0) return undecidedBy(subject, 'the entry', list.address)
  // RFC 5782 §2.1: an entry is in 127/8; another address is a page for those who mistype.
  if (!codes.every((code) => code.startsWith('127.'))) {
    const why = `${list.zone} answers with ${listed(codes, 3)}, which is no entry of a list.`
    return [{ kind: 'undecided', subject, reason: 'depends-on-failed', why }]
  }
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `${at.address} of ${plainName(exchanger.name)} stands on the list ${list.zone} (${listed(codes, 4)}).`,
      why: 'Receivers that use the list refuse mail that comes from this address. Mail that comes to it is not touched.',
      remedy: {
        text: `Look on the pages of ${list.zone} why it is listed, end the cause (mostly a machine that sends spam), and ask for removal.`,
      },
      data: { exchanger: plainName(exchanger.name), address: at.address, list: list.zone, codes },
    },
  ]
}
