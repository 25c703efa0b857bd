/** A recipient of a message that comes in from a folder: by which lane it goes today, and what becomes of it. Pure. For `taking-in`. */
import type { Lane, Settled } from '../../queue/queue.ts'
import { laneNamed } from '../ways/chosen-lane.ts'
import { outboundLane } from '../ways/outbound.ts'
import type { Ways } from '../ways/ways.ts'
import { type HeldEnvelope, recipientOf } from './held-envelope.ts'

export type StoredRecipient = HeldEnvelope['recipients'][number]

export const noLane = 'none' as Lane
const aDayMs = 24 * 60 * 60_000

/** By which it goes, or undefined where none leads on. @param ways  undefined: no configuration is known */
export function laneIn(stored: StoredRecipient, ways: Ways | undefined): Lane | undefined {
  const recipient = recipientOf(stored)
  // It may have become ours since, and then its lane leads to its route.
  if (stored.isOwnMail) return outboundLane(recipient)
  if (!ways) return wantedLane(stored)
  // A file sends nothing to a backend for a domain that is not declared: that is a person's to do, with the mail in the hold.
  return ways.ofRecipient(recipient, noLane) && ways.ofRecipient(recipient, wantedLane(stored))
}

/** Where a person had sent it, as far as the lane goes otherwise. @param lane  as `laneIn` found it */
export const notDeclared = (stored: StoredRecipient, lane: Lane | undefined): string | undefined =>
  stored.chosen !== null && lane !== undefined && lane !== wantedLane(stored) ? stored.chosen : undefined

/** What becomes of it. @param lane  as `laneIn` found it */
export const settledIn = (stored: StoredRecipient, lane: Lane | undefined, nowMs: number): Settled =>
  lane === undefined && isOnItsWay(stored) ? { kind: 'no-route' } : restored(stored, nowMs)

const wantedLane = (stored: StoredRecipient): Lane =>
  stored.chosen === null ? noLane : laneNamed(recipientOf(stored), stored.chosen)

/** As it was when it left. */
function restored(stored: StoredRecipient, nowMs: number): Settled {
  const { state, notBeforeMs, keepUntilMs, backend, elsewhereMs } = stored
  switch (state) {
    case 'waiting':
      return notBeforeMs !== null && notBeforeMs > nowMs ? { kind: state, notBeforeMs } : { kind: 'ready' }
    case 'unknown':
      if (backend === null || elsewhereMs === null) return { kind: 'ready' }
      return { kind: state, backend, elsewhereMs, notBeforeMs: Math.max(nowMs, notBeforeMs ?? 0) }
    case 'refused':
    case 'expired':
      return { kind: state, keepUntilMs: Math.max(nowMs + aDayMs, keepUntilMs ?? 0) }
    case 'held':
    case 'set-aside':
    case 'corrupt':
      return { kind: state }
    default:
      return { kind: 'ready' }
  }
}

const isOnItsWay = ({ state }: StoredRecipient) =>
  state === 'ready' || state === 'waiting' || state === 'unknown' || state === 'no-route' || state === 'offered'
