/**
 * What comes next in a migration, when it may be done, and what must be proven first. Pure: the clock's time and what was seen are handed in.
 * `migration.ts` has the stages and what they promise; `step-migration.ts` does them.
 */
import { forwardStages, isNeeded, type Migration, type SeenStage, type Stage, stagesOf } from './migration.ts'

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

const cachedFromBefore = 'caches may hold the records with the longer TTL that they had before an earlier change'

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
  const { old, next, lowTtlSeconds, policy, cachedUntilMs } = migration
  if (last === undefined) {
    // Lowering the TTL does no harm at any time; whatever else follows on a TTL that is low already waits for what was before it.
    if (cachedUntilMs === undefined || isNeeded(migration, 'lower-ttl')) return undefined
    return { untilMs: cachedUntilMs, why: cachedFromBefore }
  }
  const after = (seconds: number) => last.atMs + seconds * 1000 + marginMs
  switch (last.stage) {
    case 'lower-ttl':
      return later(
        { untilMs: after(old.ttlSeconds), why: 'caches may hold the old records with the TTL that they had' },
        cachedUntilMs === undefined ? undefined : { untilMs: cachedUntilMs, why: cachedFromBefore },
      )
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

/** Where it is over there is nothing to go back from: that would be another migration. */
export function turnBack(migration: Migration, nowMs: number): Migration | undefined {
  if (migration.isBack || nextStep(migration, nowMs).kind === 'done') return undefined
  return { ...migration, isBack: true }
}

/** Until when the old exchangers must go on to take mail; undefined: that is not known yet. */
export function oldNeededUntilMs(migration: Migration): number | undefined {
  const switched = migration.seen.find(({ stage }) => stage === 'switch')
  return switched && waitBehind(migration, switched)?.untilMs
}
