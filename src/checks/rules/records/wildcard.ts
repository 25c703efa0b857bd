/**
 * Wildcards: a random label below the domain has MX, or TXT that also stands where policies are looked for. It is reported once here, and not
 * as four syntax errors. Pages: docs/checks/wildcard-mx.md, docs/checks/wildcard-txt.md
 */
import { printableBytes } from '../../../base/printable.ts'
import { domainSubject, recordsOf, textsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord, zoneName } from '../../wording.ts'

export const wildcardMx: Rule = {
  id: 'wildcard-mx',
  title: 'wildcard MX',
  rfc: ['RFC 4592 §2.2', 'RFC 4592 §3.3.1', 'RFC 1912 §2.7'],
  needs: ['wildcard'],

  examine(facts) {
    const { mx } = facts.wildcard
    const subject = domainSubject(facts)
    if (mx.kind !== 'answer') return undecidedBy(subject, 'MX', mx)
    const targets = recordsOf(mx).map(({ data }) => zoneName(data.exchange))
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `Any name below ${facts.domain} has MX records: ${listed(targets)}.`,
        why: 'Addresses in made-up subdomains are tried at your exchanger. Names that exist without MX are not covered: a web server, or a host that has a TLSA record below it.',
        remedy: {
          text: `If mail for all subdomains is not meant, remove the wildcard, and give each subdomain that takes mail its own records.`,
          records: recordsOf(mx).map(
            ({ data }) => `; remove: ${mxRecord(`*.${facts.domain}`, data.preference, zoneName(data.exchange))}`,
          ),
        },
        data: { domain: facts.domain, targets },
      },
    ]
  },
}

export const wildcardTxt: Rule = {
  id: 'wildcard-txt',
  title: 'wildcard TXT stands where policies are looked for',
  rfc: ['RFC 4592 §3.3.1'],
  needs: ['wildcard', 'senders', 'mta-sts', 'tlsrpt'],

  examine(facts) {
    const { txt } = facts.wildcard
    const subject = domainSubject(facts)
    if (txt.kind !== 'answer') return undecidedBy(subject, 'TXT', txt)
    const foreign = textsOf(txt).map((text) => text.toString('latin1'))
    const places = [
      ['_dmarc', facts.dmarc.walk[0]?.view],
      ['_mta-sts', facts.mtaSts.txt],
      ['_smtp._tls', facts.tlsRpt.txt],
      ['_domainkey', facts.dkim.parent],
    ] as const
    const covered = places.flatMap(([label, view]) =>
      view && textsOf(view).some((text) => foreign.includes(text.toString('latin1'))) ? [label] : [],
    )
    if (covered.length === 0) return []
    const text = textsOf(txt)[0] ?? Buffer.alloc(0)
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject,
        seen: `Any name below ${facts.domain} has the TXT record "${printableBytes(text, 120)}", and so have ${listed(covered.map((label) => `${label}.${facts.domain}`))}.`,
        why: 'Receivers and senders look for policies at these names and find something else; some take it for a broken policy.',
        remedy: {
          text: `Remove the TXT record at *.${facts.domain}, and put the text at the names that need it.`,
        },
        data: { domain: facts.domain, covered },
      },
    ]
  },
}
