/** The sets asked for, out of the records of a whole zone. Used by the targets that read zones whole. */
import { type Rdata, rdataCode } from '../../dns/rdata.ts'
import type { WireName } from '../../dns/wire-name.ts'
import { byKey, distinct, type RecordSet, type SetName, setKey } from './record-set.ts'

export interface ZoneRecord {
  readonly name: WireName
  readonly ttlSeconds: number
  readonly data: Rdata
}

/** Where records of one set differ in TTL, the largest stands for it: so long may caches hold some of them. */
export function collectSets(records: Iterable<ZoneRecord>, names: readonly SetName[]): RecordSet[] {
  const wanted = byKey(names)
  const found = new Map<string, { set: SetName; ttlSeconds: number; data: Rdata[] }>()
  for (const { name, ttlSeconds, data } of records) {
    const key = setKey({ name, code: rdataCode(data) })
    const set = wanted.get(key)
    if (!set) continue
    const before = found.get(key)
    if (before) {
      before.data.push(data)
      before.ttlSeconds = Math.max(before.ttlSeconds, ttlSeconds)
    } else found.set(key, { set, ttlSeconds, data: [data] })
  }
  return Array.from(found.values(), ({ set, ttlSeconds, data }) => ({
    ...{ name: set.name, code: set.code },
    ...{ ttlSeconds, data: distinct(data) },
  }))
}
