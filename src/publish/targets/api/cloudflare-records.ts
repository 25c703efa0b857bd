/** Records as Cloudflare has them, each with an id: read as sets, and as batches of changes. Pure; called by `cloudflare.ts` and `cloudflare-zone.ts`. */
import { z } from 'zod'
import { isIpv6, parseIp } from '../../../base/ip.ts'
import { printable } from '../../../base/printable.ts'
import type { Rdata } from '../../../dns/rdata.ts'
import { parseRdata, rdataText } from '../../../dns/rdata-text.ts'
import { typeCodeFromName, typeCodes, typeName } from '../../../dns/types.ts'
import { foldName, nameFromText, plainNameText, rootWireName, sameName, type WireName } from '../../../dns/wire-name.ts'
import { dataKey, distinct, type RecordSet, type SetName, setKey } from '../../sets/record-set.ts'
import type { SetChange, TargetFailure } from '../target.ts'

/** Of records in a batch, on the plan that has the least. */
const mostInBatch = 200
/** `ttl: 1` is "automatic", which is served as this. */
const automaticSeconds = 300

export const apiRecord = z.object({
  id: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z.number().int(),
  priority: z.number().int().nullish(),
  meta: z.object({ read_only: z.boolean().nullish() }).nullish(),
})
export type ApiRecord = z.output<typeof apiRecord>

interface ReadRecord {
  readonly id: string
  readonly data: Rdata
  readonly ttlSeconds: number
  readonly isReadOnly: boolean
}

export interface ReadSet extends SetName {
  readonly records: readonly ReadRecord[]
}

/** @param records  of that name, of whatever type @param at  where they were read, in words */
export function readSet({ name, code }: SetName, records: readonly ApiRecord[], at: string): ReadSet | TargetFailure {
  const read: ReadRecord[] = []
  for (const record of records) {
    const owner = nameFromText(`${record.name}.`)
    if (owner.kind === 'invalid' || !sameName(owner.name, name) || typeCodeFromName(record.type) !== code) continue
    const data = readData(code, record)
    if (data === undefined)
      return {
        kind: 'unusable',
        why: `${at} has ${printable(record.name, 300)} ${printable(record.type, 20)} "${printable(record.content, 100)}", which cannot be read`,
      }
    const ttlSeconds = record.ttl === 1 ? automaticSeconds : record.ttl
    const isReadOnly = record.meta?.read_only === true
    read.push({ id: record.id, data, ttlSeconds, isReadOnly })
  }
  return { name, code, records: read }
}

function readData(code: number, { content, priority }: ApiRecord): Rdata | undefined {
  switch (code) {
    case typeCodes.A:
    case typeCodes.AAAA: {
      const address = parseIp(content)
      if (address === undefined || isIpv6(address) !== (code === typeCodes.AAAA)) return undefined
      return { type: code === typeCodes.A ? 'A' : 'AAAA', address }
    }
    case typeCodes.MX:
    case typeCodes.CNAME: {
      const target = nameFromText(/\.$/.test(content) ? content : `${content}.`)
      if (target.kind === 'invalid') return undefined
      if (code === typeCodes.CNAME) return { type: 'CNAME', target: target.name }
      return { type: 'MX', preference: priority ?? 0, exchange: target.name }
    }
    default: {
      // Text that was entered without quotes is one string.
      const isBare = code === typeCodes.TXT && !content.startsWith('"')
      const parsed = parseRdata(code, isBare ? JSON.stringify(content) : content)
      return parsed.kind === 'invalid' ? undefined : parsed.data
    }
  }
}

export function contentOf({ name, code, records }: ReadSet): RecordSet {
  const ttlSeconds = Math.max(...records.map((record) => record.ttlSeconds))
  return { name, code, ttlSeconds, data: distinct(records.map(({ data }) => data)) }
}

/** Without the final dot, as names stand there. */
export const plainName = (name: WireName) => plainNameText(foldName(name))

export interface Batch {
  readonly changes: readonly SetChange[]
  readonly body: { readonly deletes: object[]; readonly patches: object[]; readonly posts: object[] }
}

/** In the order of the changes; no set is divided. */
export function batchesOf(changes: readonly SetChange[], known: ReadonlyMap<string, ReadSet>): Batch[] {
  const batches: { changes: SetChange[]; body: Batch['body'] }[] = []
  for (const change of changes) {
    const own = operationsOf(change, known.get(setKey(change))?.records ?? [])
    const last = batches.at(-1)
    if (last && sizeOf(last.body) + sizeOf(own) <= mostInBatch) {
      last.changes.push(change)
      last.body.deletes.push(...own.deletes)
      last.body.patches.push(...own.patches)
      last.body.posts.push(...own.posts)
    } else batches.push({ changes: [change], body: own })
  }
  return batches
}

const sizeOf = ({ deletes, patches, posts }: Batch['body']) => deletes.length + patches.length + posts.length

function operationsOf({ name, code, after }: SetChange, records: readonly ReadRecord[]): Batch['body'] {
  const wanted = new Map((after?.data ?? []).map((data) => [dataKey(data), data]))
  const staying = records.filter(({ data }) => wanted.has(dataKey(data)))
  const there = new Set(staying.map(({ data }) => dataKey(data)))
  const ttl = after?.ttlSeconds ?? automaticSeconds
  return {
    deletes: records.filter((record) => !staying.includes(record)).map(({ id }) => ({ id })),
    patches: staying.filter((record) => record.ttlSeconds !== ttl).map(({ id }) => ({ id, ttl })),
    posts: [...wanted]
      .filter(([key]) => !there.has(key))
      .map(([, data]) => ({ type: typeName(code), name: plainName(name), ttl, ...contentFields(data) })),
  }
}

function contentFields(data: Rdata): object {
  if (data.type === 'MX')
    return {
      content: data.exchange === rootWireName ? '.' : plainName(data.exchange),
      priority: data.preference,
    }
  if (data.type === 'CNAME') return { content: plainName(data.target), proxied: false }
  return { content: rdataText(data), ...(data.type === 'TXT' ? {} : { proxied: false }) }
}
