/**
 * A bounded memory of answers, the least recently used out first. It knows nothing of DNS; the resolver says how long each is
 * worth keeping.
 */
import type { Clock } from '../base/clock.ts'

export interface Cache<V> {
  get(key: string): V | undefined
  /** @param cost  what it takes of the room; more than all of it: nothing is kept */
  set(key: string, value: V, keepMs: number, cost: number): void
  readonly size: number
}

interface Entry<V> {
  readonly value: V
  readonly keepUntilMs: number
  readonly cost: number
}

/** @param room  the sum of all costs never exceeds it */
export function createCache<V>(room: number, clock: Clock): Cache<V> {
  // A Map keeps the order of insertion; what is used is inserted again, so the oldest stands first.
  const entries = new Map<string, Entry<V>>()
  let used = 0
  const remove = (key: string, entry: Entry<V>) => {
    entries.delete(key)
    used -= entry.cost
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (clock.monotonicMs() >= entry.keepUntilMs) {
        remove(key, entry)
        return undefined
      }
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, keepMs, cost) {
      const old = entries.get(key)
      if (old) remove(key, old)
      if (cost > room || keepMs <= 0) return
      entries.set(key, { value, keepUntilMs: clock.monotonicMs() + keepMs, cost })
      used += cost
      for (const [oldest, entry] of entries) {
        if (used <= room) break
        remove(oldest, entry)
      }
    },
    get size() {
      return entries.size
    },
  }
}
