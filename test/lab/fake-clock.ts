/** A clock that a test sets: what it has to wait for comes when it says so. */
import type { Clock } from '../../src/base/clock.ts'

export interface FakeClock extends Clock {
  /** Moves both clocks, and runs what has become due, in order. */
  advance(byMs: number): void
  /** The wall clock is set; nothing becomes due by it. */
  jump(byMs: number): void
}

export function createFakeClock(): FakeClock {
  const timers = new Set<{ dueMs: number; run: () => void }>()
  let nowMs = 0
  let wallMs = 1_700_000_000_000
  return {
    now: () => wallMs + nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + delayMs, run }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
    jump(byMs) {
      wallMs += byMs
    },
    advance(byMs) {
      nowMs += byMs
      for (const timer of [...timers].sort((a, b) => a.dueMs - b.dueMs)) {
        if (timer.dueMs <= nowMs && timers.delete(timer)) timer.run()
      }
    },
  }
}
