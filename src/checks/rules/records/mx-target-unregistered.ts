/**
 * The domain of an exchanger is free: whoever registers it gets the mail. Page: docs/checks/mx-target-unregistered.md
 */
import type { Verdict } from '../../finding.ts'
import { exchangerSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { addressIn, whySpecial } from './mx-target-syntax.ts'

export const mxTargetUnregistered: Rule = {
  id: 'mx-target-unregistered',
  title: 'domain of an exchanger is not registered',
  rfc: [],
  needs: ['registrable'],

  examine: ({ exchangers, domain, examination }) =>
    exchangers.flatMap((exchanger): Verdict[] => {
      const { registrable, isImplicit, host } = exchanger
      const subject = exchangerSubject(exchanger)
      if (isImplicit || !host || addressIn(exchanger) || whySpecial(host, examination.isPrivate)) return []
      if ('kind' in registrable) return undecidedBy(subject, 'the domain', registrable)
      if (registrable.soa.kind !== 'no-such-name') return undecidedBy(subject, 'SOA', registrable.soa)
      return [
        {
          kind: 'fault',
          severity: 'error',
          subject,
          seen: `The exchanger ${host} is below ${registrable.domain}, which does not exist (NXDOMAIN): it seems to be free for everybody to register.`,
          why: 'Whoever registers that domain receives the mail of this one, with passwords that are reset by mail among it.',
          remedy: {
            text: `Take the MX record of ${domain} that names ${host} out today, or register ${registrable.domain} yourself.`,
          },
          data: { target: host, registrable: registrable.domain },
        },
      ]
    }),
}
