/**
 * What senders hold an exchanger to: encryption and a certificate, by MTA-STS (RFC 8461 §5) or by DANE (RFC 7672 §2.2). Without either, TLS is
 * opportunistic and a bad certificate harms nobody. Pure; called by the rules, for their severity.
 */
import type { ExchangerFacts, Facts } from './facts.ts'
import type { Severity } from './finding.ts'
import { stsPolicyOf } from './sts-policy.ts'
import { daneOf, matchesOf } from './tlsa.ts'

/** By what mail to the exchanger must be encrypted; nothing where it need not be. */
export function whoDemandsTls(facts: Facts, exchanger: ExchangerFacts): readonly ('MTA-STS' | 'DANE')[] {
  const byDane = daneOf(facts, exchanger).kind === 'records'
  return [...(isEnforced(facts) ? (['MTA-STS'] as const) : []), ...(byDane ? (['DANE'] as const) : [])]
}

/** RFC 8461 §5: in enforce, every exchanger is held to it; one that no pattern covers gets no mail at all. */
export const isEnforced = (facts: Facts): boolean => stsPolicyOf(facts)?.mode === 'enforce'

/**
 * How bad a certificate that public roots, names or dates speak against is at this chain: nothing where a record for the key stands for it
 * (usage 3), an error where somebody looks at what it lacks, else a notice.
 *
 * @param isAnchorEnough  for faults of trust: an anchor of usage 2 that matches makes them good
 */
export function certificateSeverity(
  facts: Facts,
  exchanger: ExchangerFacts,
  sent: readonly Buffer[],
  isAnchorEnough: boolean,
): Severity | undefined {
  if (isEnforced(facts)) return 'error'
  const dane = daneOf(facts, exchanger)
  if (dane.kind !== 'records' || dane.usable.length === 0) return 'notice'
  const matches = matchesOf(dane.usable, sent)
  if (matches.some(({ kind }) => kind === 'end-entity')) return undefined
  if (matches.length > 0 && isAnchorEnough) return undefined
  // With records for keys alone the certificate's own words count for nothing: that none of them fits is told by another rule.
  return dane.usable.some(({ usage }) => usage === 2) ? 'error' : undefined
}
