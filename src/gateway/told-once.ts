/**
 * Log lines of what is so until somebody mends it, and is met anew by each recipient that is asked for: told at once, and while it goes on once a
 * minute, with how often it was met meanwhile. A sender makes as many of them as it says recipients, and the disk under the log is not its own.
 * Made by `gateway`, for what is carried and what is held, and by `web/web.ts` for what is done there.
 */
import { type Clock, Deadline } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'

export interface ToldOnce {
  /** @param about  what of one event is the same thing: a backend and a step, a domain */
  tell(level: 'info' | 'alert', event: string, about: string, fields: Fields): void
  /** Says what is still to be said. */
  stop(): void
}

interface Going {
  readonly level: 'info' | 'alert'
  readonly event: string
  endMs: number
  /** Since the last line. */
  more: number
  last: Fields
}

const withinSeconds = 60
/** Things that go on at one time, some hundred octets each; those beyond count as one of their event. */
const mostGoing = 10_000

export function createToldOnce({ clock, log }: { readonly clock: Clock; readonly log: Log }): ToldOnce {
  /** In the order of their ends. */
  const going = new Map<string, Going>()
  const alarm = new Deadline(clock, sumUp)

  function sumUp(): void {
    const nowMs = clock.monotonicMs()
    for (const [key, each] of [...going]) {
      if (each.endMs > nowMs + 1) break
      going.delete(key)
      if (!write(each)) continue
      each.more = 0
      each.endMs = nowMs + 1000 * withinSeconds
      going.set(key, each)
    }
    setAlarm()
  }

  /** @returns whether it went on */
  function write({ level, event, more, last }: Going): boolean {
    if (more > 0) log[level](event, { ...last, more, withinSeconds })
    return more > 0
  }

  function setAlarm(): void {
    const [first] = going.values()
    if (first) alarm.armAt(first.endMs)
    else alarm.disarm()
  }

  return {
    tell(level, event, about, fields) {
      const own = `${event}\n${about}`
      const key = going.has(own) || going.size < mostGoing ? own : event
      const known = going.get(key)
      if (known) {
        known.more++
        known.last = fields
        return
      }
      log[level](event, fields)
      going.set(key, { level, event, endMs: clock.monotonicMs() + 1000 * withinSeconds, more: 0, last: fields })
      if (going.size === 1) setAlarm()
    },
    stop() {
      alarm.end()
      for (const each of going.values()) write(each)
      going.clear()
    },
  }
}
