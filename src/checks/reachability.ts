/**
 * Whether an address takes connections on port 25, judged from its sessions and from where we look. Pure; called by the rules of redundancy,
 * by `single-points.ts` and by `mail-share.ts`.
 */
import type { ExchangerAddress, ExchangerFacts, Facts, NotExaminedReason } from './facts.ts'
import { sessionThatCounts } from './read-sessions.ts'

export type Reachability =
  | { readonly kind: 'answers' }
  /** `refused`: TCP said no; `silent`: nothing came back. */
  | { readonly kind: 'refused' | 'silent'; readonly detail: string; readonly tries: number }
  | { readonly kind: 'unknown'; readonly reason: NotExaminedReason | 'no-answer'; readonly why: string }

export function reachabilityOf(at: ExchangerAddress, facts: Facts): Reachability {
  if (at.smtp.kind === 'not-examined') return { ...at.smtp, kind: 'unknown' }
  const { sessions } = at.smtp
  const { connect } = sessionThatCounts(at.smtp)
  if (connect.kind === 'connected') return { kind: 'answers' }
  if (connect.kind === 'forbidden') return { kind: 'unknown', reason: 'not-public', why: connect.why }
  if (connect.kind === 'not-said') return { kind: 'unknown', reason: 'budget-spent', why: connect.why }
  const { detail, kind } = connect.fault
  if (kind === 'refused') return { kind: 'refused', detail, tries: sessions.length }
  // What our own way out explains was not examined (`collect/own-faults.ts`); silence is the exchanger's only where it is known that it is not ours.
  if (facts.vantage.port25 !== 'open') {
    const why = `${at.address} did not answer, and it is not known whether port 25 is open from here.`
    return { kind: 'unknown', reason: 'no-answer', why }
  }
  return { kind: 'silent', detail, tries: sessions.length }
}

export const isDead = ({ kind }: Reachability): boolean => kind === 'refused' || kind === 'silent'

/** Whether none of its addresses takes connections; an exchanger without addresses is another matter. */
export function isExchangerDead(exchanger: ExchangerFacts, facts: Facts): boolean {
  const { addresses } = exchanger
  return addresses.length > 0 && addresses.every((at) => isDead(reachabilityOf(at, facts)))
}
