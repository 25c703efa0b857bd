/** Whose time is over: what that means for each recipient of a message. Asked by `expiry.ts`, which does it. */
import type { HeldEntry, HeldRecipient, Lane, RecipientState } from '../../queue/queue.ts'
import type { Drain } from '../drain/drain.ts'
import type { Way } from '../ways/lanes.ts'

export interface SortedOverdue {
  /** It is their end. */
  readonly over: readonly HeldRecipient[]
  /** They are to be tried once more first. */
  readonly chance: readonly HeldRecipient[]
  /** Something of the message is under way that was given its last chance. */
  readonly isOpen: boolean
}

export interface SortOverdueDeps {
  readonly drain: Pick<Drain, 'isAttempting' | 'isOut'>
  /** Whether a backend gets nothing of the hold until a person has looked (`drain-guard`). */
  readonly isDrainStopped: (backend: string) => boolean
  readonly wayOfLane: (lane: Lane) => Way | undefined
}

/** @param wasTried  it has been given its last chance */
export function sortOverdue(
  { message, recipients }: HeldEntry,
  nowMs: number,
  wasTried: boolean,
  deps: SortOverdueDeps,
): SortedOverdue {
  const over: HeldRecipient[] = []
  const chance: HeldRecipient[] = []
  let isOpen = false
  // What an attempt will say of it is not known yet.
  const isClaimed = deps.drain.isAttempting(message.id)
  for (const held of recipients) {
    const expiresMs = held.expiresMs ?? message.expiresMs
    // Others of the message may have come to their end before it.
    if (expiresMs > nowMs) continue
    if (held.state === 'refused' || held.state === 'expired' || waitsForAPerson(held, deps)) continue
    if (isClaimed || isAnothers(held, nowMs)) isOpen = wasTried
    else if (isOver(held, expiresMs, wasTried, deps)) over.push(held)
    else chance.push(held)
  }
  return { over, chance, isOpen }
}

/**
 * It is us who do not let it go to a backend that may have come back empty: that must bounce nothing, however long the person takes. It may keep
 * what is overdue behind it waiting too, where there are more than one round looks at: late, and not lost.
 */
function waitsForAPerson({ state, lane }: HeldRecipient, { wayOfLane, isDrainStopped }: SortOverdueDeps): boolean {
  if (!isOnItsWay(state)) return false
  return wayOfLane(lane)?.route.entries.some(({ backend }) => isDrainStopped(backend.url)) ?? false
}

function isOver(
  { state, lane, lastAttemptMs }: HeldRecipient,
  expiresMs: number,
  wasTried: boolean,
  { wayOfLane, drain }: SortOverdueDeps,
): boolean {
  if (!isOnItsWay(state)) return true
  if (lastAttemptMs !== undefined && lastAttemptMs >= expiresMs) return true
  return !wayOfLane(lane) || (wasTried && drain.isOut(lane))
}

const isOnItsWay = (state: RecipientState) => state === 'ready' || state === 'waiting' || state === 'unknown'

/** A transaction that is under way answers for it, or somebody listens behind its dot. */
const isAnothers = ({ state, notBeforeMs }: HeldRecipient, nowMs: number) =>
  state === 'offered' || (state === 'unknown' && notBeforeMs !== undefined && nowMs < notBeforeMs)
