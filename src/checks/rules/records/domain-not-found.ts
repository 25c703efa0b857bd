/**
 * The domain does not exist, so that mail for it comes back at once. NXDOMAIN alone says so: SERVFAIL and silence do not.
 * Page: docs/checks/domain-not-found.md
 */
import { domainSubject, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'

export const domainNotFound: Rule = {
  id: 'domain-not-found',
  title: 'domain does not exist',
  rfc: ['RFC 5321 §5.1', 'RFC 8020 §2'],
  needs: [],

  examine(facts) {
    const { mx, domain } = facts
    const subject = domainSubject(facts)
    if (mx.kind !== 'no-such-name') return undecidedBy(subject, 'MX', mx)
    // RFC 6604 §3: behind aliases it is their end that does not exist.
    const target = mx.aliases.length > 0 ? plainName(mx.canonicalName) : undefined
    return [
      {
        kind: 'fault',
        severity: 'error',
        subject,
        seen: target
          ? `${domain} is an alias of ${target}, and that name does not exist (NXDOMAIN).`
          : `The name ${domain} does not exist in DNS (NXDOMAIN).`,
        why: 'Every sender gives up at once, and the mail comes back as undeliverable.',
        remedy: target
          ? {
              text: `Remove the CNAME at ${domain} and put MX records there, or let it point to a name that exists.`,
              records: [`${domain}. IN MX 10 mx1.${domain}.`],
            }
          : {
              text: `See whether ${domain} is spelt right, whether its registration has run out, and whether its zone is delegated; a name within a zone needs MX records of its own.`,
              records: [`${domain}. IN MX 10 mx1.${domain}.`],
            },
        data: { domain, aliasOf: target ?? null },
      },
    ]
  },
}
