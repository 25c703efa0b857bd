/**
 * Null MX and SPF must tell one story: a domain that takes no mail should send none, and one that sends none and has no exchanger says so
 * best by a null MX. Pages: docs/checks/null-mx-but-sends.md, docs/checks/null-mx-advised.md
 */
import type { Facts } from '../../facts.ts'
import { domainSubject, isNullMx, recordsOf, textsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord } from '../../wording.ts'

export const nullMxButSends: Rule = {
  id: 'null-mx-but-sends',
  title: 'takes no mail, but may send it',
  rfc: ['RFC 7505 §4.1', 'RFC 7505 §4.2'],
  needs: ['senders'],

  examine(facts) {
    const subject = domainSubject(facts)
    if (facts.mx.kind !== 'answer') return undecidedBy(subject, 'MX', facts.mx)
    if (!isNullMx(facts)) return []
    const senders = spfTermsOf(facts).filter(authorises)
    if (senders.length === 0) return undecidedBy(subject, 'TXT', facts.spf.txt)
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject,
        seen: `${facts.domain} has a null MX, and its SPF record lets ${listed(senders)} send.`,
        why: 'Receivers may refuse mail whose sender is of a domain that takes none (550 5.7.27), because no answer and no bounce can reach it.',
        remedy: {
          text: 'Publish an MX record for a server that takes the answers and bounces; or, where the domain sends nothing, say so in SPF.',
          records: [mxRecord(facts.domain, 10, `mx1.${facts.domain}`), `${facts.domain}. IN TXT "v=spf1 -all"`],
        },
        data: { domain: facts.domain, senders },
      },
    ]
  },
}

export const nullMxAdvised: Rule = {
  id: 'null-mx-advised',
  title: 'sends no mail and has no exchanger: say that it takes none',
  rfc: ['RFC 7505 §1', 'RFC 7505 §4.2'],
  needs: ['senders'],

  examine(facts) {
    const subject = domainSubject(facts)
    if (facts.mx.kind !== 'no-data') return undecidedBy(subject, 'MX', facts.mx)
    if (recordsOf(facts.a).length + recordsOf(facts.aaaa).length === 0) return []
    const terms = spfTermsOf(facts)
    if (terms.length === 0) return undecidedBy(subject, 'TXT', facts.spf.txt)
    if (terms.length > 1 || terms[0] !== '-all') return []
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `${facts.domain} has no MX record, and its SPF record is "v=spf1 -all": it sends nothing.`,
        why: 'Without MX, senders try the address of the domain for days before they tell their users that nobody takes the mail there.',
        remedy: {
          text: 'If the domain is to take no mail either, publish a null MX.',
          records: [mxRecord(facts.domain, 0, '.')],
        },
        data: { domain: facts.domain },
      },
    ]
  },
}

/** The terms of the one SPF record, in lower case; none where there is none, or several (RFC 7208 §4.5). Only known characters are kept. */
function spfTermsOf({ spf }: Facts): readonly string[] {
  const records = textsOf(spf.txt)
    .map((text) => text.toString('latin1'))
    .filter((text) => /^v=spf1( |$)/i.test(text))
  const [record, ...more] = records
  if (record === undefined || more.length > 0) return []
  const terms = record.toLowerCase().split(/ +/).slice(1)
  return terms.filter((term) => term !== '').map((term) => (/^[\x21-\x7e]{1,100}$/.test(term) ? term : '(unreadable)'))
}

/** RFC 7208 §4.6.2: a mechanism without a qualifier passes. Modifiers but `redirect` authorise nobody. */
const authorises = (term: string) =>
  /^\+?(all|include:|a([:/]|$)|mx([:/]|$)|ptr|ip4:|ip6:|exists:)/.test(term) || term.startsWith('redirect=')
