/**
 * A zone in which nothing is to be changed: what is declared is kept, and that proves nothing of its servers. They may not have read it yet, because
 * a command failed when it was written. Called by `waypost plan`, which only looks, and only at servers that waypost.yaml names, and by `waypost apply`.
 */
import { type ExaminedZone, type ExamineOptions, hasChanges } from '../plan/examine.ts'
import type { ZonePlan } from '../plan/plan.ts'
import type { SetChange } from '../targets/target.ts'
import { witnessesOf } from '../targets/witnesses.ts'
import { type AppliedZone, type ApplyDeps, type ApplyOptions, waitFor } from './apply.ts'
import { type Verified, type VerifyDeps, verifyChanges } from './verify.ts'

/** Whether all of it is kept, in a place that is known. */
export const isAsDeclared = (zone: ExaminedZone): boolean =>
  zone.unit.publisher !== undefined && zone.plan.obstacles.length === 0 && !hasChanges(zone)

/** Whether waypost.yaml says which servers answer for it. */
export const namesServers = ({ unit }: ExaminedZone, { publishers }: ExamineOptions): boolean =>
  unit.publisher !== undefined && publishers[unit.publisher]?.servers !== undefined

/** One look, without a wait. @param timeoutMs  of one question */
export function lookAtUnchanged(
  { plan, target, unit }: ExaminedZone,
  options: ExamineOptions,
  timeoutMs: number,
  deps: VerifyDeps,
): Promise<Verified> {
  const witnesses = witnessesOf(unit.publisher, options)
  const look = { ...witnesses, limitMs: 0, timeoutMs, servers: target.servers, progress: () => undefined }
  return verifyChanges(plan.zone, declaredSets(plan), look, deps)
}

/** Has the servers read again what is kept, where there is a way to, and waits until they answer with it. */
export async function readAgain(examined: ExaminedZone, options: ApplyOptions, deps: ApplyDeps): Promise<AppliedZone> {
  const outcome = (await examined.target.reload?.()) ?? ({ kind: 'applied' } as const)
  const applied = { outcome, changes: [], cachesUntilMs: undefined }
  if (outcome.kind !== 'applied') return { ...applied, verified: undefined }
  return { ...applied, verified: await waitFor(examined, declaredSets(examined.plan), options, deps) }
}

const declaredSets = (plan: ZonePlan): SetChange[] => plan.sets.filter(({ domains }) => domains.length > 0)
