/**
 * Exchangers that senders with IPv4 alone, or with IPv6 alone, cannot reach.
 * Pages: docs/checks/exchangers-no-ipv4.md, docs/checks/exchangers-no-ipv6.md
 */
import { isIpv6 } from '../../../base/ip.ts'
import type { Facts } from '../../facts.ts'
import type { Fault, Verdict } from '../../finding.ts'
import { domainSubject, everyAddress, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { zoneName } from '../../wording.ts'

export const exchangersNoIpv4: Rule = {
  id: 'exchangers-no-ipv4',
  title: 'no exchanger with IPv4',
  rfc: ['RFC 5321 §5.2', 'RFC 3974 §4'],
  needs: [],
  examine: (facts) =>
    missing(facts, 'IPv4', {
      severity: 'error',
      seen: `No exchanger of ${facts.domain} has an IPv4 address (A record).`,
      why: 'Senders without IPv6 cannot deliver, and there are many of them. Their mail comes back after some days.',
    }),
}

export const exchangersNoIpv6: Rule = {
  id: 'exchangers-no-ipv6',
  title: 'no exchanger with IPv6',
  rfc: ['RFC 5321 §5.2'],
  needs: [],
  examine: (facts) =>
    missing(facts, 'IPv6', {
      severity: 'notice',
      seen: `No exchanger of ${facts.domain} has an IPv6 address (AAAA record).`,
      why: 'Nearly all senders have IPv4 as well, so nothing is lost today.',
    }),
}

function missing(facts: Facts, family: 'IPv4' | 'IPv6', words: Pick<Fault, 'severity' | 'seen' | 'why'>): Verdict[] {
  const subject = domainSubject(facts)
  const addresses = everyAddress(facts)
  // Without any address there is another fault.
  if (addresses.length === 0 || addresses.some(({ at }) => isIpv6(at.address) === (family === 'IPv6'))) return []
  const unknown = facts.exchangers.flatMap(({ a, aaaa }) => {
    const view = family === 'IPv6' ? aaaa : a
    return view.kind === 'failed' || view.kind === 'not-examined' ? [view] : []
  })
  const gaps = undecidedBy(subject, family === 'IPv6' ? 'AAAA' : 'A', ...unknown)
  if (gaps.length > 0) return gaps
  const [first] = facts.exchangers
  const owner = first ? zoneName(first.name) : `mx1.${facts.domain}.`
  return [
    {
      kind: 'fault',
      ...words,
      subject,
      remedy: {
        text: `Give ${first ? plainName(first.name) : 'the first exchanger'} an ${family} address, with reverse DNS, and let the mail server listen on it.`,
        records: [`${owner} IN ${family === 'IPv6' ? 'AAAA' : 'A'} <address>`],
      },
      data: { family },
    },
  ]
}
