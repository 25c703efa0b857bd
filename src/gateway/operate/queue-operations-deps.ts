/** What the operations of a person on held mail are handed: the hold, and what runs beside it. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Lane, Queue } from '../../queue/queue.ts'
import type { Drain } from '../drain/drain.ts'
import type { DrainGuard } from '../drain/drain-guard.ts'
import type { Tell } from '../events.ts'
import type { WaySettings, Ways } from '../ways/ways.ts'

/** Beside a running gateway. */
export interface Running {
  readonly drain: Pick<Drain, 'kick' | 'isAttempting' | 'nextTryMs'>
  /** Backends that serve these lanes and are down are tried at once. */
  readonly hurry: (lanes: ReadonlySet<Lane>) => void
  /** Whether mail of this lane has no backend to go to, as far as is known. */
  readonly isOut: (lane: Lane) => boolean
  readonly expiry: { readonly stopped: string | undefined; resume(): boolean }
}

export interface QueueOperationsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly queue: Queue
  readonly guard: Pick<DrainGuard, 'stopped' | 'resume'>
  /** Undefined where the configuration cannot be read: then nothing is routed, and lanes are put right at the next start. */
  readonly settings: () => WaySettings | undefined
  readonly ways: Ways | undefined
  readonly running: Running | undefined
}

/** When a lane is tried next; undefined where nobody knows, as without a drain. */
export function laneNextMs(running: Running | undefined, lane: Lane): number | undefined {
  const ms = running?.drain.nextTryMs(lane)
  return ms === undefined ? undefined : Math.round(ms)
}
