/**
 * Backends that were down when the last process ended: met at the start, so that the probe tries them although no mail asks for them, and it is soon known what they
 * are. For `reach`; nobody waits for it.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Route } from '../../routing/backend.ts'
import type { Backends } from './backends.ts'
import type { Endpoints } from './endpoints.ts'

export interface Doubted {
  /** Meets them now, and again after a while those whose name has no address yet. */
  meet(): void
  stop(): void
}

export interface DoubtedDeps {
  readonly clock: Clock
  readonly log: Log
  readonly backends: Pick<Backends, 'doubted' | 'health'>
  readonly endpoints: Endpoints
  readonly routes: () => readonly Route[]
}

const againMs = 30_000

export function createDoubted({ clock, log, backends, endpoints, routes }: DoubtedDeps): Doubted {
  const alarm = new Deadline(clock, meet)
  let isStopped = false

  function meet(): void {
    if (isStopped || backends.doubted.size === 0) return
    for (const route of routes())
      if (route.entries.some(({ backend }) => backends.doubted.has(backend.url))) void meetThoseOf(route)
    alarm.arm(againMs)
  }

  async function meetThoseOf(route: Route): Promise<void> {
    try {
      // What `mx` leads to depends on the recipient, and is met by mail alone.
      const expansion = await endpoints.expand(route, undefined)
      if (isStopped || expansion.kind !== 'members') return
      for (const { endpoint } of expansion.members)
        if (backends.doubted.has(endpoint.backend.url)) backends.health(endpoint)
    } catch (error) {
      log.error('a backend that was down is not tried', { route: route.id, error })
    }
  }

  return {
    meet,
    stop() {
      isStopped = true
      alarm.end()
    },
  }
}
