/**
 * Wildcards: the domain itself comes from one, a random label below it has MX, or TXT that also stands where policies are looked for. It is reported
 * once here, and not as four syntax errors. Pages: docs/checks/domain-by-wildcard.md, docs/checks/wildcard-mx.md, docs/checks/wildcard-txt.md
 */
import { printable, printableBytes } from '../../../base/printable.ts'
import { rdataText } from '../../../dns/rdata-text.ts'
import type { Facts, View } from '../../facts.ts'
import { domainSubject, plainName, recordsOf, textsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord, zoneName } from '../../wording.ts'

export const domainByWildcard: Rule = {
  id: 'domain-by-wildcard',
  title: 'domain without records of its own',
  rfc: ['RFC 4592 §2.2.1', 'RFC 4592 §3.3.1'],
  needs: ['wildcard'],

  examine(facts) {
    const { domain, mx, wildcard } = facts
    const subject = domainSubject(facts)
    if (mx.kind === 'failed' || mx.kind === 'not-examined') return undecidedBy(subject, 'MX', mx)
    const { beside } = wildcard
    if (!beside) return []
    if (beside.view.kind === 'failed' || beside.view.kind === 'not-examined')
      return undecidedBy(subject, beside.type, beside.view)
    if (!isByWildcard(facts)) return []
    const isMx = beside.type === 'MX'
    const records = linesOf(beside.view)
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject,
        seen: `${domain} has no records of its own: ${isMx ? 'its MX records come' : 'it has no MX record, and its address comes'} from a wildcard, which any other name beside it has too, such as ${plainName(beside.name)}: ${listed(records)}.`,
        why: `A wildcard answers only where nothing is. The first record that is put at ${domain} or below it, be it for SPF or a policy, makes it a name of its own${isMx ? ', without MX' : ', without an address'}, and its mail comes back.${isMx ? '' : ' Until then senders take that address for its exchanger, as for every name that somebody makes up.'}`,
        remedy: {
          text: `If mail for ${domain} is meant, give it MX records of its own before any other record is put there. If not, nothing is to be done.`,
          records: isMx
            ? recordsOf(mx).map(({ data }) => mxRecord(domain, data.preference, zoneName(data.exchange)))
            : [mxRecord(domain, 10, '<mail server>')],
        },
        data: { domain, type: beside.type, records },
      },
    ]
  },
}

/** What the domain lives on is also there at a name below it and at one beside it, both made up: then it is not there by itself. */
function isByWildcard({ mx, a, aaaa, wildcard }: Facts): boolean {
  const { beside, address } = wildcard
  if (!beside) return false
  const [own, below] = beside.type === 'MX' ? [mx, wildcard.mx] : [beside.type === 'A' ? a : aaaa, address?.view]
  return below !== undefined && isSame(own, below) && isSame(own, beside.view)
}

const isSame = (one: View, other: View) => {
  const [lines, others] = [linesOf(one), linesOf(other)]
  return lines.length > 0 && lines.length === others.length && lines.every((line, at) => line === others[at])
}

const linesOf = (view: View): readonly string[] =>
  recordsOf(view)
    .map(({ data }) => printable(rdataText(data), 300).replace(/\.$/, ''))
    .sort()

export const wildcardMx: Rule = {
  id: 'wildcard-mx',
  title: 'wildcard MX',
  rfc: ['RFC 4592 §2.2', 'RFC 4592 §3.3.1', 'RFC 1912 §2.7'],
  needs: ['wildcard'],

  examine(facts) {
    const { mx } = facts.wildcard
    const subject = domainSubject(facts)
    if (mx.kind !== 'answer') return undecidedBy(subject, 'MX', mx)
    // The wildcard is above the domain then, and its owner somebody else, mostly.
    if (isByWildcard(facts)) return []
    const targets = recordsOf(mx).map(({ data }) => plainName(data.exchange))
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
