/** Hands what happens in the gateway to all who listen in this process: figures, watch, web. Made by `serve`, before any of them. */
import type { Log } from '../../base/log.ts'
import type { Tell } from '../../gateway/events.ts'

export interface Telling {
  readonly tell: Tell
  /** Hears everything from now on. */
  listen(hear: Tell): void
}

export function createTelling(log: Log): Telling {
  const listeners: Tell[] = []
  return {
    tell(event) {
      for (const hear of listeners) {
        try {
          hear(event)
        } catch (error) {
          // A message is on its way here: whoever only listens must not stop it.
          log.error('an event was not taken in', { event: event.kind, error })
        }
      }
    },
    listen: (hear) => void listeners.push(hear),
  }
}
