/** A mail domain of one label. Lawful in SMTP, and refused by many programs before they ask DNS. Page: docs/checks/domain-dotless.md */
import { rootName } from '../../../dns/name.ts'
import { domainSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'

export const domainDotless: Rule = {
  id: 'domain-dotless',
  title: 'mail domain without a dot',
  rfc: ['RFC 5321 §2.3.5', 'RFC 7085'],
  needs: [],

  examine(facts) {
    const { domain, examination } = facts
    if (domain.includes('.') || domain === rootName || examination.isPrivate) return []
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject: domainSubject(facts),
        seen: `The mail domain ${domain} is a single label.`,
        why: 'Many programs take such an address for a local one, add their own domain to it, or refuse it, before they ever ask DNS.',
        remedy: { text: `Use addresses in a domain below ${domain}.` },
        data: { domain },
      },
    ]
  },
}
