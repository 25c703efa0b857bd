/** Counters with a ceiling: what keeps memory, disk and connections bounded, over all and for one network. */

import type { Clock } from './clock.ts'

/** An amount in use, never over `most`. */
export interface Budget {
  /** Takes `amount` if it fits, and says whether it did. */
  take(amount: number): boolean
  give(amount: number): void
  readonly used: number
  readonly most: number
}

/** @param most  asked at each `take`, so that a reload can change it */
export function createBudget(most: () => number): Budget {
  let used = 0
  return {
    take(amount) {
      if (used + amount > most()) return false
      used += amount
      return true
    },
    give(amount) {
      used = Math.max(0, used - amount)
    },
    get used() {
      return used
    },
    get most() {
      return most()
    },
  }
}

/** A ceiling a key; a key that is back at 0 takes no memory. */
export interface KeyedBudget {
  take(key: string, amount: number): boolean
  give(key: string, amount: number): void
  used(key: string): number
}

export function createKeyedBudget(most: () => number): KeyedBudget {
  const usedByKey = new Map<string, number>()
  return {
    take(key, amount) {
      const used = (usedByKey.get(key) ?? 0) + amount
      if (used > most()) return false
      usedByKey.set(key, used)
      return true
    },
    give(key, amount) {
      const left = (usedByKey.get(key) ?? 0) - amount
      if (left > 0) usedByKey.set(key, left)
      else usedByKey.delete(key)
    },
    used: (key) => usedByKey.get(key) ?? 0,
  }
}

/** How often, or how much, each key did something within the last while: this window, and of the one before it the part that has not passed. */
export interface RateCounter {
  /** @param amount  default: once */
  count(key: string, amount?: number): void
  recent(key: string): number
}

/** @param mostKeys  keys a window; further ones are not counted, which bounds the memory that a flood can take */
export function createRateCounter(clock: Clock, windowMs: number, mostKeys = 100_000): RateCounter {
  let current = new Map<string, number>()
  let previous = new Map<string, number>()
  let startMs = clock.monotonicMs()

  function turn(nowMs: number): void {
    const windows = Math.floor((nowMs - startMs) / windowMs)
    if (windows < 1) return
    previous = windows === 1 ? current : new Map()
    current = new Map()
    startMs += windows * windowMs
  }

  return {
    count(key, amount = 1) {
      turn(clock.monotonicMs())
      const before = current.get(key)
      if (before !== undefined || current.size < mostKeys) current.set(key, (before ?? 0) + amount)
    },
    recent(key) {
      if (current.size === 0 && previous.size === 0) return 0
      const nowMs = clock.monotonicMs()
      turn(nowMs)
      // The part of the window before this one that still lies within the last `windowMs`.
      const part = 1 - (nowMs - startMs) / windowMs
      return Math.floor((current.get(key) ?? 0) + (previous.get(key) ?? 0) * part)
    },
  }
}

/** A bucket a key, which fills by so many tokens a second up to what `burstSeconds` bring, and begins full. */
export interface TokenBuckets {
  /** @returns whether there was a token to take */
  take(key: string): boolean
  /** Buckets that are remembered. */
  readonly size: number
}

/**
 * @param perSecond  asked at each `take`, so that a reload can change it
 * @param mostKeys  beyond it the key that came longest ago is forgotten, which is the one whose bucket is fullest: a flood from ever new
 *   keys takes no more memory than this
 */
export function createTokenBuckets(
  clock: Clock,
  perSecond: () => number,
  burstSeconds: number,
  mostKeys = 100_000,
): TokenBuckets {
  /** In the order of their last use: a key that is used is put behind all others. */
  const buckets = new Map<string, { tokens: number; atMs: number }>()

  /** A bucket that is full again is like none at all. */
  function forgetFull(nowMs: number): void {
    for (const [key, { atMs }] of buckets) {
      if (buckets.size <= mostKeys && nowMs - atMs < burstSeconds * 1000) return
      buckets.delete(key)
    }
  }

  return {
    take(key) {
      const nowMs = clock.monotonicMs()
      const rate = perSecond()
      const bucket = buckets.get(key) ?? { tokens: Number.POSITIVE_INFINITY, atMs: nowMs }
      bucket.tokens = Math.min(rate * burstSeconds, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * rate)
      bucket.atMs = nowMs
      const isThere = bucket.tokens >= 1
      if (isThere) bucket.tokens--
      buckets.delete(key)
      buckets.set(key, bucket)
      forgetFull(nowMs)
      return isThere
    },
    get size() {
      return buckets.size
    },
  }
}
