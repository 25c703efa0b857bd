/**
 * What would be done, zone by zone: the table of contents of a plan. Called by `waypost plan` and `waypost apply`.
 *
 * declarations → one unit a zone and publisher (`unitsOf`) → its target (`create-target.ts`) → what is wanted (`wanted.ts`) and what is live
 *   → the difference (`plan.ts`) → what it would do to mail (`prospect.ts`, `consequences.ts`)
 */
import type { Clock } from '../../base/clock.ts'
import type { HostName } from '../../dns/name.ts'
import { hostFromName, nameFromHost, type WireName } from '../../dns/wire-name.ts'
import type { Declaration } from '../declare/declaration.ts'
import { wantedIn } from '../declare/wanted.ts'
import type { PublisherOptions } from '../options.ts'
import { createTarget, type TargetDeps } from '../targets/create-target.ts'
import { createDnsReader } from '../targets/dns-reader.ts'
import type { Target, TargetFailure } from '../targets/target.ts'
import type { WitnessOptions } from '../targets/witnesses.ts'
import type { AskDeps, AskOptions } from './ask-exchangers.ts'
import type { CachedSets } from './cached-sets.ts'
import { type Concern, consequences } from './consequences.ts'
import { readInTurn } from './in-turn.ts'
import { changesOf, planZone, questionsOf, questionsOfLeaving, type ZonePlan } from './plan.ts'
import { lookAhead } from './prospect.ts'
import { seenElsewhere } from './seen-elsewhere.ts'

/** The declarations that lie in one zone at one publisher: what is planned and applied together. */
export interface Unit {
  /** Undefined: nobody said where; it is compared with what DNS says. */
  readonly publisher: string | undefined
  readonly zone: WireName
  readonly declarations: readonly Declaration[]
}

export type Examined = ExaminedZone | FailedZone

export interface ExaminedZone {
  readonly kind: 'examined'
  readonly unit: Unit
  readonly target: Target
  readonly plan: ZonePlan
  /** For `Target.apply`. */
  readonly version: string
  readonly isNewZone: boolean
  readonly concerns: readonly Concern[]
}

/** Whether there is something to apply. */
export const hasChanges = (zone: Examined): zone is ExaminedZone =>
  zone.kind === 'examined' && (zone.isNewZone || changesOf(zone.plan).length > 0)

/** It could not be told what would be done. */
export interface FailedZone {
  readonly kind: 'failed'
  readonly unit: Unit
  readonly failure: TargetFailure
}

export interface ExamineOptions extends AskOptions, WitnessOptions {}

export interface ExamineDeps extends TargetDeps, AskDeps {
  readonly clock: Clock
  readonly cached: CachedSets
}

/**
 * In the order of the declarations, those of one zone and publisher together. The built-in server is one place by whatever name: two plans of one zone
 * of it would each be made without the other.
 */
export function unitsOf(
  declarations: readonly Declaration[],
  publishers: Readonly<Record<string, PublisherOptions>>,
): Unit[] {
  const units = new Map<string, { publisher: string | undefined; zone: WireName; declarations: Declaration[] }>()
  for (const declaration of declarations) {
    const { publisher, domain } = declaration
    const zone = (publisher === undefined ? undefined : publishers[publisher]?.zone) ?? nameFromHost(domain)
    const isBuiltin = publisher !== undefined && publishers[publisher]?.type === 'builtin'
    const key = `${isBuiltin ? 'builtin' : (publisher ?? '')} ${zone}`
    const unit = units.get(key)
    if (unit) unit.declarations.push(declaration)
    else units.set(key, { publisher, zone, declarations: [declaration] })
  }
  return [...units.values()]
}

/** The declarations of these domains, and of nobody else; a name without one is told. */
export function chosen(
  declarations: readonly Declaration[],
  names: readonly HostName[],
): { readonly declarations: readonly Declaration[]; readonly unknown: readonly HostName[] } {
  if (names.length === 0) return { declarations, unknown: [] }
  const known = new Set(declarations.map(({ domain }) => domain))
  return {
    declarations: declarations.filter(({ domain }) => names.includes(domain)),
    unknown: names.filter((name) => !known.has(name)),
  }
}

/** Groups at once: enough that a slow resolver or exchanger holds up few, and no burst for either. */
const atOnceWithSmtp = 50
const atOnceWithoutSmtp = 200

export interface ManyOptions {
  /** Zones at once, at least 1; undefined: as many as is right for what is asked. */
  readonly atOnce: number | undefined
  /** How many are done, after each. */
  readonly onDone: (done: number) => void
}

/** `examine` for each unit, several at once; what comes back stands in their order. Rejects with what the first threw, with all targets closed. */
export function examineUnits(
  units: readonly Unit[],
  options: ExamineOptions,
  deps: ExamineDeps,
  { atOnce = options.asksSmtp ? atOnceWithSmtp : atOnceWithoutSmtp, onDone }: ManyOptions,
): Promise<Examined[]> {
  return readInTurn<Unit, Examined>(units, {
    ...{ publisherOf: ({ publisher }) => publisher, publishers: options.publishers, atOnce, onDone },
    read: (unit) => examine(unit, options, deps),
    failed: (unit, failure) => ({ kind: 'failed', unit, failure }),
    close: (zone) => zone.kind === 'examined' && zone.target.close(),
  })
}

/** Reads and asks; changes nothing. The target of what comes back is closed by the caller. */
export async function examine(unit: Unit, options: ExamineOptions, deps: ExamineDeps): Promise<Examined> {
  const created = await targetOf(unit, options, deps)
  return created.kind === 'target'
    ? examineAt(created.target, unit, options, deps)
    : { kind: 'failed', unit, failure: created }
}

/** `examine` at a target, which is closed unless it comes back. */
export async function examineAt(
  target: Target,
  unit: Unit,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<Examined> {
  let isKept = false
  try {
    const examined = await readAndPlan(target, unit, options, deps)
    isKept = examined.kind === 'examined'
    return examined
  } finally {
    if (!isKept) target.close()
  }
}

async function readAndPlan(target: Target, unit: Unit, options: ExamineOptions, deps: ExamineDeps): Promise<Examined> {
  const failed = (failure: TargetFailure): FailedZone => ({ kind: 'failed', unit, failure })
  const wanted = wantedIn(unit.zone, unit.declarations)
  if (wanted.problems.length > 0)
    return failed({ kind: 'unusable', why: wanted.problems.join('; '), remedy: 'Mend it in waypost.yaml.' })
  const read = await target.read(questionsOf(wanted.sets))
  if (read.kind !== 'read') return failed(read)
  const more = questionsOfLeaving(wanted.sets, read.sets, unit.zone)
  // Only told, and never changed: so it matters little that this is another look.
  const leaving = more.length === 0 ? read : await target.read(more)
  if (leaving.kind !== 'read') return failed(leaving)
  const live = leaving === read ? read.sets : [...read.sets, ...leaving.sets]
  const planned = planZone(unit.zone, wanted.sets, live, target.limits)
  const elsewhere = read.isNewZone ? [] : await seenElsewhere(planned, target.place, deps.resolver)
  const plan = { ...planned, notes: [...wanted.notes, ...read.notes, ...elsewhere, ...planned.notes] }
  const prospects = await lookAhead(plan, options, deps)
  const concerns = consequences(plan, {
    prospects,
    cachedUntilMs: (set) => deps.cached.untilMs(set),
    cachedUnread: deps.cached.unread,
    nowMs: deps.clock.now(),
  })
  return { kind: 'examined', unit, target, plan, version: read.version, isNewZone: read.isNewZone, concerns }
}

async function targetOf(unit: Unit, options: ExamineOptions, deps: ExamineDeps) {
  const { publisher, zone } = unit
  if (publisher === undefined) return { kind: 'target', target: createDnsReader(zone, deps.resolver) } as const
  const said = options.publishers[publisher]
  if (said === undefined) return { kind: 'refused', why: `there is no publisher "${publisher}"` } as const
  return createTarget(publisher, said, zone, deps)
}

/** `example.com`, for people: the domains of a unit. */
export const unitText = ({ zone, declarations }: Unit): string => {
  const own = hostFromName(zone)
  const others = declarations.map(({ domain }) => domain).filter((domain) => domain !== own)
  return [own ?? '', ...others].filter((name) => name !== '').join(', ')
}
