/**
 * Tries what is down, or has just failed, until it is up again: connect to EHLO, after 1, 2, 4, 8, 15, 30, 30 … seconds ± 20 %.
 * Mail never tries an endpoint that is down, nor one that is suspect while others are up; this does.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { jitter, type Random } from '../../base/random.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'

const pausesMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000]
const readyWithinMs = 25_000
/** About an hour; strangers, to whom mail of our own goes, are not knocked at for more than a minute. */
const mostTries = { mx: 125, dsn: 6, backend: Number.POSITIVE_INFINITY, included: Number.POSITIVE_INFINITY }

export interface Probe {
  /** Begins to try the endpoint, unless that has begun already. */
  watch(endpoint: Endpoint): void
  /** Tries those that are down and meant at once, if they are not being tried already, and begins their pauses anew: somebody says that they are up. */
  hurry(isMeant: (endpoint: Endpoint) => boolean): void
  /** Forgets all. */
  stop(): void
}

export function createProbe(
  isStillWanted: (endpoint: Endpoint) => boolean,
  deps: { clock: Clock; random: Random; log: Log; delivery: Delivery; forget: (endpoint: Endpoint) => void },
): Probe {
  const { clock, random, log } = deps
  const waiting = new Map<string, Waiting>()
  let stopped = false

  function wait(endpoint: Endpoint, tries: number): void {
    const pauseMs = pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 30_000
    const timer = clock.after(jitter(pauseMs, 0.2, random), () => void attempt(endpoint, tries + 1))
    waiting.set(endpoint.key, { endpoint, timer, isAsked: false, isHurried: false })
  }

  async function attempt(endpoint: Endpoint, tries: number): Promise<void> {
    if (stopped) return
    // What left the configuration is tried no more.
    if (!isStillWanted(endpoint)) {
      waiting.delete(endpoint.key)
      return
    }
    const entry = waiting.get(endpoint.key)
    if (entry) entry.isAsked = true
    const up = await isUp(endpoint)
    log.debug('probe', { backend: endpoint.backend.url, endpoint: endpoint.name, tries, up })
    if (up || stopped) waiting.delete(endpoint.key)
    else if (entry?.isHurried) wait(endpoint, 0)
    else if (tries >= mostTries[endpoint.purpose]) {
      // DNS may have named it once and never again. Mail that still goes there meets it as a stranger.
      waiting.delete(endpoint.key)
      deps.forget(endpoint)
    } else wait(endpoint, tries)
  }

  /** Never rejects: one that fails by a fault of ours is tried again all the same. */
  async function isUp(endpoint: Endpoint): Promise<boolean> {
    try {
      const answer = await deps.delivery.probe(endpoint, clock.monotonicMs() + readyWithinMs)
      return answer.kind === 'up'
    } catch (error) {
      log.error('a backend that is down cannot be probed', { ...backendFields(endpoint), error })
      return false
    }
  }

  return {
    watch(endpoint) {
      if (!stopped && !waiting.has(endpoint.key)) wait(endpoint, 0)
    },
    hurry(isMeant) {
      for (const entry of [...waiting.values()]) {
        const { endpoint, timer, isAsked } = entry
        if (!isMeant(endpoint)) continue
        if (isAsked) entry.isHurried = true
        else {
          timer.cancel()
          void attempt(endpoint, 0)
        }
      }
    },
    stop() {
      stopped = true
      for (const { timer } of waiting.values()) timer.cancel()
      waiting.clear()
    },
  }
}

interface Waiting {
  readonly endpoint: Endpoint
  readonly timer: Timer
  /** It is being tried now. */
  isAsked: boolean
  /** Somebody has said meanwhile that it is up. */
  isHurried: boolean
}
