/**
 * Words by which the gateway knows that it is `waypost check` of its own owner that asks: what such a session hears neither counts against
 * anybody nor teaches anything. Handed out over the control socket, which only the owner of the state folder can open; said behind NOOP
 * (RFC 5321 §4.1.1.9: a string that others ignore), once each and soon. Used by `sender-handler` and the control socket's handlers.
 */
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'

export interface OwnProbes {
  /** A new word. */
  issue(): string
  /** Whether it is one that was handed out and not yet said; it is no more then. */
  take(word: string): boolean
}

/** A session says its word seconds after it was handed out. */
const lifeMs = 120_000
/** More are not kept: the oldest goes. */
const most = 1_000

export function createOwnProbes({ clock, random }: { readonly clock: Clock; readonly random: Random }): OwnProbes {
  const untilMs = new BoundedMap<string, number>(most)
  return {
    issue() {
      const word = `waypost-probe-${random.bytes(18).toString('hex')}`
      untilMs.set(word, clock.monotonicMs() + lifeMs)
      return word
    },
    take(word) {
      const until = untilMs.get(word)
      untilMs.delete(word)
      return until !== undefined && clock.monotonicMs() < until
    },
  }
}
