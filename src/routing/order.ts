/**
 * Orders a domain's exchangers the way RFC 5321 §5.1 wants them tried. Pure: the look-ups are done by `exchangers.ts`, which calls this
 * with what DNS said.
 */
import { type Random, shuffle } from '../base/random.ts'

/** 0–65535, lower is tried first. */
export interface Preferred {
  readonly preference: number
}

/** Why a candidate stands where it does; shown by `waypost lookup`, never parsed. */
export type Reason =
  | 'the only one'
  | 'best preference'
  | 'equal preference, shuffled'
  | 'tried after better ones'
  | 'no MX records: the domain itself'
  | 'an address, written as one'

export interface Ordered<M extends Preferred> {
  readonly record: M
  /** Share of senders that try it first, 0–1. */
  readonly share: number
  readonly reason: Reason
}

export interface Cut<M extends Preferred> {
  /** Where we ourselves stand, at our best preference, if we do. */
  readonly self: M | undefined
  /** Those better than us; all of them where we are not there. */
  readonly better: readonly M[]
  /** The others, us included. */
  readonly rest: readonly M[]
}

/**
 * RFC 5321 §5.1: a relay that finds itself in the list drops itself and everything not better, or two relays would bounce a message between them.
 * @param isSelf  whether a record leads to this very gateway, by name or by address
 */
export function cutAtSelf<M extends Preferred>(records: readonly M[], isSelf: (record: M) => boolean): Cut<M> {
  const [self] = records.filter(isSelf).sort(byPreference)
  if (!self) return { self, better: records, rest: [] }
  const isBetter = (record: M) => record.preference < self.preference
  return { self, better: records.filter(isBetter), rest: records.filter((record) => !isBetter(record)) }
}

/** @param records  those that can be tried, in any order */
export function orderExchangers<M extends Preferred>(records: readonly M[], random: Random): readonly Ordered<M>[] {
  // RFC 5321 §5.1: equals in random order. Shuffle first, then sort: the sort is stable, so equals stay shuffled.
  const sorted = shuffle(records, random).sort(byPreference)
  const best = sorted.filter((record) => record.preference === sorted[0]?.preference).length
  return sorted.map((record, index) => ({
    record,
    share: index < best ? 1 / best : 0,
    reason: reasonFor(index < best, best, sorted.length),
  }))
}

function reasonFor(isBest: boolean, best: number, all: number): Reason {
  if (!isBest) return 'tried after better ones'
  if (all === 1) return 'the only one'
  return best > 1 ? 'equal preference, shuffled' : 'best preference'
}

export const byPreference = (one: Preferred, other: Preferred) => one.preference - other.preference
