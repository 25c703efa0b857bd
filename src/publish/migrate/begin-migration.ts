/**
 * What a migration has to know of the world before it begins: the set that is live, that every authoritative server agrees on it, and the MTA-STS
 * policy that senders may keep. Called by `waypost migrate`; changes nothing.
 */

import { mapAtOnce } from '../../base/map-at-once.ts'
import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import { type NameServer, nameServerText } from '../../dns/servers.ts'
import type { Transport } from '../../dns/transport.ts'
import { typeCodes } from '../../dns/types.ts'
import { nameFromHost, nameText, type WireName } from '../../dns/wire-name.ts'
import { parseStsRecord, selectStsRecord } from '../../records/mta-sts.ts'
import { selectSpf } from '../../records/spf.ts'
import { txtText } from '../../records/txt.ts'
import { isRight, verifyChanges } from '../apply/verify.ts'
import type { DeclaredExchanger } from '../declare/declaration.ts'
import type { RefusalRule } from '../plan/consequences.ts'
import type { ExamineDeps, ExamineOptions } from '../plan/examine.ts'
import { policyOf } from '../plan/find-policy.ts'
import { askServer } from '../sets/ask-server.ts'
import { type MxSet, mxSetOf } from '../sets/mx-set.ts'
import { byKey, type RecordSet, setKey } from '../sets/record-set.ts'
import { createTarget } from '../targets/create-target.ts'
import type { Target, TargetFailure } from '../targets/target.ts'
import { type Witnesses, witnessesOf } from '../targets/witnesses.ts'
import { jointSpf } from './joint-spf.ts'
import { type Beginning, judgeBeginning } from './judge-beginning.ts'
import type { MigrationPolicy, MigrationSpf } from './migration.ts'
import { addressesToPublish, addressQuestions } from './migration-addresses.ts'

export interface BeginRequest {
  readonly domain: HostName
  /** Where its records are kept: a name under `publishers:`. */
  readonly publisher: string
  readonly to: string
  readonly next: MxSet
  readonly lowTtlSeconds: number
  /** What waypost.yaml says of the domain's exchangers. */
  readonly declared: readonly DeclaredExchanger[]
  /** Rules that are passed over. */
  readonly allowed: ReadonlySet<RefusalRule>
  /** Terms of the new side that the SPF record gets beside those of the old one; undefined: it stays as it is. */
  readonly spf: readonly string[] | undefined
}

export interface BeginDeps extends ExamineDeps {
  readonly transport: Transport
}

export type Begun = Beginning | { readonly kind: 'failed'; readonly failure: TargetFailure }

const serversMs = 5_000

export async function beginMigration(request: BeginRequest, options: ExamineOptions, deps: BeginDeps): Promise<Begun> {
  const { domain, publisher, allowed } = request
  const said = options.publishers[publisher]
  if (said === undefined) return refuse(`there is no publisher "${publisher}"`)
  const { unread } = deps.cached
  if (unread !== undefined && !allowed.has('ttl-wait'))
    return refuse(
      `how long caches hold what was there before earlier changes is not known: ${unread}`,
      'Do this as the user that applied before, or mend the file; who knows that nothing changed within a week says --allow ttl-wait.',
    )
  const zone = said.zone ?? nameFromHost(domain)
  const created = await createTarget(publisher, said, zone, deps)
  if (created.kind !== 'target') return { kind: 'failed', failure: created }
  try {
    return await beginAt({ ...created, zone }, request, options, deps)
  } finally {
    created.target.close()
  }
}

interface BeginPlace {
  readonly target: Target
  readonly zone: WireName
}

async function beginAt(
  { target, zone }: BeginPlace,
  request: BeginRequest,
  options: ExamineOptions,
  deps: BeginDeps,
): Promise<Begun> {
  const { domain, publisher, to, next, declared, lowTtlSeconds } = request
  const name = { name: nameFromHost(domain), code: typeCodes.MX }
  const announced = { name: nameFromHost(`_mta-sts.${domain}` as HostName), code: typeCodes.TXT }
  const apexTexts = { name: nameFromHost(domain), code: typeCodes.TXT }
  const hostNames = addressQuestions(next, declared, zone)
  const read = await target.read([name, announced, apexTexts, ...hostNames])
  if (read.kind !== 'read') return { kind: 'failed', failure: read }
  const found = byKey(read.sets)
  const live = found.get(setKey(name))
  const old = live && mxSetOf(live)
  if (live && !old) return refuse(`${nameText(live.name)} MX names a host that is none`, 'Mend that record first.')
  const asked = live ? await askServers(target, live, witnessesOf(publisher, options), deps) : []
  if ('kind' in asked) return asked
  const policy = await policyOfDomain(domain, found.get(setKey(announced)), options, deps)
  if (policy.kind === 'unclear') return refuse(policy.why, policy.remedy)
  const spf = await spfOf(request, found.get(setKey(apexTexts)), deps)
  if (spf.kind === 'impossible') return refuse(spf.why, spf.remedy)
  const negativeSeconds = hostNames.length === 0 ? 0 : await negativeTtl(asked, zone, deps.transport)
  const addresses = old && addressesToPublish({ old, next, declared }, zone, read.sets, negativeSeconds)
  const cachedUntilMs = deps.cached.untilMs(name)
  const words = { domain, to, next, lowTtlSeconds, old, cachedUntilMs, policy: policy.policy }
  const more = { ...(spf.spf && { spf: spf.spf }), ...(addresses && { addresses }) }
  return judgeBeginning({ ...words, ...more }, deps.clock.now())
}

/** All that serve the zone. One that still has another set would go on to hand it out with a TTL that nobody waits for. */
async function askServers(
  target: Target,
  live: RecordSet,
  witnesses: Witnesses,
  deps: BeginDeps,
): Promise<readonly NameServer[] | Begun> {
  const { servers, unfound } = await verifyChanges(
    target.zone,
    [{ name: live.name, code: live.code, before: live, after: live }],
    {
      ...{ limitMs: serversMs, timeoutMs: serversMs, progress: () => undefined },
      ...{ ...witnesses, servers: target.servers },
    },
    deps,
  )
  const others = servers.filter((view) => !isRight(view)).map(({ server }) => nameServerText(server))
  if (servers.length > 0 && others.length === 0) return servers.map(({ server }) => server)
  return refuse(
    servers.length === 0
      ? `no authoritative server was found to ask${unfound === undefined ? '' : `: ${printable(unfound, 300)}`}`
      : `${others.join(', ')} ${others.length === 1 ? 'does' : 'do'} not answer with the MX set that is kept there`,
    'Wait until all servers have the zone, or name whom to ask by "servers:" under the publisher.',
  )
}

/** RFC 2308 §5 knows of no more that was worth it. */
const longestNegativeSeconds = 86_400

/** For how long a cache holds that there is no such name: the longest that a server says, in seconds. RFC 2308 §5. */
async function negativeTtl(servers: readonly NameServer[], zone: WireName, transport: Transport): Promise<number> {
  const said = await mapAtOnce(servers, 10, (server) =>
    askServer(transport, server, { name: zone, code: typeCodes.SOA }, serversMs),
  )
  const seconds = said.map((answer) => {
    const [soa] = answer.kind === 'set' ? (answer.content?.data ?? []) : []
    if (answer.kind !== 'set' || soa?.type !== 'SOA') return longestNegativeSeconds
    return Math.min(answer.content?.ttlSeconds ?? longestNegativeSeconds, soa.minimumSeconds)
  })
  return seconds.length > 0 ? Math.max(...seconds) : longestNegativeSeconds
}

const refuse = (why: string, remedy = 'Name one under "publishers:", by "publish:".'): Begun => ({
  kind: 'impossible',
  why,
  remedy,
})

type FoundSpf =
  | { readonly kind: 'spf'; readonly spf: MigrationSpf | undefined }
  | { readonly kind: 'impossible'; readonly why: string; readonly remedy: string }

async function spfOf(
  { domain, spf: added }: BeginRequest,
  texts: RecordSet | undefined,
  deps: BeginDeps,
): Promise<FoundSpf> {
  if (added === undefined) return { kind: 'spf', spf: undefined }
  const strings = (texts?.data ?? []).flatMap((each) => (each.type === 'TXT' ? [txtText(each.strings)] : []))
  const live = selectSpf(strings)
  if (live.kind !== 'one' || texts === undefined)
    return {
      kind: 'impossible',
      why:
        live.kind === 'none'
          ? `${domain} has no SPF record, so that anybody may send`
          : `${domain} has several SPF records`,
      remedy: live.kind === 'none' ? 'Leave --spf out.' : 'Leave one of them: with several, receivers take none.',
    }
  const joint = await jointSpf(domain, live.text, added, deps.resolver)
  if (joint.kind === 'impossible') return joint
  if (joint.kind === 'same') return { kind: 'spf', spf: undefined }
  return { kind: 'spf', spf: { ttlSeconds: texts.ttlSeconds, oldText: live.text, jointText: joint.text } }
}

type FoundPolicy =
  | { readonly kind: 'policy'; readonly policy: MigrationPolicy | undefined }
  | { readonly kind: 'unclear'; readonly why: string; readonly remedy: string }

async function policyOfDomain(
  domain: HostName,
  record: RecordSet | undefined,
  options: ExamineOptions,
  deps: BeginDeps,
): Promise<FoundPolicy> {
  const prospect = await policyOf(domain, options, deps)
  if (prospect.kind === 'none') return { kind: 'policy', policy: undefined }
  if (prospect.kind === 'not-checked')
    return {
      kind: 'unclear',
      why: `${domain} announces an MTA-STS policy, which could not be read: ${prospect.why}`,
      remedy: 'Have it served, or remove the record at _mta-sts and wait for max_age: senders may hold you to it.',
    }
  const { mode, maxAgeSeconds } = prospect.policy
  if (mode === 'none') return { kind: 'policy', policy: undefined }
  const texts = (record?.data ?? []).flatMap((each) => (each.type === 'TXT' ? [txtText(each.strings)] : []))
  const selected = selectStsRecord(texts)
  const parsed = selected.kind === 'one' ? parseStsRecord(selected.text) : undefined
  if (record === undefined || parsed?.kind !== 'record')
    return {
      kind: 'unclear',
      why: `${domain} has an MTA-STS policy, and the record at _mta-sts.${domain} that announces it is not kept here`,
      remedy: 'Take it over first: serve the policy yourself, with a TXT record of your own in place of an alias.',
    }
  const { ttlSeconds: recordTtlSeconds } = record
  const oldId = parsed.record.id
  return { kind: 'policy', policy: { mode, maxAgeSeconds, recordTtlSeconds, oldId, newId: newId(deps.clock.now()) } }
}

/** RFC 8461 §3.1: letters and digits that differ from before; the moment does. */
const newId = (nowMs: number) => new Date(nowMs).toISOString().replace(/\D/g, '').slice(0, 14)
