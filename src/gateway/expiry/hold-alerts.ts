/**
 * Tells a person that mail waits: when the oldest of a lane has waited for five minutes, and again when it has used 25, 50 and 90 % of the time that
 * it is held. Once each for the lane, and not for each message; a lane that has drained begins anew. Called by `expiry` at each round.
 */
import type { Log } from '../../base/log.ts'
import type { Lane, LaneSummary } from '../../queue/queue.ts'
import { heardAlerts } from '../events.ts'
import type { Way } from '../ways/lanes.ts'

export interface HoldAlerts {
  look(lanes: readonly LaneSummary[], nowMs: number): void
}

const marks = [0.25, 0.5, 0.9]
/** A server that is started anew is back before. */
const waitsMs = 5 * 60_000

export function createHoldAlerts({
  log,
  wayOfLane,
}: {
  log: Log
  wayOfLane: (lane: Lane) => Way | undefined
}): HoldAlerts {
  /** How many of the marks each lane has passed and told. */
  let told = new Map<Lane, number>()
  let waiting = new Set<Lane>()

  function tellWaiting(lanes: readonly LaneSummary[], nowMs: number): void {
    const before = waiting
    waiting = new Set()
    for (const { lane, oldestMs, ready, waiting: deferred, unknown } of lanes) {
      if (oldestMs === undefined || nowMs - oldestMs < waitsMs || !wayOfLane(lane)) continue
      waiting.add(lane)
      if (before.has(lane)) continue
      const held = ready + deferred + unknown
      log.alert(heardAlerts.mailIsHeld, { lane, held, remedy: 'waypost backend list, and waypost queue list, say why' })
    }
    for (const lane of before) if (!waiting.has(lane)) log.info('no mail waits any more', { lane })
  }

  return {
    look(lanes, nowMs) {
      tellWaiting(lanes, nowMs)
      const before = told
      told = new Map()
      for (const { lane, oldestMs, ready, waiting, unknown } of lanes) {
        const way = wayOfLane(lane)
        if (!way || oldestMs === undefined || way.policy.holdMs === 0) continue
        const share = (nowMs - oldestMs) / way.policy.holdMs
        const passed = marks.filter((mark) => share >= mark).length
        if (passed > 0) told.set(lane, passed)
        if (passed <= (before.get(lane) ?? 0)) continue
        log.alert('held mail grows old', {
          route: way.route.id,
          ...(way.domain === undefined ? {} : { domain: way.domain }),
          held: ready + waiting + unknown,
          oldestHours: Math.round((nowMs - oldestMs) / 3_600_000),
          passed: `${(marks[passed - 1] ?? 0) * 100} %`,
          remedy: 'bring a backend back, or name another: waypost queue list shows what waits',
        })
      }
    },
  }
}
