/**
 * A domain without MX: with an address senders go there (implicit MX), without one they give up. Only NODATA means this; MX records that are
 * all unusable never lead to the address. Pages: docs/checks/mx-missing.md, docs/checks/no-mail-host.md
 */
import type { Facts } from '../../facts.ts'
import { domainSubject, isAbsent, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed } from '../../wording.ts'

export const mxMissing: Rule = {
  id: 'mx-missing',
  title: 'no MX record',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine(facts) {
    const { domain } = facts
    const subject = domainSubject(facts)
    if (facts.mx.kind !== 'no-data') return undecidedBy(subject, 'MX', facts.mx)
    const addresses = addressesOf(facts)
    if (addresses.length === 0) return []
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject,
        seen: `${domain} has no MX record, and the address${addresses.length > 1 ? 'es' : ''} ${listed(addresses)}.`,
        why: 'Senders take the address of the domain as its only exchanger. That is mostly the web server, it moves with the website, and some senders refuse domains without MX.',
        remedy: {
          text: 'Publish an MX record that names the mail server; or a null MX where the domain takes no mail.',
          records: [`${domain}. IN MX 10 mx1.${domain}.`],
        },
        data: { domain, addresses },
      },
    ]
  },
}

export const noMailHost: Rule = {
  id: 'no-mail-host',
  title: 'nowhere to deliver to',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine(facts) {
    const { domain, mx, a, aaaa } = facts
    const subject = domainSubject(facts)
    if (mx.kind !== 'no-data') return undecidedBy(subject, 'MX', mx)
    if (addressesOf(facts).length > 0) return []
    // An address that could not be looked up may be there.
    if (!isAbsent(a) || !isAbsent(aaaa)) return undecidedBy(subject, 'the address', a, aaaa)
    return [
      {
        kind: 'fault',
        severity: 'error',
        subject,
        seen: `${domain} has neither MX nor A nor AAAA records.`,
        why: 'Every sender gives up at once, and the mail comes back as undeliverable.',
        remedy: {
          text: 'Publish an MX record that names the mail server; or a null MX where the domain takes no mail, so that senders hear it at once.',
          records: [`${domain}. IN MX 10 mx1.${domain}.`],
        },
        data: { domain },
      },
    ]
  },
}

const addressesOf = ({ a, aaaa }: Facts) => [...recordsOf(a), ...recordsOf(aaaa)].map(({ data }) => data.address)
