/** Notes, of which the same is told once an hour. For `alerting`. */
import type { Clock } from '../../base/clock.ts'

const againMs = 3_600_000

/** @param most  keys that are remembered */
export function createOnceAnHour(clock: Clock, most: number): (key: string) => boolean {
  /** When each was noted last; on the monotonic clock. */
  const notedMs = new Map<string, number>()
  return (key) => {
    const nowMs = clock.monotonicMs()
    const last = notedMs.get(key)
    if (last !== undefined && nowMs - last < againMs) return false
    for (const [known, atMs] of notedMs) if (nowMs - atMs >= againMs || notedMs.size > most) notedMs.delete(known)
    notedMs.set(key, nowMs)
    return true
  }
}
