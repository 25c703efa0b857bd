/**
 * What is summed up by key, each over a minute of its own that begins when the key first comes. One timer serves all of them, and those that a flood
 * brings beyond a ceiling share one minute. Used for log lines that must not fill a disk: `gateway/told-sparingly.ts`, `gateway/receive/told-refusals.ts`.
 */
import { type Clock, Deadline } from './clock.ts'

export interface MinuteByKey<Sum> {
  /**
   * The sum of the minute that runs for this key, begun where none does.
   * @param others  the key that is taken instead where no more are kept apart
   */
  of(key: string, others: string): Sum
  /** Ends every minute now, and the timer. */
  stop(): void
}

export interface MinuteByKeyDeps<Sum> {
  readonly clock: Clock
  readonly begin: () => Sum
  /** A minute is over. @returns whether its sum goes on for another one */
  readonly over: (sum: Sum, key: string) => boolean
}

export const minuteSeconds = 60
/** Keys of one minute that are kept apart, some hundred octets each. */
const mostKeys = 10_000

export function createMinuteByKey<Sum>({ clock, begin, over }: MinuteByKeyDeps<Sum>): MinuteByKey<Sum> {
  /** In the order of their ends. */
  const running = new Map<string, { readonly sum: Sum; readonly endMs: number }>()
  const alarm = new Deadline(clock, endThoseOver)

  function endThoseOver(): void {
    const nowMs = clock.monotonicMs()
    for (const [key, { sum, endMs }] of running) {
      if (endMs > nowMs + 1) break
      running.delete(key)
      if (over(sum, key)) run(key, sum)
    }
    setAlarm()
  }

  function run(key: string, sum: Sum): void {
    running.set(key, { sum, endMs: clock.monotonicMs() + 1000 * minuteSeconds })
  }

  function setAlarm(): void {
    const [first] = running.values()
    if (first) alarm.armAt(first.endMs)
    else alarm.disarm()
  }

  return {
    of(own, others) {
      const key = running.has(own) || running.size < mostKeys ? own : others
      const known = running.get(key)
      if (known) return known.sum
      const sum = begin()
      run(key, sum)
      if (running.size === 1) setAlarm()
      return sum
    },
    stop() {
      alarm.end()
      for (const [key, { sum }] of running) over(sum, key)
      running.clear()
    },
  }
}
