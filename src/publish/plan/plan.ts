/**
 * What is wanted and what is live → what would be added, changed, removed and left alone, record by record, merged into the sets that a target
 * takes. Pure; called by `examine.ts`. A plan of nothing is empty, however often it is made: names compare without case, data as DNS does.
 */
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { typeCodes, typeName } from '../../dns/types.ts'
import { foldName, isAtOrBelow, nameText, rootWireName, sameName, type WireName } from '../../dns/wire-name.ts'
import type { WantedSet } from '../declare/wanted.ts'
import {
  byKey,
  dataKey,
  distinct,
  type RecordSet,
  type SetContent,
  type SetName,
  sameContent,
  setKey,
  setText,
} from '../sets/record-set.ts'
import { isOfKind, textKinds } from '../sets/text-kind.ts'
import type { SetChange, TargetLimits } from '../targets/target.ts'

/** One set, with what becomes of each of its records. `before` and `after` are equal where nothing changes. */
export interface PlannedSet extends SetChange {
  readonly lines: readonly PlannedLine[]
  /** Whose declarations want something of it. */
  readonly domains: readonly HostName[]
}

/** What becomes of one record. */
export type PlannedLine =
  | { readonly kind: 'add'; readonly data: Rdata; readonly ttlSeconds: number; readonly why: string }
  | { readonly kind: 'remove'; readonly data: Rdata; readonly ttlSeconds: number; readonly why: string }
  /** Another TTL, another preference of the same exchanger, another text of the same kind. */
  | {
      readonly kind: 'change'
      readonly from: Rdata
      readonly to: Rdata
      readonly fromTtlSeconds: number
      readonly toTtlSeconds: number
      readonly why: string
    }
  /** Declared, and there already. */
  | { readonly kind: 'right'; readonly data: Rdata; readonly ttlSeconds: number }
  /** Nobody declared it. */
  | { readonly kind: 'left-alone'; readonly data: Rdata; readonly ttlSeconds: number; readonly why: string }

export interface ZonePlan {
  readonly zone: WireName
  readonly sets: readonly PlannedSet[]
  /** Why nothing can be done as it stands; printable. With one, nothing of it must be applied. */
  readonly obstacles: readonly Obstacle[]
  readonly notes: readonly string[]
}

export interface Obstacle {
  readonly kind: /** A CNAME stands, or would stand, beside other data (RFC 1034 §3.6.2). */
    | 'alias'
    /** The target cannot keep it. */
    | 'limit'
    /** More than one record of a kind of which there is one; which of them is right is not ours to choose. */
    | 'several'
  readonly why: string
  readonly remedy: string
}

/** @param live  all the sets that `questionsOf` and `questionsOfLeaving` name, as far as they exist */
export function planZone(
  zone: WireName,
  wanted: readonly WantedSet[],
  live: readonly RecordSet[],
  limits: TargetLimits,
): ZonePlan {
  const liveByKey = byKey(live)
  const notes: string[] = []
  const obstacles: Obstacle[] = []
  const groups = Map.groupBy(wanted, setKey)
  const sets = [...groups].map(([key, wishes]) => planSet(wishes, liveByKey.get(key), { limits, notes, obstacles }))
  for (const forgotten of abandonedHosts(sets, zone, live)) sets.push(forgotten)
  obstacles.push(...aliasesInTheWay(sets, live))
  for (const set of sets) {
    if (set.after && limits.withoutTypes.includes(set.code) && !sameContent(set.before, set.after))
      obstacles.push({
        kind: 'limit',
        why: `${setText(set)}: ${typeName(set.code)} records cannot be kept there`,
        remedy: 'Leave it out, or publish this zone elsewhere.',
      })
  }
  return { zone, sets: sets.toSorted(inOrder), obstacles, notes }
}

/** The sets that a plan needs to see: those wanted, and the CNAME that would stand in their way. */
export function questionsOf(wanted: readonly WantedSet[]): SetName[] {
  const questions = wanted.flatMap(({ name, code }): SetName[] => [
    { name, code },
    { name, code: typeCodes.CNAME },
  ])
  return [...byKey(questions).values()]
}

/**
 * Where the exchangers that leave stand: their addresses are read, so that the plan can say that they stay.
 * @param live  with the MX sets
 */
export function questionsOfLeaving(
  wanted: readonly WantedSet[],
  live: readonly RecordSet[],
  zone: WireName,
): SetName[] {
  const asked = new Set(wanted.map(setKey))
  return leavingHosts(wanted, live)
    .filter((host) => isAtOrBelow(host, zone))
    .flatMap((name) => [typeCodes.A, typeCodes.AAAA].map((code) => ({ name, code })))
    .filter((question) => !asked.has(setKey(question)))
}

/**
 * The changes that a target is to make, in an order in which one after the other does no harm (RFC 2136 servers are all or nothing anyway): what the MX
 * sets name is there before them, and what they named goes behind them.
 */
export function changesOf(plan: ZonePlan): SetChange[] {
  return plan.sets
    .filter((set) => !sameContent(set.before, set.after))
    .map(({ name, code, before, after }) => ({ name, code, before, after }))
    .toSorted((one, other) => rank(one) - rank(other))
}

/** A CNAME that goes is first: nothing stands beside it. */
function rank({ code, after }: SetChange): number {
  if (code === typeCodes.CNAME && after === undefined) return 0
  if (code === typeCodes.MX) return 2
  return after === undefined ? 3 : 1
}

interface Site {
  readonly limits: TargetLimits
  readonly notes: string[]
  readonly obstacles: Obstacle[]
}

function planSet(wishes: readonly WantedSet[], live: RecordSet | undefined, site: Site): PlannedSet {
  const [first] = wishes as [WantedSet]
  const before = live && { ttlSeconds: live.ttlSeconds, data: distinct(live.data) }
  const foreign = (before?.data ?? []).filter((data) => !wishes.some((wish) => owns(wish, data)))
  const going = new Set(wishes.flatMap(({ owned }) => (owned.kind === 'record' ? [dataKey(owned.data)] : [])))
  const staying = (before?.data ?? []).filter((data) => !going.has(dataKey(data)))
  for (const wish of wishes) refuseToChoose(wish, staying, site.obstacles)
  const wantedData = distinct(wishes.flatMap((wish) => wish.data))
  const data = [...foreign, ...wantedData]
  const after: SetContent | undefined =
    data.length === 0 ? undefined : { ttlSeconds: ttlOf(wishes, before, foreign, site), data }
  if (wantedData.some(isNullMx) && !site.limits.takesNullMx)
    site.obstacles.push({
      kind: 'limit',
      why: `${setText(first)}: a null MX ("0 .") cannot be kept there`,
      remedy: 'Publish this zone elsewhere, or leave "exchangers: none" out and remove its address records too.',
    })
  const isSame = sameContent(before, after)
  const lines = linesOf(wishes, before, isSame ? before : after, foreign)
  const domains = [...new Set(wishes.map((wish) => wish.domain))]
  return { name: first.name, code: first.code, before, after: isSame ? before : after, lines, domains }
}

function owns({ owned }: WantedSet, data: Rdata): boolean {
  switch (owned.kind) {
    case 'set':
      return true
    case 'text':
      return isOfKind(data, owned.text)
    case 'record':
      return dataKey(owned.data) === dataKey(data)
  }
}

/** RFC 7208 §3.2, RFC 7489 §6.6.3, RFC 8461 §3.1, RFC 8460 §3: with two of them, none counts; so somebody meant one of them. */
function refuseToChoose({ owned, data, name, code }: WantedSet, live: readonly Rdata[], obstacles: Obstacle[]): void {
  if (owned.kind !== 'text') return
  const those = live.filter((each) => isOfKind(each, owned.text))
  if (those.length < 2) return
  const strange = those.filter((each) => !data.some((one) => dataKey(one) === dataKey(each)))
  const { title } = textKinds[owned.text]
  obstacles.push({
    kind: 'several',
    why: `${setText({ name, code })} has ${those.length} ${title} records: ${those.map(shownText).join(' and ')}`,
    remedy: `Say which go: absent: ${strange.map((each) => `'${nameText(name)} TXT ${shownText(each)}'`).join(', ')}`,
  })
}

/**
 * Where others have records in the set, its TTL is theirs too, and stays (RFC 2181 §5.2: one set, one TTL). Else it is what was wanted, within
 * what the target takes.
 */
function ttlOf(
  wishes: readonly WantedSet[],
  before: SetContent | undefined,
  foreign: readonly Rdata[],
  { limits, notes }: Site,
): number {
  if (before && foreign.length > 0) return before.ttlSeconds
  const [first] = wishes as [WantedSet]
  const said = Math.min(...wishes.filter((wish) => wish.data.length > 0).map((wish) => wish.ttlSeconds))
  const ttlSeconds = Math.min(limits.mostTtlSeconds, Math.max(limits.leastTtlSeconds, said))
  if (ttlSeconds !== said)
    notes.push(`${setText(first)}: TTL ${ttlSeconds} in place of ${said}, which is not kept there`)
  return ttlSeconds
}

function linesOf(
  wishes: readonly WantedSet[],
  before: SetContent | undefined,
  after: SetContent | undefined,
  foreign: readonly Rdata[],
): PlannedLine[] {
  const kept = new Set(foreign.map(dataKey))
  const lines: PlannedLine[] = []
  const fromTtlSeconds = before?.ttlSeconds ?? 0
  const toTtlSeconds = after?.ttlSeconds ?? 0
  const old = new Map(
    (before?.data ?? []).filter((data) => !kept.has(dataKey(data))).map((data) => [dataKey(data), data]),
  )
  const fresh: { data: Rdata; wish: WantedSet }[] = []
  for (const wish of wishes) {
    for (const data of distinct(wish.data)) {
      const there = old.get(dataKey(data))
      if (!there) fresh.push({ data, wish })
      else if (fromTtlSeconds === toTtlSeconds) lines.push({ kind: 'right', data: there, ttlSeconds: toTtlSeconds })
      else
        lines.push({ kind: 'change', from: there, to: there, fromTtlSeconds, toTtlSeconds, why: `${wish.reason}: TTL` })
      old.delete(dataKey(data))
    }
  }
  for (const { data, wish } of fresh) {
    const from = [...old.values()].find((candidate) => isSuccessor(candidate, data, wish))
    const why = wish.reason
    if (from) old.delete(dataKey(from))
    lines.push(
      from
        ? { kind: 'change', from, to: data, fromTtlSeconds, toTtlSeconds, why }
        : { kind: 'add', data, ttlSeconds: toTtlSeconds, why },
    )
  }
  for (const data of old.values()) {
    const wish = wishes.find((each) => owns(each, data))
    const why = wish?.data.length === 0 ? wish.reason : `not among the ${wish?.reason ?? 'declared'}`
    lines.push({ kind: 'remove', data, ttlSeconds: fromTtlSeconds, why })
  }
  for (const data of foreign) lines.push({ kind: 'left-alone', data, ttlSeconds: fromTtlSeconds, why: 'not declared' })
  return lines
}

/** Whether a new record takes the place of an old one rather than standing for something else. */
function isSuccessor(from: Rdata, to: Rdata, { owned }: WantedSet): boolean {
  if (owned.kind === 'text') return isOfKind(from, owned.text)
  return from.type === 'MX' && to.type === 'MX' && sameName(from.exchange, to.exchange)
}

const isNullMx = (data: Rdata) => data.type === 'MX' && data.exchange === rootWireName

/** The set stays, and nobody owns it: exchangers that are no longer declared leave their addresses behind. */
function abandonedHosts(sets: readonly PlannedSet[], zone: WireName, live: readonly RecordSet[]): PlannedSet[] {
  const planned = new Set(sets.map(setKey))
  const leaving = new Set(
    sets
      .flatMap(leavingOf)
      .filter((host) => isAtOrBelow(host, zone))
      .map(foldName),
  )
  return live
    .filter((set) => (set.code === typeCodes.A || set.code === typeCodes.AAAA) && leaving.has(foldName(set.name)))
    .filter((set) => !planned.has(setKey(set)))
    .map(({ name, code, ttlSeconds, data }) => {
      const content = { ttlSeconds, data: distinct(data) }
      const why = `${nameText(name)} is no longer an exchanger; "absent:" would remove it`
      const lines = content.data.map((each): PlannedLine => ({ kind: 'left-alone', data: each, ttlSeconds, why }))
      return { name, code, before: content, after: content, lines, domains: [] }
    })
}

const leavingOf = (set: PlannedSet): WireName[] =>
  set.code === typeCodes.MX ? hostsGone(set.before?.data ?? [], set.after?.data ?? []) : []

function leavingHosts(wanted: readonly WantedSet[], live: readonly RecordSet[]): WireName[] {
  const liveByKey = byKey(live)
  return wanted
    .filter((set) => set.code === typeCodes.MX)
    .flatMap((set) => hostsGone(liveByKey.get(setKey(set))?.data ?? [], set.data))
}

function hostsGone(before: readonly Rdata[], after: readonly Rdata[]): WireName[] {
  const hosts = (data: readonly Rdata[]) => data.flatMap((each) => (each.type === 'MX' ? [each.exchange] : []))
  const staying = new Set(hosts(after).map(foldName))
  return hosts(before).filter((host) => host !== rootWireName && !staying.has(foldName(host)))
}

function aliasesInTheWay(sets: readonly PlannedSet[], live: readonly RecordSet[]): Obstacle[] {
  const going = new Set(sets.filter((set) => set.after === undefined).map(setKey))
  const wanting = new Map(
    sets.filter((set) => set.after && !sameContent(set.before, set.after)).map((set) => [foldName(set.name), set]),
  )
  return live.flatMap((set): Obstacle[] => {
    const wants = wanting.get(foldName(set.name))
    if (set.code !== typeCodes.CNAME || going.has(setKey(set)) || wants === undefined || wants.code === typeCodes.CNAME)
      return []
    const name = nameText(set.name)
    return [
      {
        kind: 'alias',
        why: `${name} is an alias (CNAME), beside which ${typeName(wants.code)} records cannot stand (RFC 1034 §3.6.2)`,
        remedy: `Remove it with absent: "${name} CNAME", or leave ${setText(wants)} to the alias's target.`,
      },
    ]
  })
}

/** For people: the domain's own name first, then by name and type. */
function inOrder(one: SetName, other: SetName): number {
  const [a, b] = [orderKey(one), orderKey(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

const orderKey = ({ name, code }: SetName) =>
  `${nameText(foldName(name)).split('.').reverse().join('.')} ${code === typeCodes.MX ? 0 : code}`

const shownText = (data: Rdata) => (data.type === 'TXT' ? data.strings.map((part) => quoted(part)).join(' ') : '')

const quoted = (part: Buffer) =>
  `"${part
    .toString('latin1')
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/g, '?')}"`
