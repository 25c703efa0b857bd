/**
 * When a message's turn is within its lane: the time of its arrival, but the messages of one sender domain are at least 20 ms apart (start-time fair
 * queueing). So the oldest go first, and a list of 100,000 recipients that arrived within a minute does not stop a letter that came behind it.
 * Engines ask this for each message that is held.
 */
import { BoundedMap } from '../base/bounded-map.ts'
import type { ReversePath } from '../mail/address.ts'

export interface FairTurns {
  /** @returns the turn on the wall clock */
  next(sender: ReversePath, receivedMs: number): number
}

const apartMs = 20
/** So long may a flood put its own mail off; it also bounds what a clock that jumped does. */
const longestAheadMs = 3_600_000
const mostDomains = 10_000

export function createFairTurns(): FairTurns {
  /** The last turn by sender domain. */
  const last = new BoundedMap<string, number>(mostDomains)
  return {
    next(sender, receivedMs) {
      const domain = sender?.domain ?? ''
      const before = last.get(domain)
      const turn = before === undefined ? receivedMs : Math.max(receivedMs, before + apartMs)
      const bounded = Math.min(turn, receivedMs + longestAheadMs)
      last.set(domain, bounded)
      return bounded
    },
  }
}
