/**
 * A zone at Cloudflare, by its API v4 (https://developers.cloudflare.com/api/resources/dns/, as of 2026-11). Made by `create-target.ts`. Written from
 * the documentation, and held against a stub of it: it has not been run against the real thing.
 *
 * A record is the unit there, with an id; a batch is one transaction of the database (deletes, then patches, then posts) and has no condition. So
 * the sets are read again right before, and a change of another hand is lost only if it falls into the moment between the two. Records that
 * stay are not touched: they keep id, comment and proxying. What Cloudflare put there itself (`meta.read_only`) cannot be changed by anybody.
 */

import { z } from 'zod'
import { isIpv6, parseIp } from '../../../base/ip.ts'
import { printable } from '../../../base/printable.ts'
import type { Rdata } from '../../../dns/rdata.ts'
import { parseRdata, rdataText } from '../../../dns/rdata-text.ts'
import type { NameServer } from '../../../dns/servers.ts'
import { typeCodeFromName, typeCodes, typeName } from '../../../dns/types.ts'
import { foldName, nameFromText, nameText, plainNameText, sameName, type WireName } from '../../../dns/wire-name.ts'
import { type ApiUrl, apiUrlText } from '../../api-url.ts'
import {
  byKey,
  dataKey,
  distinct,
  type RecordSet,
  type SetName,
  sameContent,
  setKey,
  setText,
} from '../../sets/record-set.ts'
import { noLimits, type SetChange, type Target, type TargetApplied, type TargetFailure } from '../target.ts'
import { type ApiAnswer, type ApiDeps, createApiClient, patiently } from './api-client.ts'

export interface CloudflareOptions {
  readonly publisher: string
  readonly zone: WireName
  readonly url: ApiUrl
  readonly token: string
  /** Undefined: found by the name of the zone. */
  readonly zoneId: string | undefined
  readonly ca: string | undefined
  readonly servers: readonly NameServer[]
  readonly timeoutMs: number
}

const maxBytes = 8 * 1024 * 1024
const pageSize = 100
/** A page that never ends is no zone. */
const mostPages = 1_000
/** Of records in a batch, on the plan that has the least. */
const mostInBatch = 200
/** `ttl: 1` is "automatic", which is served as this. */
const automaticSeconds = 300

/** Whose content is one text; the others are written in fields of their own. */
const plainTypes: ReadonlySet<number> = new Set([
  typeCodes.A,
  typeCodes.AAAA,
  typeCodes.MX,
  typeCodes.TXT,
  typeCodes.CNAME,
])

const apiRecord = z.object({
  id: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z.number().int(),
  priority: z.number().int().nullish(),
  meta: z.object({ read_only: z.boolean().nullish() }).nullish(),
})
const page = z.object({ success: z.literal(true), result: z.array(apiRecord) })
const zones = z.object({
  success: z.literal(true),
  result: z.array(
    z.object({
      id: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
      name: z.string(),
      /** What the token may do there. Left out of newer answers, so that nothing hangs on it. */
      permissions: z.array(z.string()).nullish(),
    }),
  ),
})
const complaint = z.object({ errors: z.array(z.object({ code: z.number(), message: z.string() })) })

interface ReadRecord {
  readonly id: string
  readonly data: Rdata
  readonly ttlSeconds: number
  readonly isReadOnly: boolean
}

interface ReadSet extends SetName {
  readonly records: readonly ReadRecord[]
}

type ReadSets = { readonly kind: 'sets'; readonly id: string; readonly sets: readonly ReadSet[] } | TargetFailure

export function createCloudflareTarget(options: CloudflareOptions, deps: ApiDeps): Target {
  const { url, token, ca, timeoutMs, zone } = options
  const at = `Cloudflare (${apiUrlText(url)})`
  const client = createApiClient(
    {
      ...{ url, headers: { Authorization: `Bearer ${token}` }, secret: token, timeoutMs, maxBytes },
      ...(ca === undefined ? {} : { ca }),
    },
    deps,
  )
  const isBusy = ({ status }: { status: number }) => status === 429
  const get = (path: string) => patiently(() => client.call({ method: 'GET', path }), isBusy, at, deps)
  let knownId = options.zoneId
  let mayOnlyRead = false

  async function findId(): Promise<string | TargetFailure> {
    if (knownId !== undefined) return knownId
    const name = plainName(zone)
    const answer = await get(`/zones?name=${encodeURIComponent(name)}&per_page=50`)
    const parsed = readResult(answer, zones)
    if (!parsed) return failure(answer, at, zone)
    const those = parsed.result.filter((each) => each.name.toLowerCase() === name)
    if (those.length > 1)
      return {
        kind: 'refused',
        why: `${at} has ${those.length} zones of the name ${name}`,
        remedy: 'Say which by "zoneId:"; the overview of the zone shows it.',
      }
    const [only] = those
    if (!only) return noSuchZone(at, zone, 'it lists none of that name')
    knownId = only.id
    const may = new Set(only.permissions ?? [])
    mayOnlyRead = may.has('#dns_records:read') && !may.has('#dns_records:edit')
    return only.id
  }

  /** Asked for by name, and chosen here once more. */
  async function readName(id: string, name: WireName): Promise<z.output<typeof apiRecord>[] | TargetFailure> {
    const found: z.output<typeof apiRecord>[] = []
    for (let number = 1; number <= mostPages; number++) {
      const wanted = encodeURIComponent(plainName(name))
      const answer = await get(`/zones/${id}/dns_records?name.exact=${wanted}&per_page=${pageSize}&page=${number}`)
      const parsed = readResult(answer, page)
      if (!parsed) return failure(answer, at, zone)
      found.push(...parsed.result)
      // What it says of its total is not believed.
      if (parsed.result.length < pageSize) return found
    }
    return { kind: 'unusable', why: `${at} has more than ${mostPages} pages of records` }
  }

  async function readSets(names: readonly SetName[]): Promise<ReadSets> {
    const id = await findId()
    if (typeof id !== 'string') return id
    const sets: ReadSet[] = []
    for (const same of Map.groupBy(names, ({ name }) => foldName(name)).values()) {
      const [{ name }] = same as [SetName]
      const records = await readName(id, name)
      if (!Array.isArray(records)) return records
      for (const set of new Map(same.map((each) => [each.code, each])).values()) {
        const read = readSet(set, records, at)
        if ('why' in read) return read
        if (read.records.length > 0) sets.push(read)
      }
    }
    return { kind: 'sets', id, sets }
  }

  return {
    publisher: options.publisher,
    place: at,
    zone,
    limits: {
      ...noLimits,
      leastTtlSeconds: 60,
      mostTtlSeconds: 86_400,
      withoutTypes: Object.values(typeCodes).filter((code) => !plainTypes.has(code)),
      atomic: 'set',
    },
    servers: options.servers,

    async read(names) {
      const read = await readSets(names)
      if (read.kind !== 'sets') return read
      const notes = read.sets.flatMap((set) =>
        set.records.some(({ isReadOnly }) => isReadOnly)
          ? [`${setText(set)} is kept by Cloudflare itself (Email Routing, perhaps), and nobody else can change it`]
          : [],
      )
      if (mayOnlyRead)
        notes.unshift(`the token may read the records of ${nameText(zone)} and not change them: it lacks "DNS: Edit"`)
      return { kind: 'read', sets: read.sets.map(contentOf), version: '', isNewZone: false, notes }
    },

    async apply({ changes }): Promise<TargetApplied> {
      const read = await readSets(changes)
      if (read.kind !== 'sets') return read
      const now = read.sets.map(contentOf)
      const live = byKey(now)
      const strange = changes.filter((change) => !sameContent(live.get(setKey(change)), change.before))
      if (strange.length > 0)
        return {
          kind: 'conflict',
          why: `${strange.map(setText).join(', ')}: not as it was when the plan was made`,
          now,
        }
      const known = byKey(read.sets)
      const locked = changes.find((change) => known.get(setKey(change))?.records.some(({ isReadOnly }) => isReadOnly))
      if (locked)
        return {
          kind: 'refused',
          why: `${setText(locked)} is kept by Cloudflare itself`,
          remedy: 'Switch Email Routing off for this domain first.',
        }
      const done: SetChange[] = []
      for (const batch of batchesOf(changes, known)) {
        const path = `/zones/${read.id}/dns_records/batch`
        const answer = await patiently(() => client.call({ method: 'POST', path, json: batch.body }), isBusy, at, deps)
        if (readResult(answer, z.object({ success: z.literal(true) }))) done.push(...batch.changes)
        else return stopped(answer, batch.changes, done, at, zone)
      }
      return { kind: 'applied' }
    },

    close() {},
  }
}

function stopped(
  answer: ApiAnswer,
  changes: readonly SetChange[],
  done: readonly SetChange[],
  at: string,
  zone: WireName,
): TargetApplied {
  const isUnknown = answer.kind === 'failed' ? answer.isSent : answer.status >= 500
  const failed = failure(answer, at, zone)
  if (done.length > 0) return { kind: 'partly', done, unknown: isUnknown ? changes : [], why: failed.why }
  return isUnknown ? { kind: 'unknown', why: `${at} was sent the changes: ${failed.why}` } : failed
}

interface Batch {
  readonly changes: readonly SetChange[]
  readonly body: { readonly deletes: object[]; readonly patches: object[]; readonly posts: object[] }
}

/** In the order of the changes; no set is divided. */
function batchesOf(changes: readonly SetChange[], known: ReadonlyMap<string, ReadSet>): Batch[] {
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
      content: data.exchange === '\0' ? '.' : plainName(data.exchange),
      priority: data.preference,
    }
  if (data.type === 'CNAME') return { content: plainName(data.target), proxied: false }
  return { content: rdataText(data), ...(data.type === 'TXT' ? {} : { proxied: false }) }
}

function readSet(
  { name, code }: SetName,
  records: readonly z.output<typeof apiRecord>[],
  at: string,
): ReadSet | TargetFailure {
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

function readData(code: number, { content, priority }: z.output<typeof apiRecord>): Rdata | undefined {
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

function contentOf({ name, code, records }: ReadSet): RecordSet {
  const ttlSeconds = Math.max(...records.map((record) => record.ttlSeconds))
  return { name, code, ttlSeconds, data: distinct(records.map(({ data }) => data)) }
}

/** Without the final dot, as names stand there. */
const plainName = (name: WireName) => plainNameText(foldName(name))

function readResult<Schema extends z.ZodType>(answer: ApiAnswer, schema: Schema): z.output<Schema> | undefined {
  if (answer.kind === 'failed' || answer.status !== 200) return undefined
  const parsed = schema.safeParse(readJson(answer.body))
  return parsed.success ? parsed.data : undefined
}

function noSuchZone(at: string, zone: WireName, said: string): TargetFailure {
  return {
    kind: 'no-such-zone',
    why: `${at} does not have the zone ${nameText(zone)} (${said})`,
    remedy:
      'Name the zone that the domain lies in by "zone:" under the publisher; the token must be allowed to read it.',
  }
}

function failure(answer: ApiAnswer, at: string, zone: WireName): TargetFailure {
  if (answer.kind === 'failed')
    return { kind: 'unreachable', why: `${at} does not answer: ${answer.why}`, remedy: 'Try again later.' }
  const parsed = complaint.safeParse(readJson(answer.body))
  const errors = parsed.success
    ? parsed.data.errors.map(({ code, message }) => `${code} ${printable(message, 200)}`).join('; ')
    : ''
  const said = `HTTP ${answer.status}${errors === '' ? '' : `: ${errors}`}`
  if (answer.status === 401 || answer.status === 403)
    return {
      kind: 'refused',
      why: `${at} does not take the token (${said})`,
      remedy: 'Make one with the permission "Zone / DNS / Edit" for this zone, and "Zone / Zone / Read".',
    }
  if (answer.status === 404) return noSuchZone(at, zone, said)
  if (answer.status === 429)
    return { kind: 'unreachable', why: `${at} asks to come again later (${said})`, remedy: 'Wait some minutes.' }
  if (answer.status === 200)
    return { kind: 'unusable', why: `${at} answers with something else than it is documented to (${said})` }
  return { kind: 'refused', why: `${at} said no (${said})` }
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
