/**
 * The log lines of what was refused before it was ours: recipients, messages, commands, whole sessions. Of each client so many a minute of each kind, and behind
 * them a line that says how many more there were. A flood of guesses, of recipients that a backend defers, or of broken commands is told by its first
 * lines: the disk under the log is not the flooder's. What became of a message that came in whole and in order is always told, by `hand-over`. Told by `refusals`.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Fields, Log } from '../../base/log.ts'

export type RefusalEvent =
  | 'recipient refused'
  | 'recipient deferred'
  | 'message refused'
  | 'smtp command refused'
  | 'smtp session refused'

export interface ToldRefusals {
  /** @param client  what its address counts as */
  tell(client: string, event: RefusalEvent, fields: Fields): void
  /** Says what is still to be said. */
  stop(): void
}

interface Minute {
  readonly endMs: number
  readonly count: Record<RefusalEvent, number>
}

const noneYet: Minute['count'] = {
  'recipient refused': 0,
  'recipient deferred': 0,
  'message refused': 0,
  'smtp command refused': 0,
  'smtp session refused': 0,
}
const withinSeconds = 60
/** Clients of one minute that are counted apart, some hundred octets each; what goes beyond it is one client more. */
const mostClients = 10_000

/** @param most  lines of one client, event and minute; asked each time, so that a reload can change it */
export function createToldRefusals(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly most: () => number
}): ToldRefusals {
  const { clock, log, most } = deps
  /** By client, in the order of their ends. */
  const minutes = new Map<string, Minute>()
  const alarm = new Deadline(clock, sumUp)

  function sumUp(): void {
    const nowMs = clock.monotonicMs()
    for (const [client, minute] of minutes) {
      if (minute.endMs > nowMs + 1) break
      end(client, minute)
    }
    setAlarm()
  }

  function end(client: string, { count }: Minute): void {
    minutes.delete(client)
    const more = (event: RefusalEvent) => Math.max(0, count[event] - most())
    const about = { client: client || 'others' }
    const [refused, deferred] = [more('recipient refused'), more('recipient deferred')]
    if (refused + deferred > 0) log.info('more recipients not accepted', { ...about, refused, deferred, withinSeconds })
    const [messages, commands] = [more('message refused'), more('smtp command refused')]
    const sessions = more('smtp session refused')
    if (messages + commands + sessions > 0)
      log.info('more was refused', { ...about, messages, commands, sessions, withinSeconds })
  }

  function setAlarm(): void {
    for (const { endMs } of minutes.values()) {
      alarm.armAt(endMs)
      return
    }
    alarm.disarm()
  }

  return {
    tell(client, event, fields) {
      const name = minutes.has(client) || minutes.size < mostClients ? client : ''
      let minute = minutes.get(name)
      if (!minute) {
        minute = {
          endMs: clock.monotonicMs() + 1000 * withinSeconds,
          count: { ...noneYet },
        }
        minutes.set(name, minute)
        if (minutes.size === 1) setAlarm()
      }
      if (++minute.count[event] <= most()) log.info(event, fields)
    },
    stop() {
      alarm.end()
      for (const [client, minute] of minutes) end(client, minute)
    },
  }
}
