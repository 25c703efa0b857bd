/**
 * Knocks at backends of which nothing was heard for a while: connect to EHLO and QUIT, of a Maildir whether it can be written. So a spare that is dead is known
 * to be before mail needs it. One that fails is the probe's from then on. Exchangers that DNS names are asked by mail alone: most of them are strangers'.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { jitter, type Random, shuffle } from '../../base/random.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import { type Backend, backendFields, type Endpoint } from '../../routing/backend.ts'
import { healthState } from '../../routing/health.ts'
import type { Backends } from './backends.ts'
import type { Endpoints } from './endpoints.ts'

export interface Knocks {
  /** The first round comes soon, and then one every few minutes. */
  begin(): void
  /** There may be others now: they are met soon. */
  backendsChanged(): void
  stop(): void
}

export interface KnocksDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly backends: Pick<Backends, 'health' | 'heardMs' | 'out'>
  readonly endpoints: Pick<Endpoints, 'of'>
  readonly delivery: Pick<Delivery, 'probe' | 'sessions'>
  /** Those of the configuration, each once. */
  readonly configured: () => readonly Backend[]
}

const soonMs = 60_000
/** Between rounds, ± 20 %. */
const pauseMs = 5 * 60_000
/** Whoever was heard of since then is not asked. */
const quietMs = 2 * 60_000
/** Between two backends of a round: so many that a round is longer than the pause cost no more a second than a few. */
const apartMs = 200
const mostAtOnce = 4
const readyWithinMs = 25_000

export function createKnocks(deps: KnocksDeps): Knocks {
  const { clock, random, log, backends, endpoints, delivery } = deps
  const alarm = new Deadline(clock, step)
  let dueMs = Number.POSITIVE_INFINITY
  /** Of this round. */
  let left: Backend[] = []
  /** By key; one that hangs is not asked again meanwhile. */
  const underWay = new Set<string>()
  let isStopped = false

  function wait(forMs: number): void {
    dueMs = clock.monotonicMs() + forMs
    alarm.armAt(dueMs)
  }

  function step(): void {
    if (left.length === 0) left = shuffle(deps.configured(), random)
    const backend = underWay.size < mostAtOnce ? left.pop() : undefined
    if (backend && isToBeAsked(backend)) void ask(backend)
    wait(left.length > 0 ? apartMs : jitter(pauseMs, 0.2, random))
  }

  const isToBeAsked = ({ key, url }: Backend) => !backends.out.has(url) && !underWay.has(key)

  /** One address behind the other; an `mx` backend has none here. */
  async function ask(backend: Backend): Promise<void> {
    underWay.add(backend.key)
    try {
      for (const endpoint of await endpoints.of(backend)) if (!isStopped && isQuiet(endpoint)) await knock(endpoint)
    } catch (error) {
      log.error('a backend is not knocked at', { backend: backend.url, error })
    } finally {
      underWay.delete(backend.key)
    }
  }

  /** What is not up is out, or the probe's, or has not answered mail that it has. */
  function isQuiet(endpoint: Endpoint): boolean {
    const nowMs = clock.monotonicMs()
    const { busy, idle } = delivery.sessions(endpoint)
    if (busy + idle > 0 || nowMs - backends.heardMs(endpoint) < quietMs) return false
    return healthState(backends.health(endpoint), nowMs) === 'up'
  }

  async function knock(endpoint: Endpoint): Promise<void> {
    const answer = await delivery.probe(endpoint, clock.monotonicMs() + readyWithinMs)
    log.debug('knock', { ...backendFields(endpoint), up: answer.kind === 'up' })
  }

  return {
    begin: () => wait(jitter(soonMs, 0.2, random)),
    backendsChanged() {
      if (isStopped || dueMs === Number.POSITIVE_INFINITY) return
      left = []
      wait(Math.min(dueMs - clock.monotonicMs(), jitter(soonMs, 0.2, random)))
    },
    stop() {
      isStopped = true
      left = []
      alarm.end()
    },
  }
}
