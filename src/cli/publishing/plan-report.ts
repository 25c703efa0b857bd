/**
 * What `waypost plan` and `waypost apply` show of a plan: lines with +, ~ and - for people, one object for machines. Pure but for the colours. The
 * JSON is the same from run to run as long as nothing changes: no times, a fixed order; `apply --plan FILE` compares by it.
 */
import { styleText } from 'node:util'
import { printable } from '../../base/printable.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { rdataText } from '../../dns/rdata-text.ts'
import { typeName } from '../../dns/types.ts'
import { nameText, plainNameText } from '../../dns/wire-name.ts'
import { refusedBy } from '../../publish/apply/apply.ts'
import type { Concern, RefusalRule } from '../../publish/plan/consequences.ts'
import type { Examined, ExaminedZone, FailedZone } from '../../publish/plan/examine.ts'
import { changesOf, type PlannedLine, type PlannedSet, type ZonePlan } from '../../publish/plan/plan.ts'
import type { SetContent } from '../../publish/sets/record-set.ts'
import type { NamedStep, PlannedStep } from './planned-step.ts'

export interface Style {
  readonly color: boolean
  /** Refusals that were allowed on the command line. */
  readonly allowed: ReadonlySet<RefusalRule>
  /** Whether no domain of the whole configuration declares a record. */
  readonly isUndeclared?: boolean
}

type Paint = (format: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string

const painter =
  (color: boolean): Paint =>
  (format, text) =>
    color ? styleText(format, text, { validateStream: false }) : text

/** @param steps  of migrations that `apply` would do beside; without their records where these are shown when each is done */
export function planText(
  zones: readonly Examined[],
  style: Style,
  steps: readonly (NamedStep | PlannedStep)[] = [],
): string {
  if (style.isUndeclared && zones.length === 0 && steps.length === 0) return nothingDeclared
  const paint = painter(style.color)
  const parts = zones.map((zone) => (zone.kind === 'failed' ? failedText(zone, paint) : zoneText(zone, style, paint)))
  const moving = steps.map((step) => stepText(step, paint))
  return `${[...parts, ...moving, ...summaryLines(zones, steps.length, style.allowed, paint)].join('\n\n')}\n`
}

const nothingDeclared =
  'Nothing is declared: no domain has "exchangers:". "waypost import dns example.com" writes what is live as a declaration.\n'

function stepText(step: NamedStep | PlannedStep, paint: Paint): string {
  const { migration, what } = step
  const { domain, to, isBack } = migration
  const head = [
    `${paint('bold', domain)} ${isBack ? 'back from' : 'to'} ${printable(to, 200)}, the next step of its migration`,
    `  ${paint('yellow', `> ${what}`)}`,
  ]
  if (!('records' in step)) return head.join('\n')
  const { records } = step
  if (records.kind === 'plan') return [...head, ...recordLines(records.plan.sets, paint)].join('\n')
  const remedy = records.remedy === undefined ? [] : [`    ${paint('dim', records.remedy)}`]
  return [...head, `  ${paint('red', '✗')} ${records.why}`, ...remedy].join('\n')
}

function headline({ unit }: Examined, place: string, paint: Paint): string {
  const zone = plainNameText(unit.zone)
  const publisher = unit.publisher === undefined ? '' : ` at ${printable(unit.publisher, 70)}`
  return `${paint('bold', zone)}${publisher}${place === '' ? '' : paint('dim', ` (${place})`)}`
}

function failedText(zone: FailedZone, paint: Paint): string {
  const { why, remedy } = zone.failure
  const lines = [headline(zone, '', paint), `  ${paint('red', '✗')} ${why}`]
  if (remedy !== undefined) lines.push(`    ${paint('dim', remedy)}`)
  return lines.join('\n')
}

function zoneText(zone: ExaminedZone, { allowed }: Style, paint: Paint): string {
  const lines = [headline(zone, zone.target.place, paint)]
  if (zone.isNewZone) lines.push(`  ${paint('green', '+')} the zone itself`)
  lines.push(...recordLines(zone.plan.sets, paint))
  if (lines.length === 1) lines.push('  nothing is declared')
  for (const { why, remedy } of zone.plan.obstacles)
    lines.push(`  ${paint('red', '✗')} ${why}`, `    ${paint('dim', remedy)}`)
  for (const concern of zone.concerns) lines.push(...concernLines(concern, allowed, paint))
  for (const note of zone.plan.notes) lines.push(`  ${paint('dim', `note: ${note}`)}`)
  return lines.join('\n')
}

function recordLines(sets: readonly PlannedSet[], paint: Paint): string[] {
  const rows = sets.flatMap((set) => set.lines.map((line) => ({ set, line })))
  const nameWidth = Math.max(0, ...rows.map(({ set }) => nameText(set.name).length))
  const dataWidth = Math.min(60, Math.max(0, ...rows.map(({ line }) => shown(line).length)))
  return rows.map(({ set, line }) => {
    const sign = signs[line.kind]
    const name = nameText(set.name).padEnd(nameWidth)
    const text = `${sign.text} ${name}  ${typeName(set.code).padEnd(5)} ${shown(line).padEnd(dataWidth)}`
    const why = line.kind === 'right' ? '' : paint('dim', `  ${line.why}`)
    return `  ${sign.format === undefined ? text : paint(sign.format, text)}${why}`.trimEnd()
  })
}

const signs = {
  add: { text: '+', format: 'green' },
  change: { text: '~', format: 'yellow' },
  remove: { text: '-', format: 'red' },
  right: { text: '=', format: 'dim' },
  'left-alone': { text: ' ', format: 'dim' },
} as const

function shown(line: PlannedLine): string {
  if (line.kind !== 'change') return `${dataText(line.data)}  TTL ${line.ttlSeconds}`
  const { from, to, fromTtlSeconds, toTtlSeconds } = line
  const ttl = fromTtlSeconds === toTtlSeconds ? `TTL ${toTtlSeconds}` : `TTL ${fromTtlSeconds} -> ${toTtlSeconds}`
  const [before, after] = [dataText(from), dataText(to)]
  return before === after ? `${after}  ${ttl}` : `${before} -> ${after}  ${ttl}`
}

const dataText = (data: Rdata) => printable(rdataText(data), 400)

function concernLines(
  { severity, rule, why, remedy }: Concern,
  allowed: ReadonlySet<RefusalRule>,
  paint: Paint,
): string[] {
  const below = `    ${paint('dim', remedy)}`
  if (severity === 'warn') return [`  ${paint('yellow', '!')} ${why} ${paint('dim', `(${rule})`)}`, below]
  if (allowed.has(rule)) return [`  ${paint('yellow', '!')} ${why} ${paint('dim', `(${rule}, allowed)`)}`, below]
  return [
    `  ${paint('red', '✗')} refused: ${why} ${paint('dim', `(${rule})`)}`,
    below,
    `    ${paint('dim', `It is done all the same with --allow ${rule}`)}`,
  ]
}

export interface Counts {
  readonly add: number
  readonly change: number
  readonly remove: number
  readonly leftAlone: number
  readonly failed: number
  readonly obstacles: number
}

export function countsOf(zones: readonly Examined[]): Counts {
  const lines = zones.flatMap((zone) => (zone.kind === 'examined' ? zone.plan.sets.flatMap((set) => set.lines) : []))
  const count = (kind: PlannedLine['kind']) => lines.filter((line) => line.kind === kind).length
  return {
    add: count('add') + zones.filter((zone) => zone.kind === 'examined' && zone.isNewZone).length,
    change: count('change'),
    remove: count('remove'),
    leftAlone: count('left-alone'),
    failed: zones.filter((zone) => zone.kind === 'failed').length,
    obstacles: zones.filter((zone) => zone.kind === 'examined' && zone.plan.obstacles.length > 0).length,
  }
}

function summaryLine(zones: readonly Examined[], steps: number, paint: Paint): string {
  const { add, change, remove, leftAlone, failed } = countsOf(zones)
  const alone = leftAlone > 0 ? ` ${leftAlone} left alone.` : ''
  const lost = failed > 0 ? paint('red', ` ${failed} zone${failed === 1 ? '' : 's'} could not be told.`) : ''
  const moving = steps === 0 ? '' : paint('bold', ` ${steps} step${steps === 1 ? '' : 's'} of migrations.`)
  if (add + change + remove > 0)
    return `${paint('bold', `${add} to add, ${change} to change, ${remove} to remove.`)}${moving}${alone}${lost}`
  const none = steps > 0 || (failed > 0 && failed === zones.length) ? '' : 'No changes.'
  return `${none}${moving}${none === '' && steps === 0 ? '' : alone}${lost}`.trim()
}

/** What the plan comes to, and whether `apply` would do it. */
function summaryLines(
  zones: readonly Examined[],
  steps: number,
  allowed: ReadonlySet<RefusalRule>,
  paint: Paint,
): string[] {
  const summary = summaryLine(zones, steps, paint)
  const rules = refusedRules(zones, allowed)
  if (rules.length === 0) return [summary]
  const all = rules.join(',')
  return [
    summary,
    `${paint('red', '✗')} "waypost apply" refuses this (${all}), and does it all the same with --allow ${all}`,
  ]
}

/** The rules by which `apply` refuses, in the order in which they are met. */
function refusedRules(zones: readonly Examined[], allowed: ReadonlySet<RefusalRule>): string[] {
  const concerns = zones.flatMap((zone) => (zone.kind === 'examined' ? zone.concerns : []))
  return [...new Set(refusedBy(concerns, allowed).map(({ rule }) => rule))]
}

/** One object of all zones, and of the steps of migrations beside. */
export function planJson(
  zones: readonly Examined[],
  steps: readonly PlannedStep[],
  allowed: ReadonlySet<RefusalRule>,
): string {
  const all = { refused: refusedRules(zones, allowed), migrations: steps.map(stepJson), zones: zones.map(zoneJson) }
  return JSON.stringify(all, undefined, 2)
}

function stepJson({ migration, stage, what, records }: PlannedStep) {
  const { domain, to } = migration
  const head = { domain, to, stage, what }
  if (records.kind === 'plan') return { ...head, changes: changesJson(records.plan) }
  return { ...head, failure: records }
}

const changesJson = (plan: ZonePlan) =>
  changesOf(plan).map((change) => ({
    name: nameText(change.name),
    type: typeName(change.code),
    before: contentJson(change.before),
    after: contentJson(change.after),
  }))

function zoneJson(zone: Examined) {
  const { unit } = zone
  const head = {
    zone: nameText(unit.zone),
    publisher: unit.publisher ?? null,
    domains: unit.declarations.map(({ domain }) => domain),
  }
  if (zone.kind === 'failed') return { ...head, kind: 'failed', failure: zone.failure }
  return {
    ...head,
    kind: 'examined',
    place: zone.target.place,
    version: zone.version,
    newZone: zone.isNewZone,
    changes: changesJson(zone.plan),
    records: zone.plan.sets.flatMap((set) => set.lines.map((line) => lineJson(set, line))),
    obstacles: zone.plan.obstacles,
    concerns: zone.concerns,
    notes: zone.plan.notes,
  }
}

const contentJson = (content: SetContent | undefined) =>
  content ? { ttl: content.ttlSeconds, data: content.data.map((data) => rdataText(data)).toSorted() } : null

function lineJson(set: PlannedSet, line: PlannedLine) {
  const head = { kind: line.kind, name: nameText(set.name), type: typeName(set.code) }
  if (line.kind === 'change')
    return {
      ...head,
      from: { ttl: line.fromTtlSeconds, data: rdataText(line.from) },
      to: { ttl: line.toTtlSeconds, data: rdataText(line.to) },
      why: line.why,
    }
  return { ...head, ttl: line.ttlSeconds, data: rdataText(line.data), ...('why' in line ? { why: line.why } : {}) }
}
