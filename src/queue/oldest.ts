/** How old the oldest of several messages is, where only one that comes or goes is known. For `counters`. */

/** The moment of what is not there. */
export const never = Number.POSITIVE_INFINITY
export const orUndefined = (ms: number): number | undefined => (ms === never ? undefined : ms)

export class Oldest {
  /** Something that was the oldest is gone: what is taken for the oldest since is too old. */
  isStale = false

  /** @param sign  whether the message comes or goes @param isEmpty  whether none is left @returns the oldest moment then, as far as is known */
  behind(oldestMs: number, receivedMs: number, sign: 1 | -1, isEmpty: boolean): number {
    if (isEmpty) return never
    if (sign === 1) return Math.min(oldestMs, receivedMs)
    if (receivedMs <= oldestMs) this.isStale = true
    return oldestMs
  }
}
