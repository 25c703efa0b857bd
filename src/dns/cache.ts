/**
 * A bounded memory of answers; what has not been used for long goes first. It knows nothing of DNS; the resolver says how long each is
 * worth keeping.
 *
 * Two generations: what is new or used moves into the young one; when that is full, it becomes the old one, and the old one is forgotten
 * whole. An exact order of use would cost more than all else that the resolver does for an answer.
 */
import type { Clock } from '../base/clock.ts'

export interface Cache<V> {
  get(key: string): V | undefined
  /** @param cost  what it takes of the room; more than half of it: nothing is kept */
  set(key: string, value: V, keepMs: number, cost: number): void
  readonly size: number
}

interface Entry<V> {
  readonly value: V
  readonly keepUntilMs: number
  readonly cost: number
}

/** @param room  the sum of all costs never exceeds it (an odd one is rounded up) */
export function createCache<V>(room: number, clock: Clock): Cache<V> {
  const half = Math.ceil(room / 2)
  let young = new Map<string, Entry<V>>()
  let old = new Map<string, Entry<V>>()
  let youngCost = 0

  const remove = (key: string): void => {
    old.delete(key)
    const known = young.get(key)
    if (!known) return
    young.delete(key)
    youngCost -= known.cost
  }
  const add = (key: string, entry: Entry<V>): void => {
    if (youngCost + entry.cost > half) {
      old = young
      young = new Map()
      youngCost = 0
    }
    young.set(key, entry)
    youngCost += entry.cost
  }

  return {
    get(key) {
      const entry = young.get(key) ?? old.get(key)
      if (!entry) return undefined
      if (clock.monotonicMs() >= entry.keepUntilMs) {
        remove(key)
        return undefined
      }
      if (old.delete(key)) add(key, entry)
      return entry.value
    },
    set(key, value, keepMs, cost) {
      remove(key)
      if (cost > half || keepMs <= 0) return
      add(key, { value, keepUntilMs: clock.monotonicMs() + keepMs, cost })
    },
    get size() {
      return young.size + old.size
    },
  }
}
