/**
 * The log lines of what was refused before it was ours: recipients, messages, commands, whole sessions. Of each client so many a minute of each kind, and behind
 * them a line that says how many more there were. A flood of guesses, of recipients that a backend defers, or of broken commands is told by its first
 * lines: the disk under the log is not the flooder's. What became of a message that came in whole and in order is always told, by `hand-over`. Told by `refusal-log`.
 */
import type { Clock } from '../../base/clock.ts'
import type { Fields, Log } from '../../base/log.ts'
import { createMinuteByKey, minuteSeconds } from '../../base/minute-by-key.ts'

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

/** How often in a client's minute. */
type Counts = Record<RefusalEvent, number>

const noneYet: Readonly<Counts> = {
  'recipient refused': 0,
  'recipient deferred': 0,
  'message refused': 0,
  'smtp command refused': 0,
  'smtp session refused': 0,
}
/** All clients that are not counted apart are one client more. */
const others = ''

/** @param most  lines of one client, event and minute; asked each time, so that a reload can change it */
export function createToldRefusals(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly most: () => number
}): ToldRefusals {
  const { clock, log, most } = deps
  const counts = createMinuteByKey<Counts>({ clock, begin: () => ({ ...noneYet }), over: sumUp })

  function sumUp(count: Counts, client: string): boolean {
    const more = (event: RefusalEvent) => Math.max(0, count[event] - most())
    const about = { client: client || 'others' }
    const withinSeconds = minuteSeconds
    const [refused, deferred] = [more('recipient refused'), more('recipient deferred')]
    if (refused + deferred > 0) log.info('more recipients not accepted', { ...about, refused, deferred, withinSeconds })
    const [messages, commands] = [more('message refused'), more('smtp command refused')]
    const sessions = more('smtp session refused')
    if (messages + commands + sessions > 0)
      log.info('more was refused', { ...about, messages, commands, sessions, withinSeconds })
    return false
  }

  return {
    tell(client, event, fields) {
      const count = counts.of(client, others)
      if (++count[event] <= most()) log.info(event, fields)
    },
    stop: counts.stop,
  }
}
