/**
 * The runs of lanes, each by a `lane-drain`: when one may begin, and what the end of one means for the next. Made by `drain`, which says why a lane is to
 * be run.
 */
import type { Lane } from '../../queue/queue.ts'
import { WaitingPlaces } from '../carry/waiting-places.ts'
import type { Way } from '../ways/lanes.ts'
import type { AttemptTurns } from './attempt-turns.ts'
import { LaneDrain, type LaneDrainDeps, type LaneEnd } from './lane-drain.ts'
import { type LaneState, type LaneStates, pauseBehind } from './lane-states.ts'

export interface LaneRuns {
  /** Runs it now; where it is running, once more behind that. */
  begin(lane: Lane): void
  /** What is under way comes to its end, and nothing follows. */
  stop(): void
}

export interface LaneRunsDeps extends Omit<LaneDrainDeps, 'way' | 'turn' | 'turnOver' | 'waitingPlaces' | 'avoided'> {
  readonly lanes: LaneStates
  readonly turns: AttemptTurns
  readonly wayOfLane: (lane: Lane) => Way | undefined
}

/** So long a backend may say nothing to MAIL and RCPT, or behind our dot, until its session counts as one that is lost to the lane, though it may speak yet. */
const muteMs = 30_000

export function createLaneRuns(deps: LaneRunsDeps): LaneRuns {
  const { clock, random, log, lanes, turns, setAlarm } = deps
  const shared = { waitingPlaces: new WaitingPlaces(clock, muteMs), avoided: new Set<string>() }
  let isStopped = false

  function begin(lane: Lane): void {
    const state = lanes.of(lane)
    state.dueMs = undefined
    if (isStopped) return
    if (state.running) {
      state.isWanted = true
      state.running.lookAgain()
      return
    }
    const drain = new LaneDrain(lane, { ...deps, ...shared, ...turns.of(lane), way: () => deps.wayOfLane(lane) })
    state.running = drain
    state.isWanted = false
    state.isKicked = false
    void drain.run().then((end) => {
      if (drain.delivered > 0) state.tries = 0
      ended(lane, state, end, drain.why)
    })
  }

  function ended(lane: Lane, state: LaneState, end: LaneEnd, why: string): void {
    state.running = undefined
    state.isOut = end === 'route-out'
    if (isStopped) return
    if (state.isKicked) begin(lane)
    else if (end === 'empty') emptied(lane, state)
    else waits(lane, state, end, why)
  }

  function emptied(lane: Lane, state: LaneState): void {
    state.tries = 0
    if (state.isWanted) begin(lane)
    else if (state.dueMs === undefined) lanes.forget(lane)
    // What was deferred meanwhile has a time of its own.
    setAlarm()
  }

  function waits(lane: Lane, state: LaneState, end: Exclude<LaneEnd, 'empty'>, why: string): void {
    const waitMs = pauseBehind(state, end, random)
    lanes.due(lane, waitMs)
    setAlarm()
    if (end !== 'busy') log.info('drain waits', { lane, why, nextTryMs: Math.round(waitMs) })
  }

  return {
    begin,
    stop() {
      isStopped = true
      for (const running of lanes.running()) running.stop()
    },
  }
}
