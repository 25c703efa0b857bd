/**
 * A clock on which time passes so many times faster: what takes minutes in production takes a second in a test, and every duration keeps
 * its proportion to every other. Handed to `lab.gateway()` where the time itself cannot be a setting.
 */
import { type Clock, systemClock } from '../../src/base/clock.ts'

export function createFastClock(times: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonicMs: () => systemClock.monotonicMs() * times,
    after: (delayMs, run) => systemClock.after(delayMs / times, run),
  }
}
