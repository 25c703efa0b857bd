/**
 * Writes a zone as text that every name server reads (RFC 1035 §5, RFC 2308 §4), one record a line: SOA first, then by name and type.
 * Used by whoever exports a zone, or makes the file of a new one.
 */
import type { DnsRecord } from '../message.ts'
import { rdataCode } from '../rdata.ts'
import { rdataText } from '../rdata-text.ts'
import { classCodes, typeCodes, typeName } from '../types.ts'
import { foldName, labelsOf, nameText, type WireName } from '../wire-name.ts'
import { ownerText } from './owner-text.ts'

/**
 * @param records  of class IN (else RangeError), in any order; those of one name and type keep theirs
 * @param origin  the zone's name: names below it are written relative to it
 * @returns printable ASCII, with a line end behind each line
 */
export function writeZone(records: readonly DnsRecord[], origin: WireName): string {
  if (records.some((record) => record.class !== classCodes.IN)) throw new RangeError('a zone of another class than IN')
  const ttlSeconds = mostFrequent(records.map((record) => record.ttlSeconds))
  const lines = sorted(records).map((record) => ({
    owner: ownerText(record.name, origin),
    ttl: record.ttlSeconds === ttlSeconds ? '' : ` ${record.ttlSeconds}`,
    type: typeName(rdataCode(record.data)),
    data: rdataText(record.data),
  }))
  const width = Math.min(
    30,
    lines.reduce((most, line) => Math.max(most, line.owner.length), 0),
  )
  const head = [`$ORIGIN ${nameText(origin)}`]
  if (ttlSeconds !== undefined) head.push(`$TTL ${ttlSeconds}`)
  const body = lines.map(({ owner, ttl, type, data }) => `${owner.padEnd(width)}${ttl} IN ${type.padEnd(5)} ${data}`)
  return `${[...head, ...body].join('\n')}\n`
}

function mostFrequent(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let best: number | undefined
  for (const [value, count] of counts) if (best === undefined || count > (counts.get(best) ?? 0)) best = value
  return best
}

/** In the canonical order of names (RFC 4034 §6.1), which puts a name before all below it; SOA and NS before other types. */
function sorted(records: readonly DnsRecord[]): DnsRecord[] {
  const first: readonly number[] = [typeCodes.SOA, typeCodes.NS]
  const rank = (code: number) => (first.includes(code) ? first.indexOf(code) - first.length : code)
  return records
    .map((record) => ({ record, key: labelsOf(foldName(record.name)).reverse(), rank: rank(rdataCode(record.data)) }))
    .sort((one, other) => compareLabels(one.key, other.key) || one.rank - other.rank)
    .map(({ record }) => record)
}

function compareLabels(one: readonly string[], other: readonly string[]): number {
  for (const [index, label] of one.entries()) {
    const against = other[index]
    if (against === undefined) return 1
    if (label !== against) return label < against ? -1 : 1
  }
  return one.length - other.length
}
