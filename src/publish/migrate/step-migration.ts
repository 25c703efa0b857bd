/**
 * The next step of a migration, looked at and then done. Called by `waypost migrate` and `waypost apply`, which ask in between.
 *
 * what comes next, and may it be done now (`next-step.ts`) → is proven what must hold (`prove-step.ts`) → the plan of this one change (`examine.ts`)
 *   → is live what should be (`drift.ts`) → written, and seen at every authoritative server (`apply.ts`) → only then does the migration know of it
 *
 * Every step can be done again: after a crash behind a write there is nothing to change, and the servers are looked at once more.
 */

import type { HostName } from '../../dns/name.ts'
import { type AppliedZone, type ApplyDeps, type ApplyOptions, applyZone, refusedBy, waitFor } from '../apply/apply.ts'
import { isSeenByAll } from '../apply/verify.ts'
import type { Declaration, HostAddresses } from '../declare/declaration.ts'
import type { Concern, RefusalRule } from '../plan/consequences.ts'
import {
  type ExamineDeps,
  type ExaminedZone,
  type ExamineOptions,
  examine,
  type Unit,
  unitsOf,
} from '../plan/examine.ts'
import { changesOf } from '../plan/plan.ts'
import type { TargetFailure } from '../targets/target.ts'
import { driftOf } from './drift.ts'
import { hostsOfBoth, type Migration, type Stage, stageSeen } from './migration.ts'
import { publishing, withdrawing } from './migration-addresses.ts'
import type { UnreadMigration } from './migration-file.ts'
import { type NextStep, nextStep } from './next-step.ts'
import { prove } from './prove-step.ts'
import { publishedAddresses } from './published-addresses.ts'
import { setAfter } from './stage-sets.ts'

/** What the next step would write. */
export type ExaminedStep =
  /** `examined.target` is closed by the caller. */
  | { readonly kind: 'examined'; readonly stage: Stage; readonly examined: ExaminedZone }
  /** Neither what was there before the stage nor what it leaves. */
  | { readonly kind: 'drifted'; readonly stage: Stage; readonly why: string; readonly remedy: string }
  | { readonly kind: 'failed'; readonly stage: Stage; readonly failure: TargetFailure }

/** Nothing to do now, or any more. */
export interface AtRest {
  readonly kind: 'at-rest'
  readonly step: Exclude<NextStep, { kind: 'apply' }>
}

export type LookedAtStep =
  | AtRest
  /** `examined.target` is closed by the caller. */
  | {
      readonly kind: 'ready'
      readonly stage: Stage
      readonly examined: ExaminedZone
      readonly concerns: readonly Concern[]
    }
  /** What must hold does not, or would hurt. */
  | { readonly kind: 'refused'; readonly stage: Stage; readonly concerns: readonly Concern[] }
  | Exclude<ExaminedStep, { kind: 'examined' }>

export interface StepRequest {
  readonly migration: Migration
  readonly publisher: string
  /** Exchangers that other domains have, or move to: their addresses stay. */
  readonly needed: ReadonlySet<HostName>
  /** Migrations of others that cannot be read: what they need, nobody knows. */
  readonly unread: readonly UnreadMigration[]
  readonly allowed: ReadonlySet<RefusalRule>
}

/** Asks, and changes nothing. */
export async function lookAtStep(
  request: StepRequest,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<LookedAtStep> {
  const { migration, allowed } = request
  const step = nextStep(migration, deps.clock.now())
  if (step.kind !== 'apply') return { kind: 'at-rest', step }
  const { stage } = step
  const unit = unitOf(request, stage, options)
  const published = await publishedAddresses(unit, hostsOfBoth(migration), options, deps)
  const proof = await prove(step.proof, migration, { ...options, published }, deps)
  if (refusedBy(proof, allowed).length > 0) return { kind: 'refused', stage, concerns: proof }
  const looked = await examineStage(request, stage, { ...options, published }, deps)
  if (looked.kind !== 'examined') return looked
  const { examined } = looked
  const concerns = [...proof, ...examined.concerns.filter(({ rule }) => rule !== 'not-checked')]
  if (refusedBy(concerns, allowed).length === 0) return { kind: 'ready', stage, examined, concerns }
  examined.target.close()
  return { kind: 'refused', stage, concerns }
}

function unitOf(request: StepRequest, stage: Stage, { publishers }: ExamineOptions): Unit {
  const [unit] = unitsOf(declarationsOf(request, stage), publishers)
  if (unit === undefined) throw new TypeError('a stage declares something')
  return unit
}

/** What a stage would write, whether it is safe by now or not: what must be proven first is not asked. Changes nothing. */
export async function examineStage(
  request: StepRequest,
  stage: Stage,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<ExaminedStep> {
  const [unread] = request.unread
  if (unread !== undefined && stage === 'withdraw')
    return {
      ...{ kind: 'failed', stage },
      failure: { kind: 'unusable', why: 'another domain may lead to these', remedy: unread.why },
    }
  // Whether exchangers take mail is a proof of the step, and no concern of its records.
  const examined = await examine(unitOf(request, stage, options), { ...options, asksSmtp: false }, deps)
  if (examined.kind === 'failed') return { kind: 'failed', stage, failure: examined.failure }
  const close = <Outcome>(outcome: Outcome): Outcome => {
    examined.target.close()
    return outcome
  }
  const drift = driftOf(request.migration, examined.plan, hostsOf(request, stage))
  if (drift !== undefined) return close({ kind: 'drifted', stage, ...drift })
  const [obstacle] = examined.plan.obstacles
  if (obstacle) return close({ kind: 'failed', stage, failure: { ...obstacle, kind: 'unusable' } })
  return { kind: 'examined', stage, examined }
}

export interface Done {
  readonly applied: AppliedZone
  /** With the stage, where every server answers with it. */
  readonly migration: Migration
  readonly isSeen: boolean
}

export async function doStep(
  { migration }: StepRequest,
  { stage, examined }: Extract<LookedAtStep, { kind: 'ready' }>,
  options: ApplyOptions,
  deps: ApplyDeps,
): Promise<Done> {
  const hasChanges = changesOf(examined.plan).length > 0
  const applied = hasChanges ? await applyZone(examined, options, deps) : await lookAgain(examined, options, deps)
  const { verified, outcome } = applied
  const isSeen = outcome.kind === 'applied' && verified !== undefined && isSeenByAll(verified)
  return { applied, isSeen, migration: isSeen ? stageSeen(migration, stage, deps.clock.now()) : migration }
}

/** It was written before; whether everybody has it is what is left to see. */
async function lookAgain(examined: ExaminedZone, options: ApplyOptions, deps: ApplyDeps): Promise<AppliedZone> {
  const there = examined.plan.sets.map(({ name, code, before, after }) => ({ name, code, before, after }))
  const verified = await waitFor(examined, there, options, deps)
  return { outcome: { kind: 'applied' }, changes: [], verified, cachesUntilMs: undefined }
}

/** What a stage wants in DNS, and nothing else that waypost.yaml says. */
function declarationsOf(request: StepRequest, stage: Stage): Declaration[] {
  const { migration, publisher } = request
  const { domain, policy, spf } = migration
  const set = setAfter(migration, stage)
  const bare = { domain, publisher, texts: [], absent: [] }
  const exchangers = set.exchangers.map((each) => ({ ...each, addresses: undefined }))
  const mx: Declaration = { ...bare, exchangers, ttlSeconds: set.ttlSeconds }
  // Back to it also where nobody saw it change: a crash may lie in between.
  if (spf !== undefined && (stage === 'authorise' || stage === 'restore')) {
    const text = stage === 'authorise' ? spf.jointText : spf.oldText
    return [mx, { ...bare, exchangers: undefined, ttlSeconds: spf.ttlSeconds, texts: [{ kind: 'spf', text }] }]
  }
  if (stage === 'addresses' || stage === 'withdraw') return [{ ...mx, hosts: hostsOf(request, stage) }]
  if (stage !== 'policy' || policy === undefined) return [mx]
  const text = { kind: 'mtaSts', text: `v=STSv1; id=${policy.newId};` } as const
  return [mx, { ...bare, exchangers: undefined, ttlSeconds: policy.recordTtlSeconds, texts: [text] }]
}

function hostsOf({ migration, needed }: StepRequest, stage: Stage): HostAddresses[] {
  if (stage === 'addresses') return publishing(migration)
  return stage === 'withdraw' ? withdrawing(migration, needed) : []
}
