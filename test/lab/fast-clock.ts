/**
 * A clock on which time passes so many times faster: what takes minutes in production takes a second in a test, and every duration keeps
 * its proportion to every other. Handed to `lab.gateway()` where the time itself cannot be a setting.
 *
 * While this process does not get the processor no time passes on it: on a loaded machine a pause of a moment would be one of minutes, and
 * end waits for peers that were not given the moment to answer.
 */
import { type Clock, systemClock } from '../../src/base/clock.ts'

interface Sleeper {
  readonly dueMs: number
  readonly run: () => void
}

/**
 * The machine's pace, for whoever has his peers in the same process: a stall of the machine is no silence of theirs. One for all of them. The wall
 * clock is the machine's own.
 */
export const steadyClock: Clock = sharedClock(1)

/** For the store of a gateway whose clock is faster: a sync takes the disk's time, and on that clock seconds of it would be minutes. */
export const diskClock: Clock = sharedClock(5)

/** Made when it is wanted: it looks again and again from then on. */
function sharedClock(times: number): Clock {
  let made: Clock | undefined
  const clock = () => {
    made ??= createFastClock(times)
    return made
  }
  return {
    now: systemClock.now,
    monotonicMs: () => clock().monotonicMs(),
    after: (delayMs, run) => clock().after(delayMs, run),
  }
}

/** So long on that clock: what a peer of the lab needs to think, or stays away. */
export const sleepOn = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, resolve))

/** It looks at the machine's clock so often. */
const tickMs = 5
/** Of the time since it looked last no more is counted. */
const mostStepMs = 10

export function createFastClock(times: number): Clock {
  const startMs = systemClock.now()
  const sleepers = new Set<Sleeper>()
  let lookedMs = systemClock.monotonicMs()
  let passedMs = 0
  let wakesMs = Number.POSITIVE_INFINITY
  let ticking: NodeJS.Timeout | undefined

  function look(): number {
    const nowMs = systemClock.monotonicMs()
    passedMs += Math.min(mostStepMs, nowMs - lookedMs) * times
    lookedMs = nowMs
    return passedMs
  }

  /** @param inMs  of real time, at most a tick */
  function tickIn(inMs: number): void {
    clearTimeout(ticking)
    wakesMs = lookedMs + inMs
    ticking = setTimeout(tick, inMs).unref()
  }

  function tick(): void {
    look()
    const due = [...sleepers].filter(({ dueMs }) => dueMs <= passedMs).sort((a, b) => a.dueMs - b.dueMs)
    tickIn(tickMs)
    try {
      // One that wakes may cancel another.
      for (const sleeper of due) if (sleepers.delete(sleeper)) sleeper.run()
    } finally {
      const soonestMs = Math.min(...[...sleepers].map(({ dueMs }) => dueMs))
      tickIn(Math.max(0, Math.min(tickMs, (soonestMs - look()) / times)))
    }
  }

  tickIn(tickMs)
  return {
    now: () => startMs + Math.floor(look()),
    monotonicMs: look,
    after(delayMs, run) {
      const sleeper = { dueMs: look() + Math.max(0, delayMs), run }
      sleepers.add(sleeper)
      const inMs = Math.max(0, delayMs) / times
      if (lookedMs + inMs < wakesMs) tickIn(inMs)
      return { cancel: () => void sleepers.delete(sleeper) }
    },
  }
}
