/**
 * Carries out what was examined and proves it: remember until when caches hold the old → apply → ask every authoritative server. Called by
 * `waypost apply`, which writes the next zone while the one before is still looked for.
 */
import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { Transport } from '../../dns/transport.ts'
import { typeCodes } from '../../dns/types.ts'
import type { CachedSets } from '../plan/cached-sets.ts'
import type { Concern, Refusal, RefusalRule } from '../plan/consequences.ts'
import type { ExaminedZone } from '../plan/examine.ts'
import { changesOf } from '../plan/plan.ts'
import { byKey, sameContent, setKey } from '../sets/record-set.ts'
import type { SetChange, TargetApplied } from '../targets/target.ts'
import type { Witnesses } from '../targets/witnesses.ts'
import { type ServerView, type Verified, verifyChanges } from './verify.ts'

export interface ApplyOptions extends Witnesses {
  /** How long to wait for the servers; 0: not at all. */
  readonly waitMs: number
  readonly timeoutMs: number
  readonly progress: (servers: readonly ServerView[]) => void
}

export interface ApplyDeps {
  readonly clock: Clock
  readonly cached: CachedSets
  readonly transport: Transport
  readonly resolver: Resolver
}

export interface AppliedZone {
  readonly outcome: TargetApplied
  readonly changes: readonly SetChange[]
  /** Undefined where nothing was to be seen, or nobody waited. */
  readonly verified: Verified | undefined
  /** Until when caches may hold what was there before, since 1970. Undefined: nothing was applied. */
  readonly cachesUntilMs: number | undefined
}

/** The refusals that nobody allowed. */
export function refusedBy(concerns: readonly Concern[], allowed: ReadonlySet<RefusalRule>): Refusal[] {
  return concerns.filter((concern) => concern.severity === 'refuse').filter(({ rule }) => !allowed.has(rule))
}

/** Only for plans without obstacles and with changes, whose refusals were allowed. */
export async function applyZone(examined: ExaminedZone, options: ApplyOptions, deps: ApplyDeps): Promise<AppliedZone> {
  return seeZone(examined, await writeZone(examined, deps), options, deps)
}

/** The first half of `applyZone`: the change is made, and nobody has looked whether it arrived. */
export async function writeZone(
  examined: ExaminedZone,
  deps: Pick<ApplyDeps, 'clock' | 'cached'>,
): Promise<AppliedZone> {
  const { target, plan, version } = examined
  const changes = changesOf(plan)
  // Whatever ends this process behind the write, a later plan has to know. Where nothing comes of it, it holds no longer than the TTL that is live.
  await keepAhead(changes, deps)
  const answer = await readBackIfUnknown(await target.apply({ changes, version }), examined, changes)
  const made = madeOf(answer, changes)
  if (made.length === 0) return { outcome: answer, changes, verified: undefined, cachesUntilMs: undefined }
  const nowMs = deps.clock.now()
  const outcome = await keepCached(
    answer,
    made.flatMap((change) => cachedOf(change, nowMs)),
    deps.cached,
  )
  const cachesUntilMs = Math.max(...made.map(({ before }) => nowMs + (before?.ttlSeconds ?? 0) * 1000))
  return { outcome, changes, verified: undefined, cachesUntilMs }
}

/** The second half: waits for the servers, where it was made and somebody wants to know. */
export async function seeZone(
  examined: ExaminedZone,
  written: AppliedZone,
  options: ApplyOptions,
  deps: ApplyDeps,
): Promise<AppliedZone> {
  if (written.outcome.kind !== 'applied' || options.waitMs === 0) return written
  return { ...written, verified: await waitFor(examined, written.changes, options, deps) }
}

/** Asks the servers of the zone until all of them answer with these sets, or the time is up. */
export function waitFor(
  { target, plan }: ExaminedZone,
  changes: readonly SetChange[],
  options: ApplyOptions,
  deps: ApplyDeps,
): Promise<Verified> {
  const look = { ...options, limitMs: options.waitMs, servers: target.servers }
  return verifyChanges(plan.zone, changes, look, deps)
}

/** Where no answer came, the place itself says whether it was done. That it was not done yet says nothing: it may still be. */
async function readBackIfUnknown(
  outcome: TargetApplied,
  { target }: ExaminedZone,
  changes: readonly SetChange[],
): Promise<TargetApplied> {
  if (outcome.kind !== 'unknown') return outcome
  const seen = await target.read(changes)
  if (seen.kind !== 'read') return outcome
  const now = byKey(seen.sets)
  const isDone = changes.every((change) => sameContent(now.get(setKey(change)), change.after))
  return isDone ? { kind: 'applied', note: `${outcome.why}; and yet it is done` } : outcome
}

/** What cannot be kept is told behind the write, where it is kept anew with the time of it. */
async function keepAhead(
  changes: readonly SetChange[],
  { clock, cached }: Pick<ApplyDeps, 'clock' | 'cached'>,
): Promise<void> {
  const nowMs = clock.now()
  await cached.add(changes.flatMap((change) => cachedOf(change, nowMs))).catch((error: unknown) => {
    if (errorCode(error) === undefined) throw error
  })
}

/** The zone is changed already: what cannot be kept about it is told, and everything else goes on. */
async function keepCached(
  outcome: TargetApplied,
  sets: Parameters<CachedSets['add']>[0],
  cached: CachedSets,
): Promise<TargetApplied> {
  try {
    await cached.add(sets)
    return outcome
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    const lost = `until when caches hold the old exchangers could not be kept (${code}), so that later plans cannot refuse by ttl-wait`
    if (outcome.kind === 'applied') return { kind: 'applied', note: joined(outcome.note, lost) }
    return 'why' in outcome ? { ...outcome, why: joined(outcome.why, lost) } : outcome
  }
}

const joined = (first: string | undefined, second: string) => (first === undefined ? second : `${first}; ${second}`)

/** Those that were made, or may have been. */
function madeOf(outcome: TargetApplied, changes: readonly SetChange[]): readonly SetChange[] {
  switch (outcome.kind) {
    case 'applied':
    case 'not-loaded':
    case 'unknown':
      return changes
    case 'partly':
      return [...outcome.done, ...outcome.unknown]
    default:
      return []
  }
}

/** Of the sets by which mail is led. */
function cachedOf({ name, code, before }: SetChange, nowMs: number) {
  return code === typeCodes.MX && before ? [{ name, code, untilMs: nowMs + before.ttlSeconds * 1000 }] : []
}
