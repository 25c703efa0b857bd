/** How long something waits before it is tried again: what a backend has deferred, and a route where nobody could be asked. */
import { jitter, type Random } from '../base/random.ts'

const minuteMs = 60_000
const pausesMs = [1, 2, 5, 10, 20, 30].map((minutes) => minutes * minuteMs)

/**
 * @param tries  so far: 1, 2, 5, 10, 20, then every 30 minutes, ± 20 %, so that what failed together does not come back together
 * @returns milliseconds
 */
export const pauseAfter = (tries: number, random: Random): number =>
  jitter(pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 30 * minuteMs, 0.2, random)
