/**
 * The drain: what is held goes when its route can take it. Not each message has a time, but each lane: when a backend comes back, when something
 * has waited long enough, or after 1, 2, 5, 10, 20 and then every 30 minutes where nobody could be asked; after a minute each time where a backend was
 * there and could not take what came first, because what comes next may be another matter. `lane-drain` does the work of one lane.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { createSlots } from '../../base/slots.ts'
import type { Recipient } from '../../mail/message.ts'
import type { Lane, Queue } from '../../queue/queue.ts'
import type { Endpoint } from '../../routing/backend.ts'
import type { LiveFirst } from '../carry/live-first.ts'
import { Patience } from '../carry/patience.ts'
import type { Declared, Tell } from '../events.ts'
import type { LateWatch } from '../hold/late-watch.ts'
import type { WriteDown } from '../hold/write-down.ts'
import type { AfterHold } from '../notices/after-hold.ts'
import type { Successes } from '../notices/successes.ts'
import { pauseAfter } from '../pauses.ts'
import type { Way } from '../ways/lanes.ts'
import { isOutbound } from '../ways/outbound.ts'
import type { AttemptDeps } from './attempt.ts'
import type { DrainGuard } from './drain-guard.ts'
import { LaneDrain, type LaneEnd } from './lane-drain.ts'
import { createUnderWay } from './under-way.ts'

export interface Drain {
  /** Looks at everything that is held: at the start, and when the configuration has changed. */
  start(): void
  /** Something of this lane may go now, or waits: a message was held, or given back to the hold. */
  noticed(lane: Lane): void
  /** An endpoint is up again: what waits for its backend goes now. */
  endpointUp(endpoint: Endpoint): void
  /** A person wants these lanes, or all, tried now, and whatever was fetched ahead looked at anew. */
  kick(lanes?: Iterable<Lane>): void
  /** Nothing new begins while rows are moved from lane to lane: what was fetched before is not what it was. */
  pauseWhile<T>(work: () => Promise<T>): Promise<T>
  /** What is being attempted comes to its end; nothing new begins. */
  stop(): Promise<void>
  /** Whether an attempt of this message is under way. */
  isAttempting(id: string): boolean
  /** Whether the last try of this lane found nobody who could be asked. */
  isOut(lane: Lane): boolean
  /** When a lane that waits is tried next, on the wall clock, or undefined where it is being drained or has nothing. */
  nextTryMs(lane: Lane): number | undefined
}

export interface DrainDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly declared?: Declared | undefined
  readonly queue: Queue
  readonly attempting: AttemptDeps
  readonly guard: DrainGuard
  /** As in `settle-attempt`. */
  readonly isAnyGood: (recipient: Recipient) => boolean
  readonly afterHold: AfterHold
  readonly lateWatch: LateWatch
  readonly successes: Successes
  readonly wayOfLane: (lane: Lane) => Way | undefined
  /** Something is filed under a lane that leads nowhere. */
  readonly onNowhere: (lane: Lane, recipient: Recipient) => void
  readonly writeDown: WriteDown
  readonly live: Pick<LiveFirst, 'turn'>
}

interface LaneState {
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

/** Attempts at once, over all lanes. */
const mostAtOnce = 200
/** The same for mail of our own to strangers: whoever makes us write to servers that never come to an end keeps nothing else from going. */
const mostOutboundAtOnce = 50
/** A message that was held behind a route that can be asked again is not pounced on: its backend has just said that it cannot. */
const firstPauseMs = 5_000
const busyPauseMs = 2_000
/** So long a backend may say nothing to MAIL and RCPT until its session counts as one that is lost to the lane, though it may speak yet. */
const muteMs = 30_000
/** Before the queue is read again where it could not be: what fails at once would fail a thousand times a second. */
const unreadPauseMs = 1_000
/** At the end, for a store that fails: what a backend has said by then and cannot be written down is asked again after the next start. */
const lastWriteMs = 3_000
/** Nothing waits for so long; what seems to was given its time by a clock that has been put back since. */
const farMs = 2 * 60 * 60_000

export function createDrain(deps: DrainDeps): Drain {
  const { clock, random, log, queue } = deps
  const lanes = new Map<Lane, LaneState>()
  const slots = createSlots(mostAtOnce)
  const outboundSlots = createSlots(mostOutboundAtOnce)
  const alarm = new Deadline(clock, () => void wake())
  const underWay = createUnderWay()
  const patience = new Patience(clock, muteMs)
  const avoided = new Set<string>()
  let isStopped = false
  /** On the monotonic clock. */
  let readAgainMs = 0
  /** Closed while rows are moved from lane to lane. */
  let gate: Promise<void> | undefined

  function stateOf(lane: Lane): LaneState {
    const known = lanes.get(lane)
    if (known) return known
    const made: LaneState = {
      running: undefined,
      tries: 0,
      isOut: false,
      dueMs: undefined,
      isWanted: false,
      isKicked: false,
    }
    lanes.set(lane, made)
    return made
  }

  function run(lane: Lane): void {
    const state = stateOf(lane)
    state.dueMs = undefined
    if (isStopped) return
    if (state.running) {
      state.isWanted = true
      return
    }
    const taken = isOutbound(lane) ? outboundSlots : slots
    const drain = new LaneDrain(lane, {
      ...deps,
      onHeld: noticed,
      way: () => deps.wayOfLane(lane),
      turn: () => deps.live.turn()?.then(() => taken.take()) ?? taken.take(),
      turnOver: () => taken.give(),
      underWay,
      patience,
      avoided,
      gate: () => gate,
    })
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
    if (state.isKicked) {
      run(lane)
      return
    }
    if (end === 'empty') {
      state.tries = 0
      if (state.isWanted) run(lane)
      else if (state.dueMs === undefined) lanes.delete(lane)
      // What was deferred meanwhile has a time of its own.
      setAlarm()
      return
    }
    if (end === 'unable' || end === 'bound') state.tries = 0
    const waitMs = end === 'busy' ? busyPauseMs : pauseAfter(state.tries, random)
    if (end === 'route-out' || end === 'failed') state.tries++
    due(lane, waitMs)
    if (end !== 'busy') log.info('drain waits', { lane, why, nextTryMs: Math.round(waitMs) })
  }

  function due(lane: Lane, afterMs: number): void {
    const state = stateOf(lane)
    const dueMs = clock.monotonicMs() + afterMs
    if (state.dueMs === undefined || dueMs < state.dueMs) state.dueMs = dueMs
    setAlarm()
  }

  /** One timer for all. */
  function setAlarm(): void {
    if (isStopped) return
    let soonestMs = Number.POSITIVE_INFINITY
    for (const { dueMs } of lanes.values()) if (dueMs !== undefined && dueMs < soonestMs) soonestMs = dueMs
    const wakeMs = queue.nextWakeMs()
    if (wakeMs !== undefined)
      soonestMs = Math.min(soonestMs, Math.max(readAgainMs, clock.monotonicMs() + msUntil(wakeMs)))
    if (soonestMs < Number.POSITIVE_INFINITY) alarm.armAt(soonestMs)
    else alarm.disarm()
  }

  /** Until then, on a wall clock that may have been put back. */
  function msUntil(wakeMs: number): number {
    const leftMs = wakeMs - clock.now()
    return leftMs > farMs ? 0 : Math.max(0, leftMs)
  }

  async function wake(): Promise<void> {
    const nowMs = clock.monotonicMs()
    for (const [lane, { dueMs }] of lanes) if (dueMs !== undefined && dueMs <= nowMs + 1) run(lane)
    try {
      const nextMs = queue.nextWakeMs()
      if (nextMs !== undefined && msUntil(nextMs) === 0 && readAgainMs <= nowMs + 1)
        for (const lane of await queue.wake(clock.now(), farMs)) run(lane)
    } catch (error) {
      log.error('the queue cannot be read', { error })
      readAgainMs = clock.monotonicMs() + unreadPauseMs
      if (!(await deps.writeDown.whenWritable())) return
    }
    setAlarm()
  }

  function noticed(lane: Lane): void {
    const state = stateOf(lane)
    if (state.running) state.isWanted = true
    else if (state.dueMs === undefined) due(lane, firstPauseMs)
    setAlarm()
  }

  function kick(chosen?: Iterable<Lane>): void {
    const all = chosen ?? queue.lanes().map(({ lane }) => lane)
    for (const lane of all) {
      const state = stateOf(lane)
      state.tries = 0
      state.running?.forgetFetched()
      state.isKicked = state.running !== undefined
      run(lane)
    }
    setAlarm()
  }

  return {
    start: () => kick(),
    noticed,
    endpointUp({ backend }) {
      deps.guard.startOver(backend.url)
      const served = queue.lanes().filter(({ lane }) => {
        const way = deps.wayOfLane(lane)
        return way?.route.entries.some((entry) => entry.backend.key === backend.key)
      })
      kick(served.map(({ lane }) => lane))
    },
    kick,
    async pauseWhile(work) {
      const before = gate
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      for (const { running } of lanes.values()) running?.forgetFetched()
      try {
        await before
        return await work()
      } finally {
        if (gate === promise) gate = undefined
        resolve()
      }
    },
    async stop() {
      isStopped = true
      alarm.end()
      for (const { running } of lanes.values()) running?.stop()
      const givingUp = clock.after(lastWriteMs, () => deps.writeDown.stop())
      await Promise.all([slots.whenFree(), outboundSlots.whenFree()])
      givingUp.cancel()
    },
    isAttempting: (id) => underWay.has(id),
    isOut(lane) {
      const state = lanes.get(lane)
      return state !== undefined && !state.running && state.isOut
    },
    nextTryMs(lane) {
      const dueMs = lanes.get(lane)?.dueMs
      return dueMs === undefined ? undefined : clock.now() + (dueMs - clock.monotonicMs())
    },
  }
}
