/**
 * A domain moved from one set of exchangers to another, in stages of which each is safe: what a migration is, and which stages it has. A value:
 * `next-step.ts` says what comes next and when, `stage-sets.ts` what each leaves in DNS, `step-migration.ts` does one, `migration-file.ts` keeps it.
 *
 * (authorise: SPF of both sides, where it is wanted) → (addresses: of new exchangers inside the zone that have none yet) → lower-ttl → its old TTL waited
 *   out, and what caches hold of these addresses → policy (MTA-STS with both sets, a new id) → senders fetch it → add (the new ones behind the old ones)
 *   → caches have both → switch (the new ones alone, once they are seen to take mail) → caches forget the old ones → raise-ttl → done
 * and back from each of them: restore → caches forget the new ones → (withdraw: the addresses that were published) → aborted
 *
 * What is promised: in every set that a cache may hold, the exchangers that are tried first take mail, as long as the old ones work until `done` and
 * the new ones from `switch` on. So there is never a moment without one.
 */
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import type { StsMode } from '../../records/mta-sts.ts'
import type { MxSet } from '../sets/mx-set.ts'

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
  readonly cachedUntilMs: number | undefined
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

export function isNeeded({ old, next, lowTtlSeconds, policy, spf, addresses }: Migration, stage: Stage): boolean {
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

/** After every authoritative server was seen to answer with what the stage leaves. */
export function stageSeen(migration: Migration, stage: Stage, atMs: number): Migration {
  return { ...migration, seen: [...migration.seen, { stage, atMs }] }
}

/** Hosts that are new. */
export function newHosts({ old, next }: Migration): HostName[] {
  const known = new Set(old.exchangers.map(({ host }) => host))
  return next.exchangers.map(({ host }) => host).filter((host) => !known.has(host))
}

/** Old and new, each once. */
export function hostsOfBoth({ old, next }: Pick<Migration, 'old' | 'next'>): HostName[] {
  return [...new Set([...old.exchangers, ...next.exchangers].map(({ host }) => host))]
}
