/**
 * A domain moved from one set of exchangers to another, in steps of which each is safe: what the next one is, when it may be done, and what must be
 * proven first. Pure: the clock's time and what was seen are handed in. `step-migration.ts` does the steps, `migration-file.ts` keeps the state.
 *
 * (authorise: SPF of both sides, where it is wanted) → (addresses: of new exchangers inside the zone that have none yet) → lower-ttl → its old TTL waited
 *   out, and what caches hold of these addresses → policy (MTA-STS with both sets, a new id) → senders fetch it → add (the new ones behind the old ones)
 *   → caches have both → switch (the new ones alone, once they are seen to take mail) → caches forget the old ones → raise-ttl → done
 * and back from each of them: restore → caches forget the new ones → (withdraw: the addresses that were published) → aborted
 *
 * What is promised: in every set that a cache may hold, the exchangers that are tried first take mail, as long as the old ones work until `done` and
 * the new ones from `switch` on. So there is never a moment without one.
 */
import type { IpAddress } from '../base/ip.ts'
import type { HostName } from '../dns/name.ts'
import type { Exchanger } from '../records/catalogue/provider.ts'
import type { StsMode } from '../records/mta-sts.ts'

/** One that writes to DNS. */
export type Stage =
  | 'authorise'
  | 'addresses'
  | 'lower-ttl'
  | 'policy'
  | 'add'
  | 'switch'
  | 'raise-ttl'
  | 'restore'
  | 'withdraw'

export interface MxSet {
  readonly ttlSeconds: number
  /** At least one; each host once. */
  readonly exchangers: readonly Exchanger[]
}

export interface MigrationPolicy {
  readonly mode: StsMode
  readonly maxAgeSeconds: number
  readonly recordTtlSeconds: number
  /** The id that senders had seen before. */
  readonly oldId: string
  readonly newId: string
}

/** One string among the TXT records of the domain. */
export interface MigrationSpf {
  readonly ttlSeconds: number
  readonly oldText: string
  /** With the terms of both sides. */
  readonly jointText: string
}

/** Of new exchangers inside the zone: what waypost.yaml declares, and the zone did not have when the migration began. */
export interface MigrationAddresses {
  /** At least one; each host and type once. */
  readonly sets: readonly AddressSet[]
  /** How long caches may hold what was before: another set, or that there was none (RFC 2308 §5). */
  readonly cachedSeconds: number
}

export interface AddressSet {
  readonly host: HostName
  readonly type: 'A' | 'AAAA'
  /** Undefined: there was no such set. */
  readonly before: { readonly ttlSeconds: number; readonly addresses: readonly IpAddress[] } | undefined
  /** Empty: there shall be none. The TTL is that of the new exchangers. */
  readonly addresses: readonly IpAddress[]
}

export interface Migration {
  readonly domain: HostName
  /** What it moves to, as people said it. */
  readonly to: string
  readonly startedAtMs: number
  /** As it was: what `restore` brings back. */
  readonly old: MxSet
  /** As it shall be. */
  readonly next: MxSet
  /** In between. Not more than either. */
  readonly lowTtlSeconds: number
  /** Caches may hold, from changes before this one, a TTL of before until then; since 1970. */
  readonly heldUntilMs: number | undefined
  /** Undefined: senders are held to none. */
  readonly policy: MigrationPolicy | undefined
  /** Undefined: who may send is none of this migration's business. */
  readonly spf?: MigrationSpf | undefined
  /** Undefined: the new exchangers have theirs, or others keep them. */
  readonly addresses?: MigrationAddresses | undefined
  readonly isBack: boolean
  /** What every authoritative server was seen to answer with, in order. */
  readonly seen: readonly SeenStage[]
}

export interface SeenStage {
  readonly stage: Stage
  /** When the last server was seen to have it, since 1970. */
  readonly atMs: number
}

/** What must hold right before a stage is written. */
export type Proof =
  | 'nothing'
  /** The new exchangers do not refuse the domain's mail: they are about to be named, and what refuses bounces. */
  | 'new-take-mail'
  /** The MTA-STS policy that is served lists old and new exchangers. */
  | 'policy-lists-both'
  /** The old exchangers still take mail. */
  | 'old-take-mail'

export type NextStep =
  | { readonly kind: 'apply'; readonly stage: Stage; readonly proof: Proof }
  /** `stage` comes then; undefined: nothing, it is over then. */
  | { readonly kind: 'wait'; readonly stage: Stage | undefined; readonly untilMs: number; readonly why: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'aborted' }

/** RFC 8461 §3.3: a suggested look a day; a shorter max_age ends a cached policy earlier. */
const policyLookSeconds = 86_400

/** A resolver that asked right before the last server changed starts to count a little later than we do. */
const marginMs = 5_000

export const forwardStages = [
  'authorise',
  'addresses',
  'lower-ttl',
  'policy',
  'add',
  'switch',
  'raise-ttl',
] as const satisfies readonly Stage[]
export const backStages = ['restore', 'withdraw'] as const satisfies readonly Stage[]
const isBackStage = (stage: Stage) => backStages.some((each) => each === stage)

/** What this migration writes, in order. */
export function stagesOf(migration: Migration): readonly Stage[] {
  if (migration.isBack) {
    const done = migration.seen.map(({ stage }) => stage).filter((stage) => !isBackStage(stage))
    return [...done, ...backStages.filter((stage) => isNeeded(migration, stage))]
  }
  return forwardStages.filter((stage) => isNeeded(migration, stage))
}

function isNeeded({ old, next, lowTtlSeconds, policy, spf, addresses }: Migration, stage: Stage): boolean {
  switch (stage) {
    case 'authorise':
      return spf !== undefined
    case 'addresses':
    // Also where nobody saw them published: a crash may lie in between.
    case 'withdraw':
      return addresses !== undefined
    case 'lower-ttl':
      return old.ttlSeconds > lowTtlSeconds
    case 'policy':
      return policy !== undefined
    case 'raise-ttl':
      return next.ttlSeconds > lowTtlSeconds
    default:
      return true
  }
}

/** @param nowMs  since 1970 */
export function nextStep(migration: Migration, nowMs: number): NextStep {
  const last = migration.seen.findLast(({ stage }) => !unwaited.includes(stage))
  const stage = stagesOf(migration)[migration.seen.length]
  const wait = later(waitBehind(migration, last), stage === 'add' ? waitForAddresses(migration) : undefined)
  // Back is never waited for: what was there before is known to work. Nor is what does no harm at any time.
  const isFree = stage === 'restore' || stage === 'addresses'
  if (wait && wait.untilMs > nowMs && !isFree) return { kind: 'wait', stage, ...wait }
  if (stage !== undefined) return { kind: 'apply', stage, proof: proofOf(migration, stage) }
  return { kind: migration.isBack ? 'aborted' : 'done' }
}

function proofOf(migration: Migration, stage: Stage): Proof {
  switch (stage) {
    case 'policy':
      return 'policy-lists-both'
    case 'add':
    case 'switch':
      return 'new-take-mail'
    case 'restore':
      return migration.seen.some((each) => each.stage === 'switch') ? 'old-take-mail' : 'nothing'
    default:
      return 'nothing'
  }
}

/** What follows right behind these hangs on none of them: who may send, and addresses of hosts that nobody names yet. */
const unwaited: readonly Stage[] = ['authorise', 'addresses']

interface Wait {
  readonly untilMs: number
  readonly why: string
}

const later = (one: Wait | undefined, other: Wait | undefined) =>
  one && other ? (one.untilMs >= other.untilMs ? one : other) : (one ?? other)

/** Before anybody is sent to the new exchangers: a cache that was asked for one before may hold that there is no such host. */
function waitForAddresses({ seen, addresses }: Migration): Wait | undefined {
  const published = seen.find(({ stage }) => stage === 'addresses')
  if (published === undefined || addresses === undefined) return undefined
  return {
    untilMs: published.atMs + addresses.cachedSeconds * 1000 + marginMs,
    why: 'caches may hold that the new exchangers have other addresses, or none',
  }
}

/** Until when nothing further may be done behind this stage, and why. */
function waitBehind(migration: Migration, last: SeenStage | undefined): Wait | undefined {
  const { old, next, lowTtlSeconds, policy, heldUntilMs } = migration
  if (last === undefined) {
    // Lowering the TTL does no harm at any time; whatever else follows on a TTL that is low already waits for what was before it.
    if (heldUntilMs === undefined || isNeeded(migration, 'lower-ttl')) return undefined
    return { untilMs: heldUntilMs, why: 'caches may hold the records with the longer TTL that they had before' }
  }
  const after = (seconds: number) => last.atMs + seconds * 1000 + marginMs
  switch (last.stage) {
    case 'lower-ttl':
      return {
        untilMs: Math.max(after(old.ttlSeconds), heldUntilMs ?? 0),
        why: 'caches may hold the old records with the TTL that they had',
      }
    case 'policy':
      return {
        untilMs: after((policy?.recordTtlSeconds ?? 0) + Math.min(policy?.maxAgeSeconds ?? 0, policyLookSeconds)),
        why: 'senders may have kept the MTA-STS policy that lists the old exchangers alone',
      }
    case 'add':
      return { untilMs: after(lowTtlSeconds), why: 'caches may hold the old exchangers alone' }
    case 'switch':
      return {
        untilMs: after(lowTtlSeconds),
        why: 'caches may hold the old exchangers: they must take mail until then',
      }
    case 'authorise':
    case 'addresses':
    case 'raise-ttl':
    case 'withdraw':
      return undefined
    case 'restore':
      if (!mayHaveNamedNew(migration, last.atMs)) return undefined
      return {
        untilMs: after(Math.max(lowTtlSeconds, mayBeRaised(migration) ? next.ttlSeconds : 0)),
        why: 'caches may hold the new exchangers: they must take mail until then, if they ever were to',
      }
  }
}

/** It follows the switch, and some servers may have got it without all of them being seen to. */
const mayBeRaised = ({ seen }: Migration) => seen.some(({ stage }) => stage === 'switch')

/** Whether `add` was seen, or could have been begun before this moment, so that caches may know the new exchangers. */
function mayHaveNamedNew(migration: Migration, atMs: number): boolean {
  const seen = migration.seen.filter(({ stage }) => stage !== 'restore')
  if (seen.some(({ stage }) => stage === 'add' || stage === 'switch')) return true
  const open = nextStep({ ...migration, isBack: false, seen }, atMs)
  return open.kind !== 'wait' && !(open.kind === 'apply' && beforeAdd.includes(open.stage))
}

const beforeAdd: readonly Stage[] = forwardStages.slice(0, forwardStages.indexOf('add'))

/** The MX set that a stage leaves behind; some leave it as it is. */
export function setAfter(migration: Migration, stage: Stage): MxSet {
  const { old, next, lowTtlSeconds } = migration
  switch (stage) {
    case 'authorise':
    case 'addresses':
      return old
    case 'lower-ttl':
    case 'policy':
      return { ttlSeconds: lowTtlSeconds, exchangers: old.exchangers }
    case 'add':
      return { ttlSeconds: lowTtlSeconds, exchangers: beside(old.exchangers, next.exchangers) }
    case 'switch':
      return { ttlSeconds: lowTtlSeconds, exchangers: next.exchangers }
    case 'raise-ttl':
      return next
    case 'restore':
    case 'withdraw':
      return old
  }
}

/** The sets that may rightly be live while this is the next stage: any other was put there by somebody else. */
export function expectedSets(migration: Migration): readonly MxSet[] {
  const { seen, old } = migration
  const stages = migration.isBack ? [...forwardStages, ...backStages] : stagesOf(migration).slice(0, seen.length + 1)
  return [...(seen.length === 0 || migration.isBack ? [old] : []), ...stages.map((stage) => setAfter(migration, stage))]
}

/**
 * The new exchangers behind the old ones, in their own order: a sender comes to them only where no old one answers. RFC 974 and RFC 5321 §5.1 know
 * numbers only by their order, so that the old ones are numbered anew where there is no room behind them.
 */
export function beside(old: readonly Exchanger[], next: readonly Exchanger[]): Exchanger[] {
  const hosts = new Set(old.map(({ host }) => host))
  const added = next.filter(({ host }) => !hosts.has(host))
  const ranks = ranksOf(added)
  const worst = Math.max(...old.map(({ preference }) => preference))
  const hasRoom = worst + 10 * (ranks.size + 1) <= 65_535
  const oldRanks = ranksOf(old)
  const front = hasRoom ? old : old.map((each) => ({ ...each, preference: oldRanks.get(each.preference) ?? 0 }))
  const base = hasRoom ? worst : oldRanks.size - 1
  const step = hasRoom ? 10 : 1
  const back = added.map(({ host, preference }) => ({
    host,
    preference: base + step * (1 + (ranks.get(preference) ?? 0)),
  }))
  return [...front, ...back]
}

/** 0 for the best preference, 1 for the next. */
function ranksOf(exchangers: readonly Exchanger[]): ReadonlyMap<number, number> {
  const preferences = [...new Set(exchangers.map(({ preference }) => preference))].toSorted((a, b) => a - b)
  return new Map(preferences.map((preference, rank) => [preference, rank]))
}

/** After every authoritative server was seen to answer with what the stage leaves. */
export function stageSeen(migration: Migration, stage: Stage, atMs: number): Migration {
  return { ...migration, seen: [...migration.seen, { stage, atMs }] }
}

/** Where it is over there is nothing to go back from: that would be another migration. */
export function turnBack(migration: Migration, nowMs: number): Migration | undefined {
  if (migration.isBack || nextStep(migration, nowMs).kind === 'done') return undefined
  return { ...migration, isBack: true }
}

export type Beginning =
  | { readonly kind: 'begun'; readonly migration: Migration }
  /** The live set is the wanted one but for TTL and order. */
  | { readonly kind: 'nothing-to-move' }
  | { readonly kind: 'impossible'; readonly why: string; readonly remedy: string }

export interface BeginWords {
  readonly domain: HostName
  readonly to: string
  /** Live; undefined: there are no MX records. */
  readonly old: MxSet | undefined
  readonly next: MxSet
  readonly lowTtlSeconds: number
  readonly heldUntilMs: number | undefined
  readonly policy: MigrationPolicy | undefined
  readonly spf?: MigrationSpf | undefined
  readonly addresses?: MigrationAddresses | undefined
}

/** A root exchanger is a null MX (RFC 7505 §3). */
export function beginMigration(words: BeginWords, nowMs: number): Beginning {
  const { domain, old, next } = words
  const impossible = (why: string, remedy: string): Beginning => ({ kind: 'impossible', why, remedy })
  if (next.exchangers.length === 0 || next.exchangers.some(({ host }) => host === '.'))
    return impossible(`${domain} would take no mail`, 'To have it take none, declare "exchangers: none" and apply.')
  if (old === undefined || old.exchangers.length === 0)
    return impossible(
      `${domain} has no MX records, so that its mail goes to its own address, if it has one (RFC 5321 §5.1)`,
      `Declare where it goes now, such as exchangers: [{ preference: 10, host: ${domain} }], apply that, and migrate then.`,
    )
  if (old.exchangers.some(({ host }) => host === '.'))
    return impossible(
      `${domain} takes no mail now (RFC 7505)`,
      'Nothing can be lost: declare its exchangers, and apply.',
    )
  if (sameExchangers(old.exchangers, next.exchangers)) return { kind: 'nothing-to-move' }
  const lowTtlSeconds = Math.min(words.lowTtlSeconds, old.ttlSeconds, next.ttlSeconds)
  return { kind: 'begun', migration: { ...words, old, lowTtlSeconds, startedAtMs: nowMs, isBack: false, seen: [] } }
}

export function sameExchangers(one: readonly Exchanger[], other: readonly Exchanger[]): boolean {
  const keys = (all: readonly Exchanger[]) => new Set(all.map(({ preference, host }) => `${preference} ${host}`))
  const [a, b] = [keys(one), keys(other)]
  return a.size === b.size && [...a].every((key) => b.has(key))
}

export const sameMxSet = (one: MxSet, other: MxSet): boolean =>
  one.ttlSeconds === other.ttlSeconds && sameExchangers(one.exchangers, other.exchangers)

/** Hosts that are new. */
export function newHosts({ old, next }: Migration): HostName[] {
  const known = new Set(old.exchangers.map(({ host }) => host))
  return next.exchangers.map(({ host }) => host).filter((host) => !known.has(host))
}

/** Old and new, each once. */
export function hostsOfBoth({ old, next }: Pick<Migration, 'old' | 'next'>): HostName[] {
  return [...new Set([...old.exchangers, ...next.exchangers].map(({ host }) => host))]
}

/** Until when the old exchangers must go on to take mail; undefined: that is not known yet. */
export function oldNeededUntilMs(migration: Migration): number | undefined {
  const switched = migration.seen.find(({ stage }) => stage === 'switch')
  return switched && waitBehind(migration, switched)?.untilMs
}
