/** What runs beside a person who looks after held mail: the drain, the end of what is held, and the backends as they are. Made by `hold-parts`. */
import type { Lane } from '../../queue/queue.ts'
import { isServing } from '../../routing/health.ts'
import type { Backends } from '../backends/backends.ts'
import type { Drain } from '../drain/drain.ts'
import type { Ways } from '../ways/ways.ts'

export interface Running {
  readonly drain: Pick<Drain, 'kick' | 'pauseWhile' | 'isAttempting' | 'nextTryMs'>
  /** Backends that serve these lanes and are down are tried at once. */
  readonly hurry: (lanes: ReadonlySet<Lane>) => void
  /** Whether mail of this lane has no backend to go to, as far as is known. */
  readonly isOut: (lane: Lane) => boolean
  readonly expiry: { readonly stopped: string | undefined; resume(): boolean }
}

export interface RunningDeps extends Pick<Running, 'drain' | 'expiry'> {
  readonly ways: Pick<Ways, 'ofLane'>
  readonly backends: () => Pick<Backends, 'list' | 'out'>
  /** Tries the backends with these keys at once where they are down. */
  readonly hurry: (backends: ReadonlySet<string>) => void
}

export function createRunning({ drain, expiry, ways, backends, hurry }: RunningDeps): Running {
  const entriesOf = (lane: Lane) => ways.ofLane(lane)?.route.entries ?? []
  return {
    drain,
    expiry,
    hurry: (lanes) => hurry(new Set([...lanes].flatMap(entriesOf).map(({ backend }) => backend.key))),
    isOut(lane) {
      const { out, list } = backends()
      const met = list()
      const entries = entriesOf(lane)
      // A lane without a route waits for one, and for no backend.
      return (
        entries.length > 0 &&
        entries.every(({ backend }) => {
          const states = met.flatMap(({ endpoint, state }) => (endpoint.backend.key === backend.key ? [state] : []))
          // What nobody has met yet may be up.
          return states.length === 0 ? out.has(backend.url) : !states.some(isServing)
        })
      )
    },
  }
}

/**
 * When a lane is tried next; undefined where nobody knows, as without a drain, or where it has no backend that is up: it goes as soon as one is, and the probe
 * finds that out within half a minute, whatever the drain has waited for meanwhile. Made for one answer, in which many recipients share a lane.
 */
export function createLaneNext(running: Running | undefined): (lane: Lane) => number | undefined {
  const known = new Map<Lane, number | undefined>()
  return (lane) => {
    if (known.has(lane)) return known.get(lane)
    const ms = running?.isOut(lane) ? undefined : running?.drain.nextTryMs(lane)
    const next = ms === undefined ? undefined : Math.round(ms)
    known.set(lane, next)
    return next
  }
}
