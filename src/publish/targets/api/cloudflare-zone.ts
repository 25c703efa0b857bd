/** The calls of Cloudflare's API that a zone needs: found by its name, its records read page by page, batches sent. For `cloudflare.ts`. */
import { z } from 'zod'
import type { NameServer } from '../../../dns/servers.ts'
import { foldName, type WireName } from '../../../dns/wire-name.ts'
import type { ApiUrl } from '../../api-url.ts'
import type { SetName } from '../../sets/record-set.ts'
import type { TargetFailure } from '../target.ts'
import { type ApiAnswer, type ApiDeps, type ApiRequest, createApiClient, patiently } from './api-client.ts'
import { failureOf, noSuchZone, readResult } from './cloudflare-answers.ts'
import { type ApiRecord, apiRecord, type Batch, plainName, type ReadSet, readSet } from './cloudflare-records.ts'

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

export type ReadSets = { readonly kind: 'sets'; readonly id: string; readonly sets: readonly ReadSet[] } | TargetFailure

export interface CloudflareZone {
  readSets(names: readonly SetName[]): Promise<ReadSets>
  /** @param id  of the zone, as `readSets` found it */
  change(id: string, batch: Batch): Promise<ApiAnswer>
  /** As far as the zone was found by its name: whether the token may read it and no more. */
  readonly mayOnlyRead: boolean
}

const maxBytes = 8 * 1024 * 1024
const pageSize = 100
/** A page that never ends is no zone. */
const mostPages = 1_000

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
/** @param at  where that is, in words */
export function createCloudflareZone(options: CloudflareOptions, at: string, deps: ApiDeps): CloudflareZone {
  const { url, token, ca, timeoutMs, zone } = options
  const client = createApiClient(
    {
      ...{ url, headers: { Authorization: `Bearer ${token}` }, secret: token, timeoutMs, maxBytes },
      ...(ca === undefined ? {} : { ca }),
    },
    deps,
  )
  const call = (request: ApiRequest) => patiently(() => client.call(request), isBusy, at, deps)
  const get = (path: string) => call({ method: 'GET', path })
  let knownId = options.zoneId
  let mayOnlyRead = false

  async function findId(): Promise<string | TargetFailure> {
    if (knownId !== undefined) return knownId
    const name = plainName(zone)
    const answer = await get(`/zones?name=${encodeURIComponent(name)}&per_page=50`)
    const parsed = readResult(answer, zones)
    if (!parsed) return failureOf(answer, at, zone)
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
  async function readName(id: string, name: WireName): Promise<ApiRecord[] | TargetFailure> {
    const found: ApiRecord[] = []
    for (let number = 1; number <= mostPages; number++) {
      const wanted = encodeURIComponent(plainName(name))
      const answer = await get(`/zones/${id}/dns_records?name.exact=${wanted}&per_page=${pageSize}&page=${number}`)
      const parsed = readResult(answer, page)
      if (!parsed) return failureOf(answer, at, zone)
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
    readSets,
    change: (id, { body }) => call({ method: 'POST', path: `/zones/${id}/dns_records/batch`, json: body }),
    get mayOnlyRead() {
      return mayOnlyRead
    },
  }
}

const isBusy = ({ status }: { status: number }) => status === 429
