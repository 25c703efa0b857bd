/** A clock whose wall time a test puts forward or back, while durations go on as they do: what NTP or a person does to a machine. */
import type { Clock } from '../../src/base/clock.ts'

export interface JumpingClock extends Clock {
  jump(byMs: number): void
}

export function createJumpingClock(clock: Clock): JumpingClock {
  let offMs = 0
  return {
    now: () => clock.now() + offMs,
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, run) => clock.after(delayMs, run),
    jump(byMs) {
      offMs += byMs
    },
  }
}
