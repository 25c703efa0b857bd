/**
 * The state of each domain, of all that is counted in memory. Of a hundred thousand domains nearly all are well and nothing of them is held: they cost a look at
 * their backends, and they are put into order without being compared. For `now.ts`.
 */
import type { BackendReport } from '../../gateway/backends/report.ts'
import { standingOf } from '../../gateway/backends/standing.ts'
import type { DomainSummary, RecipientState } from '../../queue/queue.ts'
import { goingStates } from '../../queue/state-numbers.ts'
import { declaredName, type MailDomain } from '../../routing/destinations.ts'
import type { WebDeps } from '../deps.ts'
import type { CanKeep } from './can-keep.ts'
import { type MailState, mailState, mailStates } from './mail-state.ts'
import type { DomainNow } from './shapes.ts'

export interface Everything {
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

export interface EverythingDeps extends WebDeps {
  readonly canKeep: Pick<CanKeep, 'whyNot'>
}

const forPersons: readonly RecipientState[] = ['held', 'no-route', 'refused', 'expired', 'set-aside', 'corrupt']

/**
 * @param order  see `createOrder`
 * @param nameOf  what a backend is called; undefined: nobody is to know
 */
export function everythingNow(
  deps: EverythingDeps,
  order: ReturnType<typeof createOrder>,
  nameOf?: (url: string) => string,
): Everything {
  const { destinations } = deps.gatewaySettings()
  const reports = deps.gateway.backends()
  const byUrl = Map.groupBy(reports, ({ url }) => url)
  const labels = new Map([...byUrl.keys()].map((url, index) => [url, nameOf?.(url) ?? `backend ${index + 1}`]))
  const held = new Map((deps.queue?.domains() ?? []).map((domain) => [domain.domain, domain]))
  const drains = deps.gateway.heldMail?.operations.stopped() ?? new Map<string, string>()
  const stopped = nameOf ? drains : new Map([...drains.keys()].map((url) => [url, 'it waits for a person']))
  const whyNotHeld = deps.canKeep.whyNot()
  const below = sumsBelow(
    held,
    new Set(destinations.domains.filter(({ subdomains }) => subdomains).map(({ name }) => name)),
  )
  const well = new Set([...byUrl].filter(([url, all]) => !stopped.has(url) && isWell(all)).map(([url]) => url))
  const states: Record<MailState, number> = { flows: 0, degraded: 0, holding: 0, failing: 0 }
  const bySeverity: DomainNow[][] = Array.from({ length: mailStates.length * 2 }, () => [])
  for (const declared of order(destinations.domains)) {
    const name = declaredName(declared)
    const own = held.get(declared.name)
    const sums = declared.subdomains ? (below.get(declared.name) ?? nothing) : own ? sumOf([own]) : nothing
    // Sums by state are of recipients, and what people are told is messages.
    const waiting = Math.min(sums.messages, sums.onTheWay)
    const { entries } = declared.route
    // So it is with nearly all of a hundred thousand.
    const isPlain = waiting === 0 && entries.length > 0 && entries.every(({ backend }) => well.has(backend.url))
    const misconfigured = deps.gateway.whyMisconfigured(declared.route, declared.name)
    const { state, why, isDraining } =
      isPlain && misconfigured === undefined
        ? plain
        : mailState({
            route: declared.route,
            hold: declared.hold,
            whyNotKept: deps.queue === undefined ? '' : whyNotHeld,
            reports: byUrl,
            // It may name the domain that is looked up instead.
            misconfigured: misconfigured && (nameOf ? misconfigured : 'its MX does not let it be handed on'),
            waiting,
            stopped,
            label: (url) => labels.get(url) ?? 'a backend',
          })
    states[state]++
    const now: DomainNow = {
      name,
      state,
      why,
      isDraining,
      held: sums.messages,
      oldestMs: sums.oldestMs,
      needPerson: sums.needPerson,
      lastDeliveredMs: deps.figures.lastDeliveredMs(name) ?? null,
    }
    bySeverity[severity(now)]?.push(now)
  }
  const domains = bySeverity.reverse().flat()
  const needPerson = sumOf([...held.values()]).needPerson
  return { atMs: deps.clock.now(), reports, byUrl, labels, held, domains, states, needPerson, whyNotHeld }
}

/** What `mailState` says where nothing is to be said. */
const plain = { state: 'flows', why: '', isDraining: false } as const

function isWell(reports: readonly BackendReport[]): boolean {
  const { serves, worst } = standingOf(reports)
  return serves && worst === 'up'
}

/** By their names, sorted when they are others. */
export function createOrder(): (domains: readonly MailDomain[]) => readonly MailDomain[] {
  let [of, sorted]: (readonly MailDomain[])[] = [[], []]
  return (domains) => {
    if (domains !== of) {
      const named = domains.map((domain) => ({ domain, name: declaredName(domain) }))
      named.sort((one, other) => (one.name < other.name ? -1 : 1))
      of = domains
      sorted = named.map(({ domain }) => domain)
    }
    return sorted ?? []
  }
}

const severity = ({ state, held }: DomainNow) => mailStates.indexOf(state) * 2 + (held > 0 ? 1 : 0)

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

const nothing: Readonly<Sums> = { messages: 0, onTheWay: 0, needPerson: 0, oldestMs: null }
const noSums = (): Sums => ({ ...nothing })

function add(sums: Sums, { messages, oldestMs, byState }: DomainSummary): void {
  sums.messages += messages
  sums.oldestMs = sums.oldestMs === null ? oldestMs : Math.min(sums.oldestMs, oldestMs)
  for (const state of goingStates) sums.onTheWay += byState[state] ?? 0
  for (const state of forPersons) sums.needPerson += byState[state] ?? 0
}

function sumOf(rows: readonly (DomainSummary | undefined)[]): Sums {
  const sums = noSums()
  for (const row of rows) if (row) add(sums, row)
  return sums
}
