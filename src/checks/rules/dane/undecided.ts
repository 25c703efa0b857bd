/** Why nothing can be said of an exchanger's DANE, for all rules of this folder; once where it is the same for all exchangers. */
import type { ExchangerFacts, Facts } from '../../facts.ts'
import type { Undecided } from '../../finding.ts'
import { domainSubject, exchangerSubject } from '../../read-facts.ts'
import type { Dane } from '../../tlsa.ts'

export function undecidedDane(
  facts: Facts,
  found: readonly { readonly exchanger: ExchangerFacts; readonly dane: Dane }[],
): Undecided[] {
  const all = found.flatMap(({ exchanger, dane }): Undecided[] => {
    // Without addresses, or with a name that is none, there is nothing that TLSA could be for: other rules say so.
    if (dane.kind !== 'unknown' || dane.reason === 'not-applicable' || dane.reason === 'depends-on-failed') return []
    return [{ kind: 'undecided', subject: exchangerSubject(exchanger), reason: dane.reason, why: dane.why }]
  })
  const [first] = all
  const isSame = all.length === facts.exchangers.length && all.every(({ why }) => why === first?.why)
  return first && all.length > 1 && isSame ? [{ ...first, subject: domainSubject(facts) }] : all
}
