/**
 * A queue that serves keys in turn, and each key's own in order: one client with a hundred messages waits no less than a hundred
 * clients with one. Adding, removing and taking cost the same however many wait. Used by `waiting-line.ts`.
 */

export interface Turns<T> {
  add(key: string, element: T): void
  /** @returns whether it was still there */
  remove(key: string, element: T): boolean
  /**
   * Takes the first of the key whose turn it is.
   * @param mayBe  a key whose first may not be served is passed by, and keeps its turn; default: all may
   */
  next(mayBe?: (first: T) => boolean): T | undefined
  /** How many of this key wait. */
  countOf(key: string): number
  readonly size: number
}

export function createTurns<T>(): Turns<T> {
  // Maps and sets keep the order of insertion: the first key is the next one, and goes to the end when it was served.
  const byKey = new Map<string, Set<T>>()
  let size = 0
  return {
    add(key, element) {
      const queue = byKey.get(key)
      if (queue) queue.add(element)
      else byKey.set(key, new Set([element]))
      size++
    },
    remove(key, element) {
      const queue = byKey.get(key)
      if (!queue?.delete(element)) return false
      if (queue.size === 0) byKey.delete(key)
      size--
      return true
    },
    next(mayBe = () => true) {
      for (const [key, queue] of byKey) {
        for (const element of queue) {
          if (!mayBe(element)) break
          byKey.delete(key)
          queue.delete(element)
          if (queue.size > 0) byKey.set(key, queue)
          size--
          return element
        }
      }
      return undefined
    },
    countOf: (key) => byKey.get(key)?.size ?? 0,
    get size() {
      return size
    },
  }
}
