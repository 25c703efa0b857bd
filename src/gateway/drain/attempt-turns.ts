/** Whose turn it is to begin an attempt: live mail goes first, then all lanes take turns at so many places. For `drain`. */
import { createSlots } from '../../base/slots.ts'
import type { Lane } from '../../queue/queue.ts'
import type { LiveFirst } from '../carry/live-first.ts'
import { isOutbound } from '../ways/outbound.ts'
import type { LaneDrainDeps } from './lane-drain.ts'

export interface AttemptTurns {
  of(lane: Lane): Pick<LaneDrainDeps, 'turn' | 'turnOver'>
  /** Resolves when no attempt is under way. */
  whenNone(): Promise<void>
}

/** Attempts at once, over all lanes. */
const mostAtOnce = 200
/** The same for mail of our own to strangers: whoever makes us write to servers that never come to an end keeps nothing else from going. */
const mostOutboundAtOnce = 50

export function createAttemptTurns(live: Pick<LiveFirst, 'turn'>): AttemptTurns {
  const slots = createSlots(mostAtOnce)
  const outboundSlots = createSlots(mostOutboundAtOnce)
  return {
    of(lane) {
      const taken = isOutbound(lane) ? outboundSlots : slots
      return {
        turn: () => live.turn()?.then(() => taken.take()) ?? taken.take(),
        turnOver: () => taken.give(),
      }
    },
    async whenNone() {
      await Promise.all([slots.whenFree(), outboundSlots.whenFree()])
    },
  }
}
