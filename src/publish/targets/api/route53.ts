/**
 * A hosted zone at Amazon Route 53, by its API of 2013-04-01 (https://docs.aws.amazon.com/Route53/latest/APIReference/, as of 2026-11). Made by
 * `create-target.ts`. Written from the documentation, and held against a stub of it: it has not been run against the real thing.
 *
 * A batch is done whole or not at all, and a DELETE must name values and TTL exactly: so DELETE of what was read with CREATE of what shall be is the
 * condition that nobody else was there. Values go back as they were read, letter for letter: the console stores names without the final dot.
 * Alias and weighted sets, and those of a traffic policy, are not ours to change.
 */

import { printable } from '../../../base/printable.ts'
import type { Rdata } from '../../../dns/rdata.ts'
import { parseRdata, rdataText } from '../../../dns/rdata-text.ts'
import type { NameServer } from '../../../dns/servers.ts'
import { typeCodes, typeName } from '../../../dns/types.ts'
import { foldName, nameFromText, nameText, sameName, type WireName } from '../../../dns/wire-name.ts'
import { type ApiUrl, hostText } from '../../api-url.ts'
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
import { elements, elementText, escaped } from './aws-xml.ts'
import { type AwsKey, queryText, signAws } from './sign-aws.ts'

export interface Route53Options {
  readonly publisher: string
  readonly zone: WireName
  readonly url: ApiUrl
  readonly region: string
  readonly key: AwsKey
  /** Undefined: found by the name of the zone. */
  readonly zoneId: string | undefined
  readonly ca: string | undefined
  readonly servers: readonly NameServer[]
  readonly timeoutMs: number
  /** How long to wait until a change is at all of its servers. */
  readonly syncMs: number
}

const maxBytes = 8 * 1024 * 1024
const version = '/2013-04-01'
const firstPauseMs = 1_000
const longestPauseMs = 10_000

/** What it keeps; of all that Waypost writes that is everything but DNAME and HINFO. */
const withoutTypes = [typeCodes.DNAME, typeCodes.HINFO, typeCodes.SOA]

interface ReadSet extends RecordSet {
  /** By `dataKey`, as they stand there. */
  readonly values: ReadonlyMap<string, string>
}

type ReadSets = { readonly kind: 'sets'; readonly id: string; readonly sets: readonly ReadSet[] } | TargetFailure

export function createRoute53Target(options: Route53Options, deps: ApiDeps): Target {
  const { url, key, region, ca, timeoutMs, zone } = options
  const at = `Route 53 (${url.host})`
  const client = createApiClient({ url, headers: {}, timeoutMs, maxBytes, ...(ca === undefined ? {} : { ca }) }, deps)
  const host = url.port === (url.isTls ? 443 : 80) ? hostText(url.host) : `${hostText(url.host)}:${url.port}`
  let knownId = options.zoneId

  const call = (method: 'GET' | 'POST', path: string, query: readonly (readonly [string, string])[], xml?: string) =>
    patiently(
      () => {
        const signed = { host, path: `${url.basePath}${version}${path}`, query, region, service: 'route53' }
        const headers = signAws({ ...signed, method, body: xml ?? '', nowMs: deps.clock.now() }, key)
        const behind = query.length === 0 ? '' : `?${queryText(query)}`
        return client.call({
          method,
          path: `${version}${path}${behind}`,
          headers,
          ...(xml === undefined ? {} : { xml }),
        })
      },
      isBusy,
      at,
      deps,
    )

  async function findId(): Promise<string | TargetFailure> {
    if (knownId !== undefined) return knownId
    const answer = await call('GET', '/hostedzonesbyname', [
      ['dnsname', nameText(foldName(zone))],
      ['maxitems', '100'],
    ])
    const xml = textOf(answer)
    if (xml === undefined) return failure(answer, at, zone)
    const those = elements(xml, 'HostedZone').filter((each) => {
      const name = readName(elementText(each, 'Name') ?? '')
      return name !== undefined && sameName(name, zone) && elementText(each, 'PrivateZone') !== 'true'
    })
    const ids = those.flatMap(
      (each) => /^\/hostedzone\/([A-Z0-9]{1,32})$/.exec(elementText(each, 'Id') ?? '')?.[1] ?? [],
    )
    const [only] = ids
    if (only === undefined) return noSuchZone(at, zone, 'it lists no public one of that name')
    if (ids.length > 1)
      return {
        kind: 'refused',
        why: `${at} has ${ids.length} public zones of the name ${nameText(zone)}: ${ids.join(', ')}`,
        remedy: 'Say which by "zoneId:".',
      }
    knownId = only
    return only
  }

  async function readOne(id: string, set: SetName): Promise<ReadSet | TargetFailure | undefined> {
    const query = [
      ['name', apiName(set.name)],
      ['type', typeName(set.code)],
      ['maxitems', '2'],
    ] as const
    const answer = await call('GET', `/hostedzone/${id}/rrset`, query)
    const xml = textOf(answer)
    if (xml === undefined) return failure(answer, at, zone)
    // The list begins there, and goes on with what follows.
    const own = elements(xml, 'ResourceRecordSet').filter((each) => {
      const name = readName(elementText(each, 'Name') ?? '')
      return name !== undefined && sameName(name, set.name) && elementText(each, 'Type') === typeName(set.code)
    })
    return own[0] === undefined ? undefined : readSet(set, own[0], at)
  }

  async function readSets(names: readonly SetName[]): Promise<ReadSets> {
    const id = await findId()
    if (typeof id !== 'string') return id
    const sets: ReadSet[] = []
    for (const name of byKey(names).values()) {
      const read = await readOne(id, name)
      if (read && 'why' in read) return read
      if (read) sets.push(read)
    }
    return { kind: 'sets', id, sets }
  }

  /** Whether all of its servers have it; undefined: it said so, or will. */
  async function synced(changeId: string): Promise<string | undefined> {
    const untilMs = deps.clock.monotonicMs() + options.syncMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      const xml = textOf(await call('GET', `/change/${changeId}`, []))
      if (xml !== undefined && elementText(xml, 'Status') === 'INSYNC') return undefined
      if (deps.clock.monotonicMs() + pauseMs > untilMs)
        return `Route 53 has taken the changes, and did not say within ${options.syncMs / 1000} s that all of its servers have them`
      await new Promise<void>((resolve) => void deps.clock.after(pauseMs, resolve))
    }
  }

  return {
    publisher: options.publisher,
    place: at,
    zone,
    limits: { ...noLimits, withoutTypes },
    servers: options.servers,

    async read(names) {
      const read = await readSets(names)
      if (read.kind !== 'sets') return read
      return { kind: 'read', sets: read.sets.map(contentOf), version: '', isNewZone: false, notes: [] }
    },

    async apply({ changes }): Promise<TargetApplied> {
      const read = await readSets(changes)
      if (read.kind !== 'sets') return read
      const known = byKey(read.sets)
      const strange = changes.filter((change) => !sameContent(known.get(setKey(change)), change.before))
      if (strange.length > 0) return conflict(strange, read.sets)
      const xml = batchXml(changes, known)
      const answer = await call('POST', `/hostedzone/${read.id}/rrset/`, [], xml)
      const said = textOf(answer)
      if (said === undefined) {
        const isUnknown = answer.kind === 'failed' ? answer.isSent : answer.status >= 500
        const failed = failure(answer, at, zone)
        if (isUnknown) return { kind: 'unknown', why: `${at} was sent the changes: ${failed.why}` }
        // A DELETE that names what is not there any more, or a CREATE of what is: the batch was the condition.
        if (errorCode(answer) !== 'InvalidChangeBatch') return failed
        const again = await readSets(changes)
        if (again.kind !== 'sets') return failed
        const now = byKey(again.sets)
        const moved = changes.filter((change) => !sameContent(now.get(setKey(change)), change.before))
        return moved.length > 0 ? conflict(moved, again.sets) : failed
      }
      const changeId = /^\/change\/([A-Za-z0-9]{1,64})$/.exec(elementText(said, 'Id') ?? '')?.[1]
      const note = changeId === undefined ? 'Route 53 did not name the change' : await synced(changeId)
      return note === undefined ? { kind: 'applied' } : { kind: 'applied', note }
    },

    close() {},
  }
}

const conflict = (changes: readonly SetChange[], now: readonly ReadSet[]): TargetApplied => ({
  kind: 'conflict',
  why: `${changes.map(setText).join(', ')}: not as it was when the plan was made`,
  now: now.map(contentOf),
})

const contentOf = ({ name, code, ttlSeconds, data }: ReadSet): RecordSet => ({ name, code, ttlSeconds, data })

function readSet(set: SetName, xml: string, at: string): ReadSet | TargetFailure {
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

const apiName = (name: WireName) => decimalToOctal(nameText(foldName(name)))

function readName(text: string): WireName | undefined {
  const read = nameFromText(octalToDecimal(/\.$/.test(text) ? text : `${text}.`))
  return read.kind === 'name' ? read.name : undefined
}

function batchXml(changes: readonly SetChange[], known: ReadonlyMap<string, ReadSet>): string {
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

/** Of an answer that is one of those that were asked for. */
const textOf = (answer: ApiAnswer): string | undefined =>
  answer.kind === 'answer' && answer.status === 200 ? answer.body.toString('utf8') : undefined

/** Too many requests, or another change of the zone is not through yet: neither was done. */
const isBusy = (answer: Extract<ApiAnswer, { kind: 'answer' }>): boolean =>
  ['Throttling', 'ThrottlingException', 'PriorRequestNotComplete', 'SlowDown'].includes(errorCode(answer) ?? '')

function errorCode(answer: ApiAnswer): string | undefined {
  if (answer.kind === 'failed' || answer.status === 200) return undefined
  const xml = answer.body.toString('utf8')
  return xml.includes('<InvalidChangeBatch') ? 'InvalidChangeBatch' : elementText(xml, 'Code')
}

function noSuchZone(at: string, zone: WireName, said: string): TargetFailure {
  return {
    kind: 'no-such-zone',
    why: `${at} does not have the zone ${nameText(zone)} (${said})`,
    remedy: 'Name the zone that the domain lies in by "zone:" under the publisher, or its id by "zoneId:".',
  }
}

function failure(answer: ApiAnswer, at: string, zone: WireName): TargetFailure {
  if (answer.kind === 'failed') return { kind: 'unreachable', why: `${at} does not answer: ${answer.why}` }
  const code = errorCode(answer)
  const message = elementText(answer.body.toString('utf8'), 'Message')
  const said = [`HTTP ${answer.status}`, code, message && printable(message, 300)].filter(Boolean).join(': ')
  if (code === 'NoSuchHostedZone') return noSuchZone(at, zone, said)
  if (code === 'SignatureDoesNotMatch' || code === 'InvalidClientTokenId' || code === 'ExpiredToken')
    return {
      kind: 'refused',
      why: `${at} does not take the key (${said})`,
      remedy: 'Compare the access key, and the clock of this machine.',
    }
  if (answer.status === 401 || answer.status === 403)
    return {
      kind: 'refused',
      why: `${at} does not allow it (${said})`,
      remedy:
        'The key needs route53:ListHostedZonesByName, route53:ListResourceRecordSets, route53:ChangeResourceRecordSets and route53:GetChange.',
    }
  if (isBusy(answer))
    return { kind: 'unreachable', why: `${at} asks to come again later (${said})`, remedy: 'Wait a minute.' }
  return { kind: 'refused', why: `${at} said no (${said})` }
}
