/**
 * The checks of every declared domain, again and again: one after the other in an order that is shuffled once, spread over the time that a round may take,
 * with jitter, a few at once. What is other than the last time becomes events, findings become conditions. Made by `watch`.
 *
 *   `round-order`: whose turn is it? → check (from the checker's cache, which honours TTLs) → `checked-state` → `tell-changes`: history, alerting → kept
 */
import { type Clock, Deadline } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { jitter, type Random } from '../base/random.ts'
import type { Checked } from '../checks/check-domain.ts'
import type { HostName } from '../mail/address.ts'
import type { Alerting } from './alerts/alerting.ts'
import { type CheckedState, type SeenExchanger, stateOf } from './checked-state.ts'
import type { History } from './history.ts'
import { RoundOrder } from './round-order.ts'
import type { WatchedDomain } from './settings.ts'
import { tellChanges } from './tell-changes.ts'

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
  const order = new RoundOrder()
  let dueMs: number | undefined
  let isStopped = false
  const alarm = new Deadline(clock, step)
  begin()

  function begin(): void {
    order.renew(deps.domains(), random)
    const known = order.names
    for (const name of states.keys()) if (!known.has(name)) states.delete(name)
    // Of domains that are declared no more nobody wants to hear.
    for (const { condition } of alerting.open())
      if (condition.kind === 'finding' && condition.domain !== undefined && !known.has(condition.domain))
        alerting.clear(condition.key, `${condition.domain} is not watched any more`)
    // However often it is loaded again, the next turn comes when it was to come.
    arm(dueMs)
  }

  /** @param latestMs  when the next turn is due at the latest, on the monotonic clock */
  function arm(latestMs = Number.POSITIVE_INFINITY): void {
    const everyMs = deps.everyMs()
    alarm.disarm()
    dueMs = undefined
    if (isStopped || everyMs === 0 || order.size === 0) return
    const pauseMs = pauseOf(everyMs, order.size)
    const nowMs = clock.monotonicMs()
    const soonMs = order.isFirstRound ? Math.min(firstPauseMs, pauseMs) : pauseMs
    dueMs = Math.min(latestMs, nowMs + jitter(soonMs, 0.2, random))
    alarm.arm(Math.max(0, dueMs - nowMs))
  }

  function step(): void {
    const domain = order.next
    // Where there is no room its turn comes a pause later, and with it that of all behind it.
    if (domain && running.size < atOnce) {
      order.advance()
      void checkOne(domain).catch((error: unknown) => log.error('check failed', { domain: domain.name, error }))
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
    tellChanges(domain, before, state, deps)
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
