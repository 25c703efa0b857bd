/** A number of places that are taken in turn: who asked first goes first. */

export interface Slots {
  /** Resolves when there is a place; undefined where there is one at once. */
  take(): Promise<void> | undefined
  give(): void
  /** Resolves when all places are free. */
  whenFree(): Promise<void>
}

export function createSlots(most: number): Slots {
  const waiting: (() => void)[] = []
  const watching: (() => void)[] = []
  let used = 0
  return {
    take() {
      if (used >= most) return new Promise<void>((resolve) => waiting.push(resolve))
      used++
      return undefined
    },
    give() {
      const next = waiting.shift()
      if (next) {
        next()
        return
      }
      used--
      if (used === 0) for (const watcher of watching.splice(0)) watcher()
    },
    async whenFree() {
      if (used > 0) await new Promise<void>((resolve) => watching.push(resolve))
    },
  }
}
