/**
 * Sets of records (RFC 2181 §5): all that a name has of one type, which is the unit that every target writes. Used throughout this room;
 * names and data compare as DNS compares them, so that letter case, a final dot and the order make no difference.
 */
import { type Rdata, rdataCode } from '../../dns/rdata.ts'
import { rdataText } from '../../dns/rdata-text.ts'
import { typeName } from '../../dns/types.ts'
import { foldName, nameText, type WireName } from '../../dns/wire-name.ts'

export interface SetName {
  readonly name: WireName
  /** Of the type. */
  readonly code: number
}

/** What a set says; at least one record. */
export interface SetContent {
  /** 0 to 2^31 − 1. */
  readonly ttlSeconds: number
  readonly data: readonly Rdata[]
}

export interface RecordSet extends SetName, SetContent {}

/** Equal for sets of the same name and type. */
export const setKey = ({ name, code }: SetName): string => `${code} ${foldName(name)}`

/** `example.com. MX`, printable. */
export const setText = ({ name, code }: SetName): string => `${nameText(name)} ${typeName(code)}`

/** Equal for data that DNS takes for the same: names in data compare without case (RFC 4034 §6.2, for the types in which that counts). */
export function dataKey(data: Rdata): string {
  const text = `${rdataCode(data)} ${rdataText(data)}`
  return withNames.has(data.type) ? text.toLowerCase() : text
}

const withNames: ReadonlySet<string> = new Set(['NS', 'CNAME', 'PTR', 'DNAME', 'MX', 'SRV'])

/** Whether two sets hold the same data, in any order; TTLs are not looked at. */
export function sameRecords(one: readonly Rdata[], other: readonly Rdata[]): boolean {
  const keys = new Set(one.map(dataKey))
  const others = new Set(other.map(dataKey))
  return keys.size === others.size && [...keys].every((key) => others.has(key))
}

/** Whether two sets are the same, TTL included. `undefined` is no set. */
export function sameContent(one: SetContent | undefined, other: SetContent | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one.ttlSeconds === other.ttlSeconds && sameRecords(one.data, other.data)
}

/** Each record once. */
export function distinct(data: readonly Rdata[]): Rdata[] {
  return [...new Map(data.map((each) => [dataKey(each), each])).values()]
}

/** The sets in any order, by `setKey`. */
export function byKey<Set extends SetName>(sets: readonly Set[]): ReadonlyMap<string, Set> {
  return new Map(sets.map((set) => [setKey(set), set]))
}
