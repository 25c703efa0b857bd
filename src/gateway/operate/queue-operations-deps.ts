/** What the operations of a person on held mail are handed: the hold, and what runs beside it. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Queue } from '../../queue/queue.ts'
import type { DrainGuard } from '../drain/drain-guard.ts'
import type { Tell } from '../events.ts'
import type { WaySettings, Ways } from '../ways/ways.ts'
import type { Running } from './running.ts'

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
