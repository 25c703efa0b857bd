/**
 * The gateway's log without what it says of a backend that stays down at each look, twice a minute: the first failure is written, each one for another
 * reason, and of those alike one an hour, with how many there were. All of them are written under `--log-level debug`. Called by `services.ts`.
 */
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { Fields, Log } from '../../base/log.ts'

/** As `delivery/opening.ts` logs them. */
const failed = 'backend session failed'
const opened = 'backend session opened'

const againMs = 3_600_000
const mostEndpoints = 10_000

interface Failing {
  readonly reason: string
  /** Monotonic. */
  readonly writtenMs: number
  /** Alike, and not written since. */
  unwritten: number
}

export function withSeldomFailures(log: Log, clock: Clock): Log {
  return seldom(log, clock, new BoundedMap(mostEndpoints))
}

/** @param failing  by backend and endpoint, until a session is opened there */
function seldom(log: Log, clock: Clock, failing: BoundedMap<string, Failing>): Log {
  return {
    ...log,
    debug(event, fields) {
      if (event === opened) failing.delete(placeOf(fields))
      log.debug(event, fields)
    },
    info(event, fields) {
      if (event === failed) tellFailure(fields)
      else log.info(event, fields)
    },
    with: (fields) => seldom(log.with(fields), clock, failing),
  }

  function tellFailure(fields: Fields | undefined): void {
    const place = placeOf(fields)
    const reason = `${fields?.kind} ${fields?.step} ${fields?.detail}`
    const last = failing.get(place)
    const nowMs = clock.monotonicMs()
    const isAlike = last?.reason === reason
    if (isAlike && nowMs - last.writtenMs < againMs) {
      last.unwritten++
      log.debug(failed, fields)
      return
    }
    log.info(failed, isAlike && last.unwritten > 0 ? { ...fields, alikeSince: last.unwritten } : fields)
    failing.set(place, { reason, writtenMs: nowMs, unwritten: 0 })
  }
}

const placeOf = (fields: Fields | undefined) => `${fields?.backend} ${fields?.endpoint}`
