/** Messages by lane and state. For `counters`. */
import { never, type Oldest, orUndefined } from './oldest.ts'
import type { LaneSummary, RecipientState } from './queue.ts'
import { isGoing, numberOfState } from './state-numbers.ts'

interface LaneCount {
  /** Messages, by the number of the state. */
  readonly byState: number[]
  /** Of those that go by themselves. */
  oldestMs: number
}

export interface LoadedLane {
  readonly lane: string
  readonly state: RecipientState
  readonly messages: number
  readonly oldestMs: number
}

const { ready, waiting, unknown } = numberOfState

export class LaneCounts {
  readonly #oldest: Oldest
  #lanes = new Map<string, LaneCount>()

  constructor(oldest: Oldest) {
    this.#oldest = oldest
  }

  count(name: string, state: RecipientState, receivedMs: number, sign: 1 | -1): void {
    let lane = this.#lanes.get(name)
    if (!lane) {
      lane = { byState: [], oldestMs: never }
      this.#lanes.set(name, lane)
    }
    const number = numberOfState[state]
    lane.byState[number] = (lane.byState[number] ?? 0) + sign
    if (lane.byState.every((held) => !held)) this.#lanes.delete(name)
    else if (isGoing(number)) lane.oldestMs = this.#oldest.behind(lane.oldestMs, receivedMs, sign, going(lane) === 0)
  }

  load(lanes: Iterable<LoadedLane>): void {
    this.#lanes = new Map()
    for (const { lane: name, state, messages, oldestMs } of lanes) {
      const lane = this.#lanes.get(name) ?? { byState: [], oldestMs: never }
      lane.byState[numberOfState[state]] = messages
      if (isGoing(numberOfState[state])) lane.oldestMs = Math.min(lane.oldestMs, oldestMs)
      this.#lanes.set(name, lane)
    }
  }

  setOldest(oldest: Iterable<readonly [string, number]>): void {
    for (const [name, oldestMs] of oldest) {
      const lane = this.#lanes.get(name)
      if (lane && going(lane) > 0) lane.oldestMs = oldestMs
    }
  }

  messages(lane: string, state: RecipientState): number {
    return this.#lanes.get(lane)?.byState[numberOfState[state]] ?? 0
  }

  summaries(): LaneSummary[] {
    return [...this.#lanes].map(([name, { byState, oldestMs }]) => ({
      lane: name as LaneSummary['lane'],
      ready: byState[ready] ?? 0,
      waiting: byState[waiting] ?? 0,
      unknown: byState[unknown] ?? 0,
      oldestMs: orUndefined(oldestMs),
    }))
  }
}

const going = ({ byState }: LaneCount) => (byState[ready] ?? 0) + (byState[waiting] ?? 0) + (byState[unknown] ?? 0)
