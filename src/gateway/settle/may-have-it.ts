/**
 * A backend that was silent, or gone, behind our dot: it may have the message, so its recipients are unknown, and wait for that backend alone. What
 * is written down of them, and how long a word may still come. For `hand-over` and `attempt`, whose dots they are, for `late-watch`, which
 * listens, and for `act` and `taking-out`, where a person asks meanwhile.
 */
import type { Random } from '../../base/random.ts'
import { faultText } from '../../delivery/outcome.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { HeldRecipient, Settled } from '../../queue/queue.ts'
import type { Carried } from '../carry/carried.ts'
import { pauseAfter } from '../pauses.ts'
import type { HeldBefore } from '../put-off.ts'
import type { Way } from '../ways/lanes.ts'

type Unknown = Extract<Carried, { kind: 'unknown' }>

/** RFC 5321 §4.5.3.2.6: ten minutes behind the dot are a server's to answer in. Nobody answers later, so nobody listens longer. */
export const lateWatchMs = 600_000
/** One whose connection broke may still be at work for half of it. */
const brokenWaitMs = 300_000
/** A word that comes at the last moment is to be written down before anybody is asked again. */
const lastWordMs = 5_000

/** Where the first pause behind a dot ends among those of `pauseAfter`: each copy may be one too many, so the next pauses are longer. */
const pausesBehind = 3

/**
 * All of it runs from our dot. Who has waited for the whole of it, as the drain does, asks again after a pause all the same.
 * @param nowMs  when it was given up, on the wall clock, as all that is written down
 * @param held  what it was at this dot, where it came from the hold. While it is unknown behind the same backend, the time of that one does not
 *   begin anew with each dot: else one that keeps what it is given and breaks off would be given it for ever, and nobody else would.
 */
export function unknownUntilTold(
  { endpoint: { backend }, late, waitedMs }: Unknown,
  { policy }: Way,
  nowMs: number,
  random: Random,
  held?: HeldBefore,
) {
  const dotMs = nowMs - waitedMs
  const unknown = { kind: 'unknown', backend: backend.key } as const
  const soonestMs = dotMs + (late ? lateWatchMs + lastWordMs : brokenWaitMs)
  const isAgain = held?.elsewhereMs !== undefined && held.backend === backend.key
  const elsewhereMs = isAgain ? held.elsewhereMs : dotMs + policy.unknownWaitMs
  const pauseEndMs = nowMs + pauseAfter((held?.attempts ?? 0) + (isAgain ? pausesBehind : 0), random)
  // When others may be asked, they are.
  const nextMs = elsewhereMs > nowMs ? Math.min(pauseEndMs, elsewhereMs) : pauseEndMs
  return { ...unknown, notBeforeMs: Math.max(soonestMs, nextMs), elsewhereMs } satisfies Settled
}

/** Until when its word is listened for. @param monotonicMs  when it was given up, on the clock that the result is on */
export const listenUntilMs = ({ waitedMs }: Pick<Unknown, 'waitedMs'>, monotonicMs: number): number =>
  monotonicMs - waitedMs + lateWatchMs

/** RFC 3463 §3.5: the connection was made, and then nothing more could come of it. */
const silenceCode = '4.4.2'

/** What stands in for the backend's word. */
export const silenceReply = ({ fault }: Pick<Unknown, 'fault'>): Reply => reply(451, silenceCode, faultText(fault))

/** Until when somebody may listen behind the dot of what is unknown, on the wall clock. Nobody does where a backend has put it off since. */
export const watchedUntilMs = (
  { lastReply, lastAttemptMs }: Pick<HeldRecipient, 'lastReply' | 'lastAttemptMs'>,
  receivedMs: number,
): number =>
  lastReply === undefined || lastReply.enhanced === silenceCode ? (lastAttemptMs ?? receivedMs) + lateWatchMs : 0
