/**
 * What the gateway is doing now, for people: the state of each domain, of each backend, what is held, how fast it goes. Everything comes from what is
 * counted in memory, so that looking costs the mail nothing; made twice a second at most, whoever asks.
 */
import type { Clock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import type { BackendReport } from '../../gateway/backends/report.ts'
import type { DomainSummary, RecipientState } from '../../queue/queue.ts'
import { declaredName, type MailDomain } from '../../routing/destinations.ts'
import type { WebDeps } from '../deps.ts'
import type { CanKeep } from './can-keep.ts'
import { type MailState, mailState, mailStates } from './mail-state.ts'
import type { BackendNow, DomainLive, DomainNow, Overview } from './shapes.ts'

export interface Now {
  /** @param isKnown  somebody with a token, who may see addresses */
  overview(isKnown: boolean): Overview
  /** All domains that match, worst first; a page of them. */
  domains(isKnown: boolean, asked: DomainsAsked): { readonly domains: readonly DomainNow[]; readonly total: number }
  /** @param name  as it is declared: `example.com` or `*.example.com` */
  declared(name: string): MailDomain | undefined
  /** What changes by itself of a domain, for who is known. */
  live(name: string): DomainLive | undefined
  backends(isKnown: boolean): readonly BackendNow[]
  /** The mail of some domain is neither taken by a backend nor kept. */
  isFailing(): boolean
  /** Something is other than it was: what was made a moment ago is not shown again, as far as making it anew costs little. */
  changed(): void
}

export interface DomainsAsked {
  readonly search: string
  readonly state: MailState | undefined
  readonly skip: number
  readonly limit: number
}

const listed = 50
const freshMs = 500
const secondsOfRates = 5
const forPersons: readonly RecipientState[] = ['held', 'no-route', 'refused', 'expired', 'set-aside', 'corrupt']
const onTheWay: readonly RecipientState[] = ['ready', 'waiting', 'unknown']

interface Everything {
  readonly atMs: number
  readonly reports: readonly BackendReport[]
  readonly byUrl: ReadonlyMap<string, readonly BackendReport[]>
  readonly labels: ReadonlyMap<string, string>
  readonly held: ReadonlyMap<string, DomainSummary>
  readonly domains: readonly DomainNow[]
  readonly states: Record<MailState, number>
  readonly needPerson: number
  readonly whyNotHeld: string | undefined
}

export interface NowDeps extends WebDeps {
  readonly canKeep: Pick<CanKeep, 'whyNot'>
}

export function createNow(deps: NowDeps): Now {
  const known = createKept(deps.clock, () => everything(deps, (url) => printable(url, 200)))
  const unknown = createKept(deps.clock, () => everything(deps, undefined))
  const of = (isKnown: boolean) => (isKnown ? known : unknown).get()

  function latencyOf(url: string, address: string): Pick<BackendNow, 'p50Ms' | 'p95Ms'> {
    const { p50Ms = null, p95Ms = null } = deps.figures.latency(url, address)
    return { p50Ms, p95Ms }
  }

  function shown(reports: readonly BackendReport[], isKnown: boolean): BackendNow[] {
    const { labels } = of(isKnown)
    return reports.map(({ url, address, state, sessions, share, shares, lastError }) => ({
      ...latencyOf(url, address),
      url: labels.get(url) ?? 'a backend',
      address: isKnown ? printable(address, 200) : '',
      state,
      sessions,
      share,
      ...(isKnown && shares ? { shares: shares.map((each) => ({ ...each, route: printable(each.route, 100) })) } : {}),
      lastError: isKnown && lastError !== null ? printable(lastError, 300) : null,
    }))
  }

  const declared = (name: string) =>
    deps.gatewaySettings().destinations.domains.find((domain) => declaredName(domain) === name)

  function live(name: string): DomainLive | undefined {
    const { domains, held, byUrl } = of(true)
    const domain = declared(name)
    const now = domains.find((each) => each.name === name)
    if (!domain || !now) return undefined
    return {
      now,
      backends: domain.route.entries.map(({ backend: { url }, preference, weight }) => ({
        ...{ url: printable(url, 200), preference, weight },
        addresses: shown(byUrl.get(url) ?? [], true),
      })),
      heldByState: { ...held.get(domain.name)?.byState },
    }
  }

  return {
    overview(isKnown) {
      const { domains, states, atMs, needPerson, reports, whyNotHeld } = of(isKnown)
      // Not all are described that are not listed.
      const first = [...reports].sort((one, other) => rank(other.state) - rank(one.state)).slice(0, listed)
      const totals = deps.queue?.totals
      return {
        atMs,
        startedMs: deps.startedMs,
        hostname: deps.gatewaySettings().hostname,
        states,
        domains: domains.slice(0, listed),
        domainCount: domains.length,
        backends: shown(first, isKnown),
        backendCount: reports.length,
        held: {
          messages: totals?.messages ?? 0,
          octets: totals?.bytes ?? 0,
          oldestMs: totals?.oldestMs ?? null,
          needPerson,
        },
        perSecond: rates(deps),
        connections: deps.gateway.connections,
        whyNotHeld: whyNotHeld ?? null,
      }
    },
    domains(isKnown, { search, state, skip, limit }) {
      const wanted = search.trim().toLowerCase()
      const found = of(isKnown).domains.filter(
        (domain) => (state === undefined || domain.state === state) && (wanted === '' || domain.name.includes(wanted)),
      )
      return { domains: found.slice(skip, skip + limit), total: found.length }
    },
    declared,
    live,
    backends: (isKnown) => shown(deps.gateway.backends(), isKnown),
    isFailing: () => unknown.get().states.failing > 0,
    changed() {
      known.expire()
      unknown.expire()
    },
  }
}

interface Kept {
  get(): Everything
  /** What is kept is old before its time. */
  expire(): void
}

/** Made again when it is asked for and older than half a second, or than twenty times what making it took: looking takes a twentieth at most. */
function createKept(clock: Clock, make: () => Everything): Kept {
  let kept: Everything | undefined
  let untilMs = 0
  let leastUntilMs = 0
  return {
    get() {
      const beganMs = clock.monotonicMs()
      if (kept && beganMs < untilMs) return kept
      kept = make()
      const tookMs = clock.monotonicMs() - beganMs
      leastUntilMs = beganMs + tookMs * 20
      untilMs = Math.max(beganMs + freshMs, leastUntilMs)
      return kept
    },
    expire() {
      untilMs = leastUntilMs
    },
  }
}

function everything(deps: NowDeps, name: ((url: string) => string) | undefined): Everything {
  const { destinations } = deps.gatewaySettings()
  const reports = deps.gateway.backends()
  const byUrl = Map.groupBy(reports, ({ url }) => url)
  const labels = new Map([...byUrl.keys()].map((url, index) => [url, name?.(url) ?? `backend ${index + 1}`]))
  const held = new Map((deps.queue?.domains() ?? []).map((domain) => [domain.domain, domain]))
  const drains = deps.gateway.heldMail?.operations.stopped() ?? new Map<string, string>()
  const stopped = name ? drains : new Map([...drains.keys()].map((url) => [url, 'it waits for a person']))
  const whyNotHeld = deps.canKeep.whyNot()
  const below = sumsBelow(
    held,
    new Set(destinations.domains.filter(({ subdomains }) => subdomains).map(({ name }) => name)),
  )
  const states: Record<MailState, number> = { flows: 0, degraded: 0, holding: 0, failing: 0 }
  const domains = destinations.domains.map((declared): DomainNow => {
    const sums = declared.subdomains ? (below.get(declared.name) ?? noSums()) : sumOf([held.get(declared.name)])
    const is = mailState({
      route: declared.route,
      hold: declared.hold,
      whyNotKept: deps.queue === undefined ? '' : whyNotHeld,
      reports: byUrl,
      // Sums by state are of recipients, and what people are told is messages.
      waiting: Math.min(sums.messages, sums.onTheWay),
      stopped,
      label: (url) => labels.get(url) ?? 'a backend',
    })
    states[is.state]++
    return {
      name: declaredName(declared),
      ...is,
      held: sums.messages,
      oldestMs: sums.oldestMs,
      needPerson: sums.needPerson,
      lastDeliveredMs: deps.figures.lastDeliveredMs(declaredName(declared)) ?? null,
    }
  })
  domains.sort((one, other) => severity(other) - severity(one) || (one.name < other.name ? -1 : 1))
  const needPerson = sumOf([...held.values()]).needPerson
  return { atMs: deps.clock.now(), reports, byUrl, labels, held, domains, states, needPerson, whyNotHeld }
}

const severity = ({ state, held }: DomainNow) => mailStates.indexOf(state) * 2 + (held > 0 ? 1 : 0)
const rank = (state: BackendNow['state']) => ['up', 'suspect', 'out', 'slow', 'down'].indexOf(state)

/** Subdomains are held by their own names: what is held below each of these, in one walk through all that is held. @param names  of `*.name` */
function sumsBelow(held: ReadonlyMap<string, DomainSummary>, names: ReadonlySet<string>): ReadonlyMap<string, Sums> {
  const below = new Map<string, Sums>()
  if (names.size === 0) return below
  for (const [domain, row] of held) {
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      const parent = domain.slice(dot + 1)
      if (!names.has(parent)) continue
      const sums = below.get(parent) ?? noSums()
      add(sums, row)
      below.set(parent, sums)
    }
  }
  return below
}

interface Sums {
  messages: number
  onTheWay: number
  needPerson: number
  oldestMs: number | null
}

const noSums = (): Sums => ({ messages: 0, onTheWay: 0, needPerson: 0, oldestMs: null })

function add(sums: Sums, { messages, oldestMs, byState }: DomainSummary): void {
  sums.messages += messages
  sums.oldestMs = sums.oldestMs === null ? oldestMs : Math.min(sums.oldestMs, oldestMs)
  for (const state of onTheWay) sums.onTheWay += byState[state] ?? 0
  for (const state of forPersons) sums.needPerson += byState[state] ?? 0
}

function sumOf(rows: readonly (DomainSummary | undefined)[]): Sums {
  const sums = noSums()
  for (const row of rows) if (row) add(sums, row)
  return sums
}

function rates({ figures }: WebDeps): Overview['perSecond'] {
  const seconds = figures.seconds(secondsOfRates)
  const mean = (of: (second: (typeof seconds)[number]) => number) =>
    Math.round((seconds.reduce((sum, second) => sum + of(second), 0) / secondsOfRates) * 10) / 10
  return {
    taken: mean(({ delivered, held, unknown }) => delivered + held + unknown),
    delivered: mean(({ delivered }) => delivered),
    held: mean(({ held, unknown }) => held + unknown),
    drained: mean(({ drained }) => drained),
    refused: mean(({ refused }) => refused),
    deferred: mean(({ deferred }) => deferred),
  }
}
