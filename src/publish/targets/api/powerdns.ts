/**
 * A zone at a PowerDNS Authoritative Server, by its HTTP API (https://doc.powerdns.com/authoritative/http-api/). Made by `create-target.ts`.
 *
 * The API replaces whole sets in one transaction of its database, and has no condition for it. So the zone is read again right before, and a
 * change of another hand is lost only if it falls into the moment between the two. Records that are disabled there are not served: they are
 * no part of what is live, and go back into the set as they were. SOA and NS are never touched; comments stay.
 */

import { z } from 'zod'
import { printable } from '../../../base/printable.ts'
import type { Rdata } from '../../../dns/rdata.ts'
import { parseRdata, rdataText } from '../../../dns/rdata-text.ts'
import type { NameServer } from '../../../dns/servers.ts'
import { typeCodeFromName, typeCodes, typeName } from '../../../dns/types.ts'
import { foldName, nameFromText, nameText, type WireName } from '../../../dns/wire-name.ts'
import { type ApiUrl, apiUrlText } from '../../api-url.ts'
import { byKey, distinct, type RecordSet, type SetName, setKey } from '../../sets/record-set.ts'
import { conflictOf, movedOf } from '../conflict.ts'
import {
  noLimits,
  type SetChange,
  type Target,
  type TargetApplied,
  type TargetFailure,
  type TargetRead,
} from '../target.ts'
import { type ApiAnswer, type ApiDeps, createApiClient } from './api-client.ts'

export interface PowerDnsOptions {
  readonly publisher: string
  readonly zone: WireName
  /** Of the API: `http://127.0.0.1:8081`. */
  readonly url: ApiUrl
  /** `localhost`, but behind a proxy for several. */
  readonly serverId: string
  readonly apiKey: string
  readonly ca: string | undefined
  readonly servers: readonly NameServer[]
  readonly timeoutMs: number
}

/** A zone of some hundred thousand records. */
const maxBytes = 64 * 1024 * 1024

const apiRecord = z.object({ content: z.string(), disabled: z.boolean().default(false) })
const apiSet = z.object({ name: z.string(), type: z.string(), ttl: z.number().int(), records: z.array(apiRecord) })
const apiZone = z.object({
  kind: z.string(),
  dnssec: z.boolean().default(false),
  api_rectify: z.boolean().default(true),
  rrsets: z.array(apiSet),
})

type ApiRecord = z.output<typeof apiRecord>

interface ReadSet extends SetName {
  readonly ttlSeconds: number
  readonly live: readonly Rdata[]
  readonly disabled: readonly ApiRecord[]
}

interface ReadZone {
  readonly kind: 'zone'
  readonly sets: ReadonlyMap<string, ReadSet>
  readonly isSigned: boolean
  readonly rectifiesItself: boolean
  readonly isPrimary: boolean
}

export function createPowerDnsTarget(options: PowerDnsOptions, deps: ApiDeps): Target {
  const { url, apiKey, ca, timeoutMs, zone, serverId } = options
  const at = apiUrlText(url)
  const client = createApiClient(
    {
      ...{ url, headers: { 'X-API-Key': apiKey }, secret: apiKey, timeoutMs, maxBytes },
      ...(ca === undefined ? {} : { ca }),
    },
    deps,
  )
  const zonePath = `/api/v1/servers/${encodeURIComponent(serverId)}/zones/${zoneId(zone)}`

  const readAll = async (names: readonly SetName[]): Promise<ReadZone | TargetFailure> => {
    const answer = await client.call({ method: 'GET', path: zonePath })
    if (answer.kind === 'answer' && answer.status === 200) return parseZone(answer.body, names, at)
    return failure(answer, at, zone)
  }

  return {
    publisher: options.publisher,
    place: `PowerDNS at ${at}`,
    zone,
    limits: { ...noLimits, withoutTypes: [typeCodes.SOA] },
    servers: options.servers,

    async read(names): Promise<TargetRead> {
      const all = await readAll(names)
      if (all.kind !== 'zone') return all
      return { kind: 'read', sets: liveSets(all, names), version: '', isNewZone: false, notes: [] }
    },

    async apply({ changes }): Promise<TargetApplied> {
      const all = await readAll(changes)
      if (all.kind !== 'zone') return all
      const now = liveSets(all, changes)
      const moved = movedOf(changes, now)
      if (moved.length > 0) return conflictOf(moved, now)
      const rrsets = changes.map((change) => apiChange(change, all)).toSorted(deletesFirst)
      const answer = await client.call({ method: 'PATCH', path: zonePath, json: { rrsets } })
      if (answer.kind === 'answer' && answer.status >= 200 && answer.status < 300) {
        const note = await settle(all, (what) => client.call({ method: 'PUT', path: `${zonePath}/${what}` }))
        return note === undefined ? { kind: 'applied' } : { kind: 'applied', note }
      }
      if (answer.kind === 'failed' && answer.isSent)
        return { kind: 'unknown', why: `${at} was sent the changes and gave no answer: ${answer.why}` }
      // One transaction of its database: after an error of its own nothing should have changed, and nobody has said so.
      if (answer.kind === 'answer' && answer.status >= 500)
        return { kind: 'unknown', why: `${at} failed while it made the changes (${saidText(answer)})` }
      return failure(answer, at, zone)
    },

    close() {},
  }
}

/** RFC 4343; and a slash in a name is written `=2F` there. */
const zoneId = (zone: WireName) =>
  encodeURIComponent(
    nameText(foldName(zone)).replace(
      /[^a-z0-9._-]/g,
      (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    ),
  )

/** Changes that free a name of a CNAME must be done before what takes its place. */
const deletesFirst = (one: { changetype: string }, other: { changetype: string }) =>
  Number(one.changetype !== 'DELETE') - Number(other.changetype !== 'DELETE')

function apiChange(change: SetChange, { sets }: ReadZone) {
  const { name, code, after } = change
  const before = sets.get(setKey(change))
  const disabled = before?.disabled ?? []
  // 422 for a name that is not canonical: lower case and absolute.
  const head = { name: nameText(foldName(name)), type: typeName(code) }
  if (!after && disabled.length === 0) return { ...head, changetype: 'DELETE' }
  const live = (after?.data ?? []).map((data) => ({ content: rdataText(data), disabled: false }))
  const ttl = after?.ttlSeconds ?? before?.ttlSeconds ?? 0
  return { ...head, changetype: 'REPLACE', ttl, records: [...live, ...disabled] }
}

function parseZone(body: Buffer, names: readonly SetName[], at: string): ReadZone | TargetFailure {
  const parsed = apiZone.safeParse(readJson(body))
  if (!parsed.success) return { kind: 'unusable', why: `${at} answers with something else than a zone of PowerDNS` }
  const { kind, dnssec, api_rectify, rrsets } = parsed.data
  if (/^(?:slave|secondary|consumer)$/i.test(kind))
    return {
      kind: 'refused',
      why: `${at} has the zone as a secondary, which takes it from elsewhere`,
      remedy: 'Publish to its primary.',
    }
  const wanted = byKey(names)
  const sets = new Map<string, ReadSet>()
  for (const { name, type, ttl, records } of rrsets) {
    const owner = nameFromText(name)
    const code = typeCodeFromName(type)
    if (owner.kind === 'invalid' || code === undefined) continue
    const key = setKey({ name: owner.name, code })
    if (!wanted.has(key)) continue
    const live: Rdata[] = []
    for (const { content, disabled } of records) {
      if (disabled) continue
      const read = parseRdata(code, content)
      if (read.kind === 'invalid')
        return {
          kind: 'unusable',
          why: `${at} has ${printable(name, 300)} ${type} "${printable(content, 100)}", which cannot be read: ${read.why}`,
        }
      live.push(read.data)
    }
    const disabled = records.filter((record) => record.disabled)
    sets.set(key, { name: owner.name, code, ttlSeconds: ttl, live: distinct(live), disabled })
  }
  const isPrimary = /^(?:master|primary|producer)$/i.test(kind)
  return { kind: 'zone', sets, isSigned: dnssec, rectifiesItself: api_rectify, isPrimary }
}

function liveSets({ sets }: ReadZone, names: readonly SetName[]): RecordSet[] {
  return names.flatMap(({ name, code }) => {
    const set = sets.get(setKey({ name, code }))
    return set && set.live.length > 0 ? [{ name, code, ttlSeconds: set.ttlSeconds, data: set.live }] : []
  })
}

/** A signed zone must be put in order again, and secondaries be told; what fails of that is no reason to call the change not done. */
async function settle(zone: ReadZone, put: (what: string) => Promise<ApiAnswer>): Promise<string | undefined> {
  const steps = [...(zone.isSigned && !zone.rectifiesItself ? ['rectify'] : []), ...(zone.isPrimary ? ['notify'] : [])]
  const failed: string[] = []
  for (const step of steps) {
    const answer = await put(step)
    if (answer.kind === 'failed' || answer.status >= 300)
      failed.push(`${step}: ${answer.kind === 'failed' ? answer.why : saidText(answer)}`)
  }
  return failed.length === 0
    ? undefined
    : `the changes are made; PowerDNS did not do what follows (${failed.join('; ')})`
}

function failure(answer: ApiAnswer, at: string, zone: WireName): TargetFailure {
  if (answer.kind === 'failed')
    return {
      kind: 'unreachable',
      why: `${at} does not answer: ${answer.why}`,
      remedy: 'Check "url:", that the server runs with api=yes and webserver=yes, and webserver-allow-from.',
    }
  const said = saidText(answer)
  if (answer.status === 401 || answer.status === 403)
    return {
      kind: 'refused',
      why: `${at} does not take the key (${said})`,
      remedy: 'Compare "apiKey:" with api-key of the server.',
    }
  // Before 4.2 an unknown zone was a 422 as well.
  if (answer.status === 404 || (answer.status === 422 && /could not find domain/i.test(said)))
    return {
      kind: 'no-such-zone',
      why: `${at} does not have the zone ${nameText(zone)} (${said})`,
      remedy: 'Name the zone that the domain lies in by "zone:" under the publisher.',
    }
  return { kind: 'refused', why: `${at} said no (${said})` }
}

/** Status and its `error`, printable. */
function saidText({ status, body }: Extract<ApiAnswer, { kind: 'answer' }>): string {
  const parsed = apiError.safeParse(readJson(body))
  return parsed.success ? `HTTP ${status}: ${printable(parsed.data.error, 300)}` : `HTTP ${status}`
}

const apiError = z.object({ error: z.string() })

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
