/** A clock that a test sets: what it has to wait for comes when it says so. */
import type { Clock } from '../../src/base/clock.ts'

export interface FakeClock extends Clock {
  /** Moves both clocks, and runs what has become due, in order. */
  advance(byMs: number): void
}

export function createFakeClock(): FakeClock {
  const timers = new Set<{ dueMs: number; run: () => void }>()
  let nowMs = 0
  return {
    now: () => 1_700_000_000_000 + nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + delayMs, run }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
    advance(byMs) {
      nowMs += byMs
      for (const timer of [...timers].sort((a, b) => a.dueMs - b.dueMs)) {
        if (timer.dueMs <= nowMs && timers.delete(timer)) timer.run()
      }
    },
  }
}
