/** What is sent behind our dots and not answered yet: an endpoint that is silent there becomes slow by time alone, so somebody must look when. For `backends`. */
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, networkKey } from '../../base/ip.ts'
import type { Endpoint } from '../../routing/backend.ts'
import { type Dot, nextHealth, nextSlowMs } from '../../routing/health.ts'
import type { MetEndpoint, MetEndpoints } from './met-endpoints.ts'
import type { StateChanges } from './state-changes.ts'

export interface Dots {
  /** @param client  who sent the message @returns what is to be handed to `dotOver` */
  dotSent(endpoint: Endpoint, client: IpAddress): Dot
  dotOver(endpoint: Endpoint, dot: Dot, isAnswer: boolean): void
}

export function createDots(clock: Clock, met: MetEndpoints, changes: StateChanges): Dots {
  /** Slowness comes by time, so somebody must look when it may have come. */
  function watchSilence(found: MetEndpoint): void {
    if (found.timer) return
    const nowMs = clock.monotonicMs()
    const dueMs = nextSlowMs(found.health, nowMs)
    if (dueMs === undefined) return
    found.timer = clock.after(dueMs - nowMs, () => {
      found.timer = undefined
      changes.tellSlowness(found)
      watchSilence(found)
    })
  }

  return {
    dotSent(endpoint, client) {
      const dot = { sentMs: clock.monotonicMs(), network: networkKey(client) }
      const found = met.of(endpoint)
      found.health = nextHealth(found.health, { kind: 'dot-sent', dot })
      watchSilence(found)
      return dot
    },
    dotOver(endpoint, dot, isAnswer) {
      const found = met.of(endpoint)
      found.health = nextHealth(found.health, { kind: 'dot-over', dot, atMs: clock.monotonicMs(), isAnswer })
      if (found.said === 'slow' || found.saidSlowFor !== undefined) changes.tellSlowness(found)
    },
  }
}
