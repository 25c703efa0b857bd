/** How things stand with each lane that has something to go: whether it is being drained, what its tries came to, when the next is due. For `drain`. */
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Lane } from '../../queue/queue.ts'
import { pauseAfter } from '../pauses.ts'
import type { LaneDrain, LaneEnd } from './lane-drain.ts'

export interface LaneState {
  running: LaneDrain | undefined
  /** Tries in a row that found nobody, or came to nothing by a fault of our own. */
  tries: number
  /** The last one found nobody. */
  isOut: boolean
  /** On the monotonic clock. */
  dueMs: number | undefined
  /** Something came while it ran: it runs once more. */
  isWanted: boolean
  /** Its backend came up while it ran, or a person wants it tried: it runs once more, whatever it found. */
  isKicked: boolean
}

const busyPauseMs = 2_000

/** Counts a try that left something behind. @returns how long its lane waits for the next one */
export function pauseBehind(state: LaneState, end: Exclude<LaneEnd, 'empty'>, random: Random): number {
  if (end === 'unable' || end === 'bound') state.tries = 0
  const waitMs = end === 'busy' ? busyPauseMs : pauseAfter(state.tries, random)
  if (end === 'route-out' || end === 'failed') state.tries++
  return waitMs
}

export class LaneStates {
  readonly #clock: Clock
  readonly #states = new Map<Lane, LaneState>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins one where there is none. */
  of(lane: Lane): LaneState {
    const known = this.#states.get(lane)
    if (known) return known
    const made: LaneState = {
      running: undefined,
      tries: 0,
      isOut: false,
      dueMs: undefined,
      isWanted: false,
      isKicked: false,
    }
    this.#states.set(lane, made)
    return made
  }

  forget(lane: Lane): void {
    this.#states.delete(lane)
  }

  /** The lane is to be tried after so long, unless it is to be tried before. */
  due(lane: Lane, afterMs: number): void {
    const state = this.of(lane)
    const dueMs = this.#clock.monotonicMs() + afterMs
    if (state.dueMs === undefined || dueMs < state.dueMs) state.dueMs = dueMs
  }

  /** On the wall clock; undefined where none is due. */
  nextTryMs(lane: Lane): number | undefined {
    const dueMs = this.#states.get(lane)?.dueMs
    return dueMs === undefined ? undefined : this.#clock.now() + (dueMs - this.#clock.monotonicMs())
  }

  /** Whether its last try, which is over, found nobody. */
  isOut(lane: Lane): boolean {
    const state = this.#states.get(lane)
    return state !== undefined && !state.running && state.isOut
  }

  /** Lanes whose time has come by then. */
  dueBy(nowMs: number): Lane[] {
    const due: Lane[] = []
    for (const [lane, { dueMs }] of this.#states) if (dueMs !== undefined && dueMs <= nowMs) due.push(lane)
    return due
  }

  /** Infinite where none is due. */
  soonestDueMs(): number {
    let soonestMs = Number.POSITIVE_INFINITY
    for (const { dueMs } of this.#states.values()) if (dueMs !== undefined && dueMs < soonestMs) soonestMs = dueMs
    return soonestMs
  }

  /** What was fetched ahead is not what it was. */
  forgetFetched(): void {
    for (const running of this.running()) running.forgetFetched()
  }

  /** Those that are being drained. */
  *running(): Iterable<LaneDrain> {
    for (const { running } of this.#states.values()) if (running) yield running
  }
}
