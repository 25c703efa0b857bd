/** The exchangers of a domain as one value: read of its MX records, and compared. Pure. */
import { hostFromName } from '../../dns/wire-name.ts'
import type { Exchanger } from '../../records/catalogue/provider.ts'
import type { RecordSet } from './record-set.ts'

export interface MxSet {
  readonly ttlSeconds: number
  /** At least one; each host once. */
  readonly exchangers: readonly Exchanger[]
}

/** Undefined where a record's host is no host name. The root stands for a null MX. */
export function mxSetOf({ ttlSeconds, data }: Pick<RecordSet, 'ttlSeconds' | 'data'>): MxSet | undefined {
  const exchangers = data.flatMap((each) => {
    const host = each.type === 'MX' ? hostFromName(each.exchange) : undefined
    return each.type === 'MX' && host !== undefined ? [{ preference: each.preference, host }] : []
  })
  return exchangers.length === data.length ? { ttlSeconds, exchangers } : undefined
}

export function sameExchangers(one: readonly Exchanger[], other: readonly Exchanger[]): boolean {
  const keys = (all: readonly Exchanger[]) => new Set(all.map(({ preference, host }) => `${preference} ${host}`))
  const [a, b] = [keys(one), keys(other)]
  return a.size === b.size && [...a].every((key) => b.has(key))
}

export const sameMxSet = (one: MxSet, other: MxSet): boolean =>
  one.ttlSeconds === other.ttlSeconds && sameExchangers(one.exchangers, other.exchangers)
