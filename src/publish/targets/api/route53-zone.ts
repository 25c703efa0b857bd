/** The calls of Route 53 that a hosted zone needs: found by its name, its sets read, a batch sent, and waited for. For `route53.ts`. */
import type { NameServer } from '../../../dns/servers.ts'
import { typeName } from '../../../dns/types.ts'
import { foldName, nameText, type WireName } from '../../../dns/wire-name.ts'
import { type ApiUrl, hostText } from '../../api-url.ts'
import { byKey, type SetName } from '../../sets/record-set.ts'
import type { TargetFailure } from '../target.ts'
import { type ApiAnswer, type ApiDeps, createApiClient, patiently } from './api-client.ts'
import { elementText } from './aws-xml.ts'
import { failureOf, isBusy, noSuchZone, textOf } from './route53-answers.ts'
import { apiName, elementsNamed, type ReadSet, readSet } from './route53-records.ts'
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

export type ReadSets = { readonly kind: 'sets'; readonly id: string; readonly sets: readonly ReadSet[] } | TargetFailure

export interface Route53Zone {
  readSets(names: readonly SetName[]): Promise<ReadSets>
  /** Sends a batch. @param id  of the zone, as `readSets` found it */
  change(id: string, xml: string): Promise<ApiAnswer>
  /** Waits until all of its servers have a change. @returns undefined where they do, else what is to be said */
  synced(changeId: string): Promise<string | undefined>
}

const maxBytes = 8 * 1024 * 1024
const version = '/2013-04-01'
const firstPauseMs = 1_000
const longestPauseMs = 10_000

/** @param at  where that is, in words */
export function createRoute53Zone(options: Route53Options, at: string, deps: ApiDeps): Route53Zone {
  const { zone } = options
  const call = createCall(options, at, deps)
  let knownId = options.zoneId

  async function findId(): Promise<string | TargetFailure> {
    if (knownId !== undefined) return knownId
    const answer = await call('GET', '/hostedzonesbyname', [
      ['dnsname', nameText(foldName(zone))],
      ['maxitems', '100'],
    ])
    const xml = textOf(answer)
    if (xml === undefined) return failureOf(answer, at, zone)
    const those = elementsNamed(xml, 'HostedZone', zone).filter((each) => elementText(each, 'PrivateZone') !== 'true')
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
    if (xml === undefined) return failureOf(answer, at, zone)
    // The list begins there, and goes on with what follows.
    const those = elementsNamed(xml, 'ResourceRecordSet', set.name)
    const own = those.find((each) => elementText(each, 'Type') === typeName(set.code))
    return own === undefined ? undefined : readSet(set, own, at)
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
    readSets,
    change: (id, xml) => call('POST', `/hostedzone/${id}/rrset/`, [], xml),
    synced,
  }
}

type Call = (
  method: 'GET' | 'POST',
  path: string,
  query: readonly (readonly [string, string])[],
  xml?: string,
) => Promise<ApiAnswer>

/** One call, signed, and made again where it asks to come again. */
function createCall({ url, key, region, ca, timeoutMs }: Route53Options, at: string, deps: ApiDeps): Call {
  const client = createApiClient({ url, headers: {}, timeoutMs, maxBytes, ...(ca === undefined ? {} : { ca }) }, deps)
  const host = url.port === (url.isTls ? 443 : 80) ? hostText(url.host) : `${hostText(url.host)}:${url.port}`
  const once: Call = (method, path, query, xml) => {
    const signed = { host, path: `${url.basePath}${version}${path}`, query, region, service: 'route53' }
    const headers = signAws({ ...signed, method, body: xml ?? '', nowMs: deps.clock.now() }, key)
    const behind = query.length === 0 ? '' : `?${queryText(query)}`
    return client.call({ method, path: `${version}${path}${behind}`, headers, ...(xml === undefined ? {} : { xml }) })
  }
  return (...asked) => patiently(() => once(...asked), isBusy, at, deps)
}
