/**
 * The share of mail that each exchanger gets: senders take the best preference, and of equals one by chance (RFC 5321 §5.1). Pure; told by
 * the report's picture, and used by `single-points.ts`.
 */
import type { ExchangerFacts, Facts } from './facts.ts'
import { isExchangerDead } from './reachability.ts'

export interface MailShare {
  readonly exchanger: ExchangerFacts
  /** Share of senders that try it first, 0–1. */
  readonly tries: number
  /** Share of mail that it gets, 0–1: those that find no answer at another, or no address, come to the next. */
  readonly gets: number
}

/** In the order of `Facts.exchangers`. Where nothing answers, nobody gets anything. */
export function mailShares(facts: Facts): readonly MailShare[] {
  const { exchangers } = facts
  const tried = bestOf(exchangers)
  const getting = bestOf(exchangers.filter((one) => one.addresses.length > 0 && !isExchangerDead(one, facts)))
  const share = (among: readonly ExchangerFacts[], one: ExchangerFacts) => (among.includes(one) ? 1 / among.length : 0)
  return exchangers.map((exchanger) => ({
    exchanger,
    tries: share(tried, exchanger),
    gets: share(getting, exchanger),
  }))
}

/** Those of the best preference. A host that stands in the set twice is tried at the better one. */
export function bestOf(exchangers: readonly ExchangerFacts[]): readonly ExchangerFacts[] {
  const best = Math.min(...exchangers.map(preferenceOf))
  return exchangers.filter((exchanger) => preferenceOf(exchanger) === best)
}

export const preferenceOf = ({ preferences }: ExchangerFacts): number => preferences[0] ?? 0
