/**
 * Log lines of what is so until somebody mends it, and is met anew by each recipient that is asked for: told at once, and while it goes on once a
 * minute, with how often it was met meanwhile. A sender makes as many of them as it says recipients, and the disk under the log is not its own.
 * Made by `gateway`, for what is carried and what is held, and by `web/web.ts` for what is done there.
 */
import type { Clock } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'
import { createMinuteByKey, minuteSeconds } from '../base/minute-by-key.ts'

export interface ToldSparingly {
  /** @param about  what of one event is the same thing: a backend and a step, a domain */
  tell(level: 'info' | 'alert', event: string, about: string, fields: Fields): void
  /** Says what is still to be said. */
  stop(): void
}

/** What goes on, as it was met last. */
interface Going {
  last: { readonly level: 'info' | 'alert'; readonly event: string; readonly fields: Fields } | undefined
  /** Since the last line. */
  more: number
}

export function createToldSparingly({ clock, log }: { readonly clock: Clock; readonly log: Log }): ToldSparingly {
  const going = createMinuteByKey<Going>({ clock, begin: () => ({ last: undefined, more: 0 }), over: sumUp })

  /** @returns whether it went on, so that it is no news in the next minute */
  function sumUp(each: Going): boolean {
    const { last, more } = each
    if (!last || more === 0) return false
    log[last.level](last.event, { ...last.fields, more, withinSeconds: minuteSeconds })
    each.more = 0
    return true
  }

  return {
    tell(level, event, about, fields) {
      // Things beyond those that are kept apart count as one of their event.
      const each = going.of(`${event}\n${about}`, event)
      if (each.last) each.more++
      else log[level](event, fields)
      each.last = { level, event, fields }
    },
    stop: going.stop,
  }
}
