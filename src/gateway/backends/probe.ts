/**
 * Tries what is down, or has just failed, until it is up again: connect to EHLO, after 1, 2, 4, 8, 15, 30, 30 … seconds ± 20 %.
 * Mail never tries an endpoint that is down, nor one that is suspect while others are up; this does.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { jitter, type Random } from '../../base/random.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import type { Endpoint } from '../../routing/backend.ts'

const pausesMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000]
const readyWithinMs = 25_000
/** About an hour; strangers, to whom mail of our own goes, are not knocked at for more than a minute. */
const mostTries = { mx: 125, dsn: 6, backend: Number.POSITIVE_INFINITY, included: Number.POSITIVE_INFINITY }

export interface Probe {
  /** Begins to try the endpoint, unless that has begun already. */
  watch(endpoint: Endpoint): void
  /** Tries those that are down and meant at once, and begins their pauses anew: somebody says that they are up. */
  hurry(isMeant: (endpoint: Endpoint) => boolean): void
  /** Forgets all. */
  stop(): void
}

export function createProbe(
  isStillWanted: (endpoint: Endpoint) => boolean,
  deps: { clock: Clock; random: Random; log: Log; delivery: Delivery; forget: (endpoint: Endpoint) => void },
): Probe {
  const { clock, random, log } = deps
  const waiting = new Map<string, { readonly endpoint: Endpoint; readonly timer: Timer; isAsked: boolean }>()
  let stopped = false

  function wait(endpoint: Endpoint, tries: number): void {
    const pauseMs = pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 30_000
    const timer = clock.after(jitter(pauseMs, 0.2, random), () => void attempt(endpoint, tries + 1))
    waiting.set(endpoint.key, { endpoint, timer, isAsked: false })
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
    const answer = await deps.delivery.probe(endpoint, clock.monotonicMs() + readyWithinMs)
    log.debug('probe', { backend: endpoint.backend.url, endpoint: endpoint.name, tries, up: answer.kind === 'up' })
    if (answer.kind === 'up' || stopped) waiting.delete(endpoint.key)
    else if (tries >= mostTries[endpoint.purpose]) {
      // DNS may have named it once and never again. Mail that still goes there meets it as a stranger.
      waiting.delete(endpoint.key)
      deps.forget(endpoint)
    } else wait(endpoint, tries)
  }

  return {
    watch(endpoint) {
      if (!stopped && !waiting.has(endpoint.key)) wait(endpoint, 0)
    },
    hurry(isMeant) {
      for (const { endpoint, timer, isAsked } of [...waiting.values()]) {
        if (isAsked || !isMeant(endpoint)) continue
        timer.cancel()
        void attempt(endpoint, 0)
      }
    },
    stop() {
      stopped = true
      for (const { timer } of waiting.values()) timer.cancel()
      waiting.clear()
    },
  }
}
