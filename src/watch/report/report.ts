/**
 * What became of a domain's mail in a stretch of time, as plain data: messages, latency, availability of backends and exchangers, outages with what was held
 * and for how long. `text.ts` and `html.ts` tell it; `waypost report` asks, and the dashboard may.
 */
import { addFine, type FineCounts, type Percentiles, percentiles } from '../../gateway/figures/histogram.ts'
import { type Destinations, declaredName, type MailDomain } from '../../routing/destinations.ts'
import type { CheckedState } from '../checked-state.ts'
import type { History, Span } from '../history.ts'
import { hourOf } from '../hourly-sums.ts'
import type { DomainOutage } from '../outages.ts'
import type { HourRow, OutageRow } from '../tables.ts'

export interface Report extends Span {
  readonly domain: string
  readonly isDeclared: boolean
  readonly messages: Messages
  /** From the sender's dot to our answer, of what was delivered at once; within 15 %. */
  readonly latency: Percentiles
  /** One entry a day of UTC, oldest first. */
  readonly days: readonly Day[]
  readonly backends: readonly Available[]
  /** By address, as the checks found them. */
  readonly exchangers: readonly Available[]
  readonly outages: readonly Outage[]
  /** Of the last check, where there was one. */
  readonly findings: readonly {
    readonly severity: string
    readonly title: string
    /** Host, address or record; null where it was not kept. */
    readonly about: string | null
  }[]
  readonly checkedMs: number | null
}

export interface Messages {
  readonly delivered: number
  readonly held: number
  readonly unknown: number
  readonly refused: number
  readonly deferred: number
  readonly drained: number
  readonly recipientsRefused: number
  readonly refusedAfterHold: number
  readonly bytes: number
}

export interface Day extends Percentiles {
  readonly atMs: number
  readonly delivered: number
  readonly held: number
  readonly refused: number
  readonly deferred: number
}

export interface Available {
  readonly name: string
  /** 0–1 of the time, or of the looks, that something is known of. */
  readonly share: number
  /** Milliseconds for backends, looks for exchangers. */
  readonly known: number
}

export interface Outage {
  /** `mail`: messages of the domain had to be held; `backend`: one of its servers was away, which others may have made up for. */
  readonly kind: 'mail' | 'backend'
  readonly name: string
  readonly beganMs: number
  /** Null: it lasts. */
  readonly endedMs: number | null
  readonly held: number
  readonly drained: number
  /** Whose time was over: told to their senders, or kept for a person. */
  readonly expired: number
  readonly longestMs: number
  /** Messages that are held still; null where it has ended, and where nobody has looked yet. */
  readonly left: number | null
}

const dayMs = 86_400_000
const mostOutages = 500

/**
 * @param domain  as declared, `example.com` or `*.example.com`
 * @param asked  begins anywhere; the report begins with the hour that this lies in, and says so in its `fromMs`
 */
export async function makeReport(
  domain: string,
  asked: Span,
  destinations: Pick<Destinations, 'domains'>,
  history: Pick<History, 'hours' | 'availability' | 'outages'>,
  state: CheckedState | undefined,
): Promise<Report> {
  // What came in a part of an hour nobody knows: better a little more than was asked for than mail that is nowhere.
  const span = { ...asked, fromMs: hourOf(asked.fromMs) }
  const declared = destinations.domains.find((each) => declaredName(each) === domain)
  const urls = declared ? backendsOf(declared) : []
  const exchangers = state?.exchangers.map(({ name, address }) => `${name} ${address}`) ?? []
  const [hours, ofBackends, ofExchangers, mail, away] = await Promise.all([
    history.hours(domain, span),
    history.availability('backend', urls, span),
    history.availability('exchanger', exchangers, span),
    history.outages('domain', [domain], span),
    history.outages('backend', urls, span),
  ])
  const latency: FineCounts = []
  for (const hour of hours) addFine(latency, hour.latency)
  const sum = (name: string) => hours.reduce((all, { counts }) => all + (counts[name] ?? 0), 0)
  return {
    domain,
    ...span,
    isDeclared: declared !== undefined,
    messages: {
      delivered: sum('delivered'),
      held: sum('held'),
      unknown: sum('unknown'),
      refused: sum('refused'),
      deferred: sum('deferred'),
      drained: sum('drained'),
      recipientsRefused: sum('recipientsRefused'),
      refusedAfterHold: sum('refusedAfterHold'),
      bytes: sum('bytes'),
    },
    latency: percentiles(latency),
    days: daysOf(hours),
    backends: ofBackends.map(available),
    exchangers: ofExchangers.map(available),
    outages: [...mail.map((row) => outage(row, 'mail')), ...away.map((row) => outage(row, 'backend'))]
      .sort((one, other) => one.beganMs - other.beganMs)
      .slice(-mostOutages),
    findings: state?.findings.map(({ severity, title, about = null }) => ({ severity, title, about })) ?? [],
    checkedMs: state?.atMs ?? null,
  }
}

function backendsOf({ route, addresses }: MailDomain): string[] {
  const routes = [route, ...addresses.values()]
  return [...new Set(routes.flatMap(({ entries }) => entries.map(({ backend }) => backend.url)))]
}

const available = ({ name, up, known }: { name: string; up: number; known: number }): Available => ({
  name,
  share: known === 0 ? 0 : up / known,
  known,
})

function outage({ name, beganMs, endedMs, value }: OutageRow, kind: Outage['kind']): Outage {
  const { held = 0, drained = 0, expired = 0, longestMs = 0, left = null } = JSON.parse(value) as Partial<DomainOutage>
  return { kind, name, beganMs, endedMs, held, drained, expired, longestMs, left: endedMs === null ? left : null }
}

function daysOf(hours: readonly HourRow[]): readonly Day[] {
  const days = new Map<number, { latency: FineCounts; counts: Record<string, number> }>()
  for (const { atMs, counts, latency } of hours) {
    const at = Math.floor(atMs / dayMs) * dayMs
    const day = days.get(at) ?? { latency: [], counts: {} }
    days.set(at, day)
    addFine(day.latency, latency)
    for (const [name, count] of Object.entries(counts)) day.counts[name] = (day.counts[name] ?? 0) + count
  }
  return [...days].map(([atMs, { latency, counts }]) => ({
    atMs,
    delivered: counts.delivered ?? 0,
    held: (counts.held ?? 0) + (counts.unknown ?? 0),
    refused: counts.refused ?? 0,
    deferred: counts.deferred ?? 0,
    ...percentiles(latency),
  }))
}
