/** What the world sees is not what waypost.yaml declares. Page: docs/checks/mx-differs-from-declared.md */
import { rootWireName } from '../../../dns/wire-name.ts'
import { domainSubject, plainName, recordsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord } from '../../wording.ts'

export const mxDiffersFromDeclared: Rule = {
  id: 'mx-differs-from-declared',
  title: 'MX set is not the one that was declared',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine(facts, { declaredExchangers }) {
    if (!declaredExchangers) return []
    const { domain, mx } = facts
    const subject = domainSubject(facts)
    if (mx.kind === 'failed' || mx.kind === 'not-examined') return undecidedBy(subject, 'MX', mx)
    // That the domain does not exist is told by `domain-not-found`.
    if (mx.kind === 'no-such-name') return []
    const declared = new Set(declaredExchangers.map(({ host, preference }) => `${preference} ${host}`))
    const seen = new Set(
      recordsOf(mx).map(
        ({ data }) => `${data.preference} ${data.exchange === rootWireName ? '.' : plainName(data.exchange)}`,
      ),
    )
    const missing = [...declared].filter((one) => !seen.has(one))
    const extra = [...seen].filter((one) => !declared.has(one))
    if (missing.length === 0 && extra.length === 0) return []
    const parts = [
      ...(missing.length > 0 ? [`lacks ${listed(missing)}`] : []),
      ...(extra.length > 0 ? [`has ${listed(extra)}, which is not declared`] : []),
    ]
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject,
        seen: `The MX set of ${domain} ${listed(parts)}.`,
        why: 'Somebody changed it, a change was never published, or the declaration is old. Mail may go where you do not expect it.',
        remedy: {
          text: 'Publish what is declared (`waypost plan` shows the difference, `waypost apply` makes it), or correct `exchangers` in waypost.yaml.',
          records: declaredExchangers.map(({ host, preference }) =>
            mxRecord(domain, preference, host === '.' ? '.' : host),
          ),
        },
        data: { missing, extra },
      },
    ]
  },
}
