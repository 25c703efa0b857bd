/**
 * The checks of every declared domain, again and again: one after the other in an order that is shuffled once, spread over the time that a round may take,
 * with jitter, a few at once. What is other than the last time becomes events, findings become conditions. Made by `watch`.
 *
 *   whose turn is it? → check (from the checker's cache, which honours TTLs) → `checked-state`: what changed → history, alerting → kept
 */
import { type Clock, Deadline } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import { jitter, type Random, shuffle } from '../base/random.ts'
import type { Checked } from '../checks/check-domain.ts'
import type { HostName } from '../mail/address.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import { declaredLines } from '../publish/declare/declared-lines.ts'
import type { Alerting } from './alerts/alerting.ts'
import { lengthText, timeText } from './alerts/wording.ts'
import {
  type CheckedState,
  changesBetween,
  type KeptFinding,
  type RecordChange,
  type SeenExchanger,
  stateOf,
} from './checked-state.ts'
import type { Condition } from './condition.ts'
import type { History } from './history.ts'

export interface Rounds {
  /** Checks one domain now, whether its turn has come or not; at the same time once. */
  checkNow(domain: HostName): Promise<CheckedState>
  /** What the last check of each domain found, as far as it is known in this process. */
  states(): ReadonlyMap<string, CheckedState>
  /** Domains or the pace have changed. */
  changed(): void
  /** Checks that run come to their end by themselves, and nobody hears what they found: a gateway that stops does not wait minutes for them. */
  stop(): void
}

export interface WatchedDomain {
  readonly name: HostName
  /** What waypost.yaml declares of its records. */
  readonly declaration: Declaration | undefined
}

export interface RoundsDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly alerting: Alerting
  readonly history: Pick<History, 'note' | 'see' | 'seen'>
  /** 0: only when somebody asks. */
  readonly everyMs: () => number
  readonly domains: () => readonly WatchedDomain[]
  readonly check: (domain: WatchedDomain) => Promise<Checked>
  readonly looked: (exchangers: readonly SeenExchanger[], atMs: number) => void
}

const atOnce = 4
/** In the first round after a start, so that a few domains are known soon. */
const firstPauseMs = 3_000
const pauseOf = (everyMs: number, domains: number) => everyMs / Math.max(1, domains)
/** States that are kept in memory beside the store; a state has some KiB. */
const mostStates = 5_000

export function createRounds(deps: RoundsDeps): Rounds {
  const { clock, random, log, alerting, history } = deps
  const states = new Map<string, CheckedState>()
  const running = new Map<string, Promise<CheckedState>>()
  let order: readonly WatchedDomain[] = []
  let next = 0
  let dueMs: number | undefined
  let isFirstRound = true
  let isStopped = false
  const alarm = new Deadline(clock, step)
  begin()

  /** A round goes on where it was: what stays keeps its place, what is new comes last, what left is left out. */
  function begin(): void {
    const now = new Map(deps.domains().map((domain) => [domain.name, domain]))
    const stayed = (domains: readonly WatchedDomain[]) => domains.flatMap(({ name }) => now.get(name) ?? [])
    const [done, due] = [stayed(order.slice(0, next)), stayed(order.slice(next))]
    const before = new Set(order.map(({ name }) => name))
    const added = [...now.values()].filter(({ name }) => !before.has(name))
    order = [...done, ...due, ...shuffle(added, random)]
    next = done.length < order.length ? done.length : 0
    const known = new Set(order.map(({ name }) => name as string))
    for (const name of states.keys()) if (!known.has(name)) states.delete(name)
    // Of domains that are declared no more nobody wants to hear.
    for (const { condition } of alerting.open())
      if (condition.kind === 'finding' && condition.domain !== undefined && !known.has(condition.domain))
        alerting.clear(condition.key)
    // However often it is loaded again, the next turn comes when it was to come.
    arm(dueMs)
  }

  /** @param latestMs  when the next turn is due at the latest, on the monotonic clock */
  function arm(latestMs = Number.POSITIVE_INFINITY): void {
    const everyMs = deps.everyMs()
    alarm.disarm()
    dueMs = undefined
    if (isStopped || everyMs === 0 || order.length === 0) return
    const pauseMs = pauseOf(everyMs, order.length)
    const nowMs = clock.monotonicMs()
    dueMs = Math.min(latestMs, nowMs + jitter(isFirstRound ? Math.min(firstPauseMs, pauseMs) : pauseMs, 0.2, random))
    alarm.arm(Math.max(0, dueMs - nowMs))
  }

  function step(): void {
    const domain = order[next]
    // Where there is no room its turn comes a pause later, and with it that of all behind it.
    if (domain && running.size < atOnce) {
      next++
      void checkOne(domain).catch((error: unknown) => log.error('check failed', { domain: domain.name, error }))
    }
    if (next >= order.length) {
      next = 0
      isFirstRound = false
    }
    arm()
  }

  function checkOne(domain: WatchedDomain): Promise<CheckedState> {
    const known = running.get(domain.name)
    if (known) return known
    const started = examine(domain).finally(() => running.delete(domain.name))
    running.set(domain.name, started)
    return started
  }

  async function examine(domain: WatchedDomain): Promise<CheckedState> {
    const [before, checked] = await Promise.all([stateBefore(domain.name), deps.check(domain)])
    const state = stateOf(checked, before)
    if (isStopped) return state
    if (states.size < mostStates || states.has(domain.name)) states.set(domain.name, state)
    tell(domain, before, state)
    deps.looked(state.exchangers, state.atMs)
    await history.see(domain.name, state.atMs, JSON.stringify(state))
    return state
  }

  async function stateBefore(name: HostName): Promise<CheckedState | undefined> {
    const known = states.get(name)
    if (known) return known
    const kept = await history.seen(name).catch(() => undefined)
    return kept && (JSON.parse(kept.value) as CheckedState)
  }

  function tell(domain: WatchedDomain, before: CheckedState | undefined, state: CheckedState): void {
    const { appeared, worsened, gone, records, renewed } = changesBetween(before, state)
    const { name } = domain
    for (const finding of appeared) noteFinding(name, 'finding-appeared', finding, finding.severity)
    for (const finding of worsened) noteFinding(name, 'finding-worsened', finding, finding.severity)
    for (const finding of gone) noteFinding(name, 'finding-gone', finding, 'notice')
    const conditions = state.findings
      .filter(({ severity }) => severity !== 'notice')
      .map((finding) => conditionOf(name, finding))
    for (const condition of conditions) alerting.raise(condition)
    alerting.clearAllBut(`finding ${name} `, new Set(conditions.map(({ key }) => key)))
    if (records.length > 0) tellRecords(domain, records)
    for (const { exchanger, endsMs } of renewed)
      tellOnce(
        name,
        'certificate-renewed',
        'notice',
        `${exchanger} has a new certificate`,
        `It ends on ${timeText(endsMs)}.`,
      )
  }

  function noteFinding(
    domain: string,
    kind: string,
    { title, seen, sinceMs }: KeptFinding,
    severity: KeptFinding['severity'],
  ): void {
    const nowMs = clock.now()
    const isGone = kind === 'finding-gone'
    const about = `${domain}: ${title}`
    history.note({
      ...{ atMs: nowMs, kind, severity, domain, title: isGone ? `over: ${about}` : about },
      detail: isGone ? `It had been so for ${lengthText(nowMs - sinceMs)}.` : seen,
    })
  }

  function tellRecords({ name, declaration }: WatchedDomain, changes: readonly RecordChange[]): void {
    const foreign = changes.filter((change) => !isAsDeclared(change, declaration))
    const what = (list: readonly RecordChange[]) => list.map(changeText).join('\n')
    if (foreign.length > 0)
      tellOnce(name, 'records-changed', 'warning', `records of ${name} were changed by somebody else`, what(foreign))
    const own = changes.filter((change) => !foreign.includes(change))
    if (own.length > 0)
      tellOnce(
        name,
        'records-changed',
        'notice',
        `records of ${name} have become what waypost.yaml declares`,
        what(own),
      )
  }

  function tellOnce(
    domain: string,
    kind: 'records-changed' | 'certificate-renewed',
    severity: KeptFinding['severity'],
    title: string,
    detail: string,
  ): void {
    const nowMs = clock.now()
    history.note({ atMs: nowMs, kind, severity, domain, title, detail })
    alerting.note({ key: `${kind} ${title} ${detail}`, kind, severity, domain, title, detail })
  }

  return {
    checkNow(domain) {
      const declared = deps.domains().find(({ name }) => name === domain)
      return checkOne(declared ?? { name: domain, declaration: undefined })
    },
    states: () => states,
    changed: begin,
    stop() {
      isStopped = true
      alarm.end()
    },
  }
}

function conditionOf(domain: string, { key, severity, title, seen, why, remedy }: KeptFinding): Condition {
  return {
    key: `finding ${domain} ${key}`,
    kind: 'finding',
    severity,
    domain,
    title: `${domain}: ${title}`,
    detail: `${seen} ${why}`,
    remedy,
  }
}

/** Whether the set is now what waypost.yaml says of it: then it was us, or somebody who did our work. */
export function isAsDeclared({ name, type, after }: RecordChange, declaration: Declaration | undefined): boolean {
  if (!declaration) return false
  const declared = declaredLines(declaration)
  if (type === 'TXT')
    return (
      after.length > 0 && after.every((line) => declared.some((set) => set.type === 'TXT' && set.data.includes(line)))
    )
  // Only names of exchangers are answered in the case in which somebody wrote them.
  const now = type === 'MX' ? after.map((line) => line.toLowerCase()) : after
  const set = declared.find((each) => each.type === type && each.name === name)
  return set !== undefined && isSame(set.data, now)
}

const isSame = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.toSorted().every((line, at) => line === other.toSorted()[at])

function changeText({ name, type, before, after }: RecordChange): string {
  const side = (data: readonly string[]) => (data.length === 0 ? 'nothing' : printable(data.join('; '), 1_000))
  return `${name} ${type}: was ${side(before)}, is ${side(after)}`
}
