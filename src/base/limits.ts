/** Counters with a ceiling: what keeps memory, disk and connections bounded, over all and for one network. */

/** An amount in use, never over `most`. */
export interface Budget {
  /** Takes `amount` if it fits, and says whether it did. */
  take(amount: number): boolean
  give(amount: number): void
  readonly used: number
  readonly most: number
}

export function createBudget(most: number): Budget {
  let used = 0
  return {
    take(amount) {
      if (used + amount > most) return false
      used += amount
      return true
    },
    give(amount) {
      used = Math.max(0, used - amount)
    },
    get used() {
      return used
    },
    most,
  }
}

/** A ceiling a key; a key that is back at 0 takes no memory. */
export interface KeyedBudget {
  take(key: string, amount: number): boolean
  give(key: string, amount: number): void
  used(key: string): number
}

export function createKeyedBudget(most: number): KeyedBudget {
  const usedByKey = new Map<string, number>()
  return {
    take(key, amount) {
      const used = (usedByKey.get(key) ?? 0) + amount
      if (used > most) return false
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
