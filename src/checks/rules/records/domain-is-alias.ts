/**
 * The domain itself is an alias. Lawful, and not the same as an alias as an MX target: senders follow it, while everything that hangs below
 * the name (`_dmarc`, `_mta-sts`) stays below the original one. Page: docs/checks/domain-is-alias.md
 */
import { domainSubject, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { mxRecord, zoneName } from '../../wording.ts'

export const domainIsAlias: Rule = {
  id: 'domain-is-alias',
  title: 'mail domain is an alias',
  rfc: ['RFC 5321 §2.3.5', 'RFC 5321 §5.1'],
  needs: [],

  examine(facts) {
    const { mx, domain } = facts
    const subject = domainSubject(facts)
    if (mx.kind === 'failed' || mx.kind === 'not-examined') return undecidedBy(subject, 'MX', mx)
    // An alias to nothing is told by `domain-not-found`.
    if (mx.kind === 'no-such-name' || mx.aliases.length === 0) return []
    const end = plainName(mx.canonicalName)
    const records =
      mx.kind === 'answer'
        ? mx.records.map(({ data }) => mxRecord(domain, data.preference, zoneName(data.exchange)))
        : [mxRecord(domain, 10, `mx1.${domain}`)]
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `${domain} is an alias of ${end}, and its MX records are those of that name.`,
        why: `The mail of ${domain} goes where the owner of ${end} says. Some old senders write the address anew with the other name. DMARC, MTA-STS and TLSRPT are still looked up below ${domain}.`,
        remedy: { text: `If it is not meant, replace the CNAME at ${domain} by the records themselves.`, records },
        data: { domain, aliases: mx.aliases.map(plainName) },
      },
    ]
  },
}
