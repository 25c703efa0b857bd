/**
 * The next step of a migration, looked at and then done. Called by `waypost migrate` and `waypost apply`, which ask in between.
 *
 * what comes next, and may it be done now (`next-step.ts`) → is proven what must hold → the plan of this one change (`examine.ts`) → is live what
 *   should be → written, and seen at every authoritative server (`apply.ts`) → only then does the migration know of it
 *
 * Every step can be done again: after a crash behind a write there is nothing to change, and the servers are looked at once more.
 */

import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import { typeCodes } from '../../dns/types.ts'
import { isCoveredBySts } from '../../records/mta-sts.ts'
import { selectSpf } from '../../records/spf.ts'
import { txtText } from '../../records/txt.ts'
import { type AppliedZone, type ApplyDeps, type ApplyOptions, applyZone, refusedBy } from '../apply/apply.ts'
import { isRight, verifyChanges } from '../apply/verify.ts'
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
import { changesOf, type PlannedSet } from '../plan/plan.ts'
import { askExchangers, type ExchangerProspect, policyOf } from '../plan/prospect.ts'
import { mxSetOf, sameMxSet } from '../sets/mx-set.ts'
import type { TargetFailure } from '../targets/target.ts'
import { hostsOfBoth, type Migration, type MigrationPolicy, newHosts, type Stage, stageSeen } from './migration.ts'
import { publishing, strangeAddresses, withdrawing } from './migration-addresses.ts'
import { type NextStep, nextStep, type Proof } from './next-step.ts'
import { publishedAddresses } from './published-addresses.ts'
import { expectedSets, setAfter } from './stage-sets.ts'

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

export type LookedAt =
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
  readonly allowed: ReadonlySet<RefusalRule>
}

/** Asks, and changes nothing. */
export async function lookAtStep(request: StepRequest, options: ExamineOptions, deps: ExamineDeps): Promise<LookedAt> {
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

/** For who only wants to see it: what must be proven first is not asked. Changes nothing. */
export async function planStep(
  request: StepRequest,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<ExaminedStep | AtRest> {
  const step = nextStep(request.migration, deps.clock.now())
  if (step.kind !== 'apply') return { kind: 'at-rest', step }
  return examineStage(request, step.stage, options, deps)
}

function unitOf(request: StepRequest, stage: Stage, { publishers }: ExamineOptions): Unit {
  const [unit] = unitsOf(declarationsOf(request, stage), publishers)
  if (unit === undefined) throw new TypeError('a stage declares something')
  return unit
}

async function examineStage(
  request: StepRequest,
  stage: Stage,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<ExaminedStep> {
  // Whether exchangers take mail is a proof of the step, and no concern of its records.
  const examined = await examine(unitOf(request, stage, options), { ...options, asksSmtp: false }, deps)
  if (examined.kind === 'failed') return { kind: 'failed', stage, failure: examined.failure }
  const close = <Outcome>(outcome: Outcome): Outcome => {
    examined.target.close()
    return outcome
  }
  const drift = driftOf(request.migration, examined, hostsOf(request, stage))
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
  { stage, examined }: Extract<LookedAt, { kind: 'ready' }>,
  options: ApplyOptions,
  deps: ApplyDeps,
): Promise<Done> {
  const hasChanges = changesOf(examined.plan).length > 0
  const applied = hasChanges ? await applyZone(examined, options, deps) : await lookAgain(examined, options, deps)
  const { verified, outcome } = applied
  const isSeen =
    outcome.kind === 'applied' &&
    verified !== undefined &&
    verified.servers.length > 0 &&
    verified.servers.every(isRight)
  return { applied, isSeen, migration: isSeen ? stageSeen(migration, stage, deps.clock.now()) : migration }
}

/** It was written before; whether everybody has it is what is left to see. */
async function lookAgain(examined: ExaminedZone, options: ApplyOptions, deps: ApplyDeps): Promise<AppliedZone> {
  const { plan, target } = examined
  const there = plan.sets.map(({ name, code, before, after }) => ({ name, code, before, after }))
  const verified = await verifyChanges(
    plan.zone,
    there,
    { ...options, limitMs: options.waitMs, servers: target.servers },
    deps,
  )
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

function driftOf(
  migration: Migration,
  { plan }: ExaminedZone,
  hosts: readonly HostAddresses[],
): { why: string; remedy: string } | undefined {
  const { domain } = migration
  const strange = strangeAddresses(hosts, migration, plan.sets)
  if (strange)
    return {
      why: `somebody else changed the addresses of ${strange.host}: they are ${strange.now.join(', ') || 'none'}`,
      remedy: `Put back what was there, or end this migration as it stands with "waypost migrate ${domain} --forget".`,
    }
  const before = plan.sets.find(({ code }) => code === typeCodes.MX)?.before
  const live = before && mxSetOf(before)
  const spf = spfDrift(migration, plan.sets)
  if (spf !== undefined) return spf
  if (live && expectedSets(migration).some((set) => sameMxSet(set, live))) return undefined
  const shown = live?.exchangers.map(({ preference, host }) => `${preference} ${host}`).join(', ') ?? 'none'
  return {
    why: `somebody else changed the MX records of ${domain}: they are ${printable(shown, 300)}${live ? ` (TTL ${live.ttlSeconds})` : ''}`,
    remedy: `Put back what was there, or end this migration as it stands with "waypost migrate ${domain} --forget".`,
  }
}

/** Only of a stage that writes it: whatever else becomes of it meanwhile is its owner's. */
function spfDrift(
  { domain, spf }: Migration,
  sets: readonly PlannedSet[],
): { why: string; remedy: string } | undefined {
  const set = sets.find(({ code }) => code === typeCodes.TXT)
  if (spf === undefined || set === undefined) return undefined
  const texts = (set.before?.data ?? []).flatMap((data) => (data.type === 'TXT' ? [txtText(data.strings)] : []))
  const live = selectSpf(texts)
  if (live.kind !== 'one' || live.text === spf.oldText || live.text === spf.jointText) return undefined
  return {
    why: `somebody else changed the SPF record of ${domain}: it is ${printable(live.text, 300)}`,
    remedy: `Put back "${spf.oldText}", or end this migration as it stands with "waypost migrate ${domain} --forget".`,
  }
}

async function prove(
  proof: Proof,
  migration: Migration,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<readonly Concern[]> {
  const { domain, old } = migration
  switch (proof) {
    case 'nothing':
      return []
    case 'new-take-mail':
      return takeMail(domain, newHosts(migration), options, deps)
    case 'old-take-mail':
      return takeMail(
        domain,
        old.exchangers.map(({ host }) => host),
        options,
        deps,
      )
    case 'policy-lists-both':
      return policyListsBoth(migration, options, deps)
  }
}

/** Every one of them: whoever refuses bounces what comes to it. */
async function takeMail(
  domain: HostName,
  hosts: readonly HostName[],
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<readonly Concern[]> {
  const asked = await askExchangers(domain, hosts, options, deps)
  return asked.flatMap((prospect) => notTaking(domain, prospect))
}

function notTaking(domain: HostName, { host, addresses, smtp }: ExchangerProspect): Concern[] {
  const refuse = (rule: RefusalRule, why: string, remedy: string): Concern[] => [
    { severity: 'refuse', rule, domain, why, remedy },
  ]
  if (addresses.kind === 'none')
    return refuse('no-working-exchanger', `${host} does not resolve: ${addresses.why}`, 'Mend its name or address.')
  switch (smtp.kind) {
    case 'takes':
      return []
    case 'refuses':
      return refuse(
        'no-working-exchanger',
        `${host} takes no mail for ${domain}: ${printable(smtp.reply, 200)}`,
        'Add the domain there first, with its mailboxes.',
      )
    case 'silent':
      return refuse('no-working-exchanger', `${host} answers no SMTP: ${smtp.why}`, 'Have it run first.')
    case 'not-wanted':
    case 'not-checked':
      return refuse(
        'unproven',
        `whether ${host} takes mail for ${domain} was not checked: ${smtp.kind === 'not-wanted' ? '--no-smtp' : printable(smtp.why, 200)}`,
        'Do this from where port 25 is open, or send a message there by hand and allow it.',
      )
  }
}

async function policyListsBoth(
  migration: Migration,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<readonly Concern[]> {
  const { domain, old, next, policy } = migration
  const refuse = (why: string, remedy: string): Concern[] => [
    { severity: 'refuse', rule: 'mta-sts', domain, why, remedy },
  ]
  const found = await policyOf(domain, options, deps)
  if (found.kind !== 'policy')
    return refuse(
      found.kind === 'none'
        ? `${domain} announces no MTA-STS policy any more`
        : `the MTA-STS policy of ${domain} could not be read: ${printable(found.why, 200)}`,
      'Senders may have kept the old one: serve it again, with old and new exchangers.',
    )
  const hosts = [...old.exchangers, ...next.exchangers].map(({ host }) => host)
  const missing = hosts.filter((host) => !isCoveredBySts(found.policy, host))
  if (missing.length === 0) return []
  return refuse(
    `the MTA-STS policy of ${domain} does not list ${missing.join(', ')}`,
    `Serve this at https://mta-sts.${domain}/.well-known/mta-sts.txt: ${policy ? policyLines(policy, hosts).join(' | ') : ''}`,
  )
}

/** RFC 8461 §3.2 */
export function policyLines({ mode, maxAgeSeconds }: MigrationPolicy, hosts: readonly HostName[]): string[] {
  const mx = [...new Set(hosts)].map((host) => `mx: ${host}`)
  return ['version: STSv1', `mode: ${mode}`, ...mx, `max_age: ${maxAgeSeconds}`]
}
