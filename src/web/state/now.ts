/**
 * What the gateway is doing now, for people: the state of each domain, of each backend, what is held, how fast it goes. Everything comes from what is
 * counted in memory, so that looking costs the mail nothing; made twice a second at most, whoever asks, and sooner only where something changed.
 */
import type { Clock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import type { BackendReport } from '../../gateway/backends/report.ts'
import { messageVerdicts } from '../../gateway/events.ts'
import { declaredName, type MailDomain } from '../../routing/destinations.ts'
import type { WebDeps } from '../deps.ts'
import { createOrder, type Everything, type EverythingDeps, everythingNow } from './everything.ts'
import type { MailState } from './mail-state.ts'
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

export function createNow(deps: EverythingDeps): Now {
  const order = createOrder()
  const known = createRemembered(deps.clock, () => everythingNow(deps, order, (url) => printable(url, 200)))
  const unknown = createRemembered(deps.clock, () => everythingNow(deps, order))
  const of = (isKnown: boolean) => (isKnown ? known : unknown).get()

  function latencyOf(url: string, address: string): Pick<BackendNow, 'p50Ms' | 'p95Ms'> {
    const { p50Ms = null, p95Ms = null } = deps.figures.latency(url, address)
    return { p50Ms, p95Ms }
  }

  function shown(reports: readonly BackendReport[], isKnown: boolean): BackendNow[] {
    const { labels } = of(isKnown)
    return reports.map((report) => {
      const { url, address, state, sessions, share, shares, lastError } = report
      return {
        ...latencyOf(url, address),
        url: labels.get(url) ?? 'a backend',
        address: isKnown ? printable(address, 200) : '',
        state,
        ...deps.since(report),
        sessions,
        share,
        ...(isKnown && shares
          ? { shares: shares.map((each) => ({ ...each, route: printable(each.route, 100) })) }
          : {}),
        lastError: isKnown && lastError !== null ? printable(lastError, 300) : null,
      }
    })
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
        // First, and always other: `api/events.ts` compares what stands behind it.
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
        lastMinute: broughtIn(deps, 60),
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

interface Remembered {
  get(): Everything
  /** What is kept is old before its time. */
  expire(): void
}

/**
 * Made again when it is asked for and older than half a second or two hundred times what making it took, whichever is longer; where something changed, older
 * than twenty times that. So looking takes a two-hundredth of the time at most however many domains there are, a twentieth while things change all the time,
 * and an outage is told soon all the same.
 */
function createRemembered(clock: Clock, make: () => Everything): Remembered {
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
      untilMs = beganMs + Math.max(freshMs, tookMs * 200)
      return kept
    },
    expire() {
      untilMs = Math.min(untilMs, leastUntilMs)
    },
  }
}

const rank = (state: BackendNow['state']) => ['up', 'suspect', 'out', 'slow', 'down'].indexOf(state)

const broughtIn = ({ figures }: WebDeps, seconds: number): number =>
  figures
    .seconds(seconds)
    .reduce((all, second) => messageVerdicts.reduce((sum, verdict) => sum + second[verdict], all), 0)

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
