/**
 * A backend that was silent, or gone, behind our dot: it may have the message, so its recipients are unknown, and wait for that backend alone. What
 * is written down of them, and how long a word may still come. For `hand-over` and `attempt`, whose dots they are, for `late-watch`, which
 * listens, and for `queue-operations` and `queue-transfer`, where a person asks meanwhile.
 */
import { faultText } from '../../delivery/outcome.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { HeldRecipient, Settled } from '../../queue/queue.ts'
import type { Carried } from '../carry/carried.ts'
import type { Way } from '../ways/lanes.ts'

type Unknown = Extract<Carried, { kind: 'unknown' }>

/** RFC 5321 §4.5.3.2.6: ten minutes behind the dot are a server's to answer in. Nobody answers later, so nobody listens longer. */
export const lateWatchMs = 600_000
/** One whose connection broke may still be at work for half of it. */
const brokenWaitMs = 300_000

/** @param nowMs  on the wall clock, as all that is written down */
export function unknownUntilTold({ endpoint, late }: Unknown, { policy }: Way, nowMs: number) {
  return {
    kind: 'unknown',
    backend: endpoint.backend.key,
    notBeforeMs: nowMs + (late ? lateWatchMs : brokenWaitMs),
    elsewhereMs: nowMs + policy.unknownWaitMs,
  } as const satisfies Settled
}

/** What stands in for the backend's word. */
export const silenceReply = ({ fault }: Unknown): Reply => reply(451, '4.4.2', faultText(fault))

/** Until when somebody may listen behind the dot of what is unknown, on the wall clock. */
export const watchedUntilMs = ({ lastAttemptMs }: HeldRecipient, receivedMs: number): number =>
  (lastAttemptMs ?? receivedMs) + lateWatchMs
