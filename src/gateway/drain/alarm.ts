/**
 * When the drain looks again, with one timer for all: lanes whose time has come, and what has waited long enough by the queue's own word. For `drain`.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Lane, Queue } from '../../queue/queue.ts'
import type { WriteDown } from '../settle/write-down.ts'
import type { LaneStates } from './lane-states.ts'

export interface DrainAlarm {
  /** To be called after anything that may change when the next look is due. */
  set(): void
  end(): void
}

export interface DrainAlarmDeps {
  readonly clock: Clock
  readonly log: Log
  readonly queue: Pick<Queue, 'nextWakeMs' | 'wake'>
  readonly writeDown: Pick<WriteDown, 'whenWritable'>
  readonly lanes: LaneStates
  /** This lane has something that may go. */
  run(lane: Lane): void
}

/** Before the queue is read again where it could not be: what fails at once would fail a thousand times a second. */
const unreadPauseMs = 1_000
/** Nothing waits for so long; what seems to was given its time by a clock that has been put back since. */
const farMs = 2 * 60 * 60_000

export function createDrainAlarm({ clock, log, queue, writeDown, lanes, run }: DrainAlarmDeps): DrainAlarm {
  const timer = new Deadline(clock, () => void look())
  let isEnded = false
  /** On the monotonic clock. */
  let readAgainMs = 0

  function set(): void {
    if (isEnded) return
    let soonestMs = lanes.soonestDueMs()
    const wakeMs = queue.nextWakeMs()
    if (wakeMs !== undefined)
      soonestMs = Math.min(soonestMs, Math.max(readAgainMs, clock.monotonicMs() + msUntil(wakeMs)))
    if (soonestMs < Number.POSITIVE_INFINITY) timer.armAt(soonestMs)
    else timer.disarm()
  }

  /** Until then, on a wall clock that may have been put back. */
  function msUntil(wakeMs: number): number {
    const leftMs = wakeMs - clock.now()
    return leftMs > farMs ? 0 : Math.max(0, leftMs)
  }

  async function look(): Promise<void> {
    const nowMs = clock.monotonicMs()
    for (const lane of lanes.dueBy(nowMs + 1)) run(lane)
    try {
      const nextMs = queue.nextWakeMs()
      if (nextMs !== undefined && msUntil(nextMs) === 0 && readAgainMs <= nowMs + 1)
        for (const lane of await queue.wake(clock.now(), farMs)) run(lane)
    } catch (error) {
      log.error('the queue cannot be read', { error })
      readAgainMs = clock.monotonicMs() + unreadPauseMs
      if (!(await writeDown.whenWritable())) return
    }
    set()
  }

  return {
    set,
    end() {
      isEnded = true
      timer.end()
    },
  }
}
