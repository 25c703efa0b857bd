/** What the senders' side is handed to keep a message and to bring what is kept to its end. Made by `hold-parts`, for `hand-over`; without a hold there is none. */
import type { Random } from '../../base/random.ts'
import type { Recipient } from '../../mail/message.ts'
import type { Lane, Queue } from '../../queue/queue.ts'
import type { AfterHold } from '../notices/after-hold.ts'
import type { Successes } from '../notices/successes.ts'
import type { LateWatch } from '../settle/late-watch.ts'
import type { WriteDown } from '../settle/write-down.ts'
import type { Hold } from './hold.ts'

export interface HoldForSenders {
  readonly hold: Hold
  readonly queue: Queue
  readonly writeDown: WriteDown
  readonly lateWatch: LateWatch
  readonly afterHold: AfterHold
  readonly successes: Successes
  readonly random: Random
  /** Something for this recipient is the drain's now, under the lane of today: the session may be older than the configuration. */
  readonly mayGo: (recipient: Recipient, lane: Lane) => void
}
