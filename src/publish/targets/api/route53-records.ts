/** Sets of records as Route 53 writes them in XML: read, and as a batch of changes. Pure; called by `route53.ts` and `route53-zone.ts`. */
import { printable } from '../../../base/printable.ts'
import type { Rdata } from '../../../dns/rdata.ts'
import { parseRdata, rdataText } from '../../../dns/rdata-text.ts'
import { typeCodes, typeName } from '../../../dns/types.ts'
import { foldName, nameFromText, nameText, sameName, type WireName } from '../../../dns/wire-name.ts'
import { dataKey, distinct, type RecordSet, type SetName, setKey, setText } from '../../sets/record-set.ts'
import type { SetChange, TargetFailure } from '../target.ts'
import { elements, elementText, escaped } from './aws-xml.ts'

export interface ReadSet extends RecordSet {
  /** By `dataKey`, as they stand there. */
  readonly values: ReadonlyMap<string, string>
}

/** @param at  where it was read, in words */
export function readSet(set: SetName, xml: string, at: string): ReadSet | TargetFailure {
  const special = ['AliasTarget', 'SetIdentifier', 'TrafficPolicyInstanceId'].find((name) => xml.includes(`<${name}>`))
  const ttlText = elementText(xml, 'TTL') ?? ''
  if (special !== undefined || !/^\d{1,10}$/.test(ttlText))
    return {
      kind: 'unusable',
      why: `${setText(set)} at ${at} is no plain set of records (${special ?? 'it has no TTL'}), which only Route 53 can serve`,
      remedy: 'Replace it with a plain one there, or leave it out of waypost.yaml.',
    }
  const values = new Map<string, string>()
  const data: Rdata[] = []
  for (const record of elements(xml, 'ResourceRecord')) {
    const value = elementText(record, 'Value') ?? ''
    const parsed = parseRdata(set.code, absolute(set.code, octalToDecimal(value)))
    if (parsed.kind === 'invalid')
      return {
        kind: 'unusable',
        why: `${at} has ${setText(set)} "${printable(value, 100)}", which cannot be read: ${parsed.why}`,
      }
    values.set(dataKey(parsed.data), value)
    data.push(parsed.data)
  }
  return { ...set, ttlSeconds: Number(ttlText), data: distinct(data), values }
}

/** Names in data are absolute there, with a final dot or without. */
function absolute(code: number, value: string): string {
  return endsInName.has(code) && !/\.\s*$/.test(value) ? `${value.trim()}.` : value
}

const endsInName: ReadonlySet<number> = new Set([
  typeCodes.MX,
  typeCodes.CNAME,
  typeCodes.NS,
  typeCodes.PTR,
  typeCodes.SRV,
])

/** Zone text counts octets in decimal, Route 53 in octal. */
const octalToDecimal = (text: string) =>
  text.replace(/\\([0-3][0-7]{2})/g, (_, digits) => `\\${String(Number.parseInt(digits, 8)).padStart(3, '0')}`)
const decimalToOctal = (text: string) =>
  text.replace(/\\(\d{3})/g, (_, digits) => `\\${Number(digits).toString(8).padStart(3, '0')}`)

export const apiName = (name: WireName) => decimalToOctal(nameText(foldName(name)))

/** Elements of a list whose `Name` is this one. */
export const elementsNamed = (xml: string, element: string, name: WireName): string[] =>
  elements(xml, element).filter((each) => {
    const read = readName(elementText(each, 'Name') ?? '')
    return read !== undefined && sameName(read, name)
  })

function readName(text: string): WireName | undefined {
  const read = nameFromText(octalToDecimal(/\.$/.test(text) ? text : `${text}.`))
  return read.kind === 'name' ? read.name : undefined
}

/** Each set as it was read goes, and comes as it shall be. @param known  what was read, by `setKey` */
export function batchXml(changes: readonly SetChange[], known: ReadonlyMap<string, ReadSet>): string {
  const parts = changes.map((change) => {
    const read = known.get(setKey(change))
    const value = (data: Rdata) => read?.values.get(dataKey(data)) ?? decimalToOctal(rdataText(data))
    const before = read ? changeXml('DELETE', change, read.ttlSeconds, [...read.values.values()]) : ''
    const { after } = change
    return before + (after ? changeXml('CREATE', change, after.ttlSeconds, after.data.map(value)) : '')
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>${parts.join('')}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`
}

function changeXml(
  action: 'DELETE' | 'CREATE',
  { name, code }: SetName,
  ttl: number,
  values: readonly string[],
): string {
  const records = values.map((value) => `<ResourceRecord><Value>${escaped(value)}</Value></ResourceRecord>`).join('')
  return `<Change><Action>${action}</Action><ResourceRecordSet><Name>${escaped(apiName(name))}</Name><Type>${typeName(code)}</Type><TTL>${ttl}</TTL><ResourceRecords>${records}</ResourceRecords></ResourceRecordSet></Change>`
}
