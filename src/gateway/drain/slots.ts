/** A number of places that are taken in turn: who asked first goes first. */

export interface Slots {
  take(): Promise<void>
  give(): void
  /** Resolves when all places are free. */
  whenFree(): Promise<void>
}

export function createSlots(most: number): Slots {
  const waiting: (() => void)[] = []
  const watching: (() => void)[] = []
  let used = 0
  return {
    async take() {
      if (used < most) {
        used++
        return
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
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
