/**
 * The drain: what is held goes when its route can take it. Not each message has a time, but each lane. Who wakes whom:
 *
 *   noticed (held, given back)      → due in 5 s, `lane-states` ┐
 *   put off, its time is in the row → `queue.nextWakeMs`        ┴→ `alarm` → begin ┐
 *   kick (a person, a backend or an address that is back)        → at once → begin ┴→ `lane-runs`: a run, by `lane-drain`
 *     while one is on: it looks again now, and another follows it where something was noticed or kicked
 *   ended: empty → nothing; busy → due in 2 s; unable, bound → in a minute, because what comes next may be another matter;
 *     nobody could be asked, or a fault of ours → after 1, 2, 5, 10, 20 and then every 30 minutes
 *
 * `attempt-turns` says who may begin an attempt.
 */
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import type { Lane } from '../../queue/queue.ts'
import type { Backend, Endpoint } from '../../routing/backend.ts'
import type { LiveFirst } from '../carry/live-first.ts'
import type { Way } from '../ways/lanes.ts'
import { createDrainAlarm } from './alarm.ts'
import type { AttemptDeps } from './attempt.ts'
import { createAttemptTurns } from './attempt-turns.ts'
import { createGate } from './gate.ts'
import { createLaneRuns } from './lane-runs.ts'
import { LaneStates } from './lane-states.ts'
import type { SettleDeps } from './settle-attempt.ts'
import { createUnderWay } from './under-way.ts'

export interface Drain {
  /** Looks at everything that is held: at the start, and when the configuration has changed. */
  start(): void
  /** Something of this lane may go now, or waits: a message was held, or given back to the hold. */
  noticed(lane: Lane): void
  /** An endpoint is up again: what waits for its backend goes now. @param wasAway  that was down, with all of its addresses */
  endpointUp(endpoint: Endpoint, wasAway: boolean): void
  /** There are addresses where none was known: what waits for them goes now. @param leadsTo  whether a backend is meant, of recipients in that domain */
  found(leadsTo: LeadsTo): void
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

export interface DrainDeps extends Omit<SettleDeps, 'onHeld'> {
  readonly attempting: AttemptDeps
  readonly wayOfLane: (lane: Lane) => Way | undefined
  /** Something is filed under a lane that leads nowhere. */
  readonly onNowhere: (lane: Lane, recipient: Recipient) => void
  readonly live: Pick<LiveFirst, 'turn'>
}

/** A message that was held behind a route that can be asked again is not pounced on: its backend has just said that it cannot. */
const firstPauseMs = 5_000
/** At the end, for a store that fails: what a backend has said by then and cannot be written down is asked again after the next start. */
const lastWriteMs = 3_000

export function createDrain(deps: DrainDeps): Drain {
  const { clock, log, queue, writeDown } = deps
  const lanes = new LaneStates(clock)
  const turns = createAttemptTurns(deps.live)
  const underWay = createUnderWay()
  const gate = createGate(() => lanes.forgetFetched())
  const runs = createLaneRuns({
    ...{ ...deps, lanes, turns, underWay },
    gate: gate.closed,
    onHeld: noticed,
    setAlarm: () => alarm.set(),
  })
  const alarm = createDrainAlarm({ clock, log, queue, writeDown, lanes, run: runs.begin })

  function noticed(lane: Lane): void {
    const state = lanes.of(lane)
    if (state.running) state.isWanted = true
    else if (state.dueMs === undefined) lanes.due(lane, firstPauseMs)
    alarm.set()
  }

  function kick(chosen?: Iterable<Lane>): void {
    const all = chosen ?? queue.lanes().map(({ lane }) => lane)
    for (const lane of all) {
      const state = lanes.of(lane)
      state.tries = 0
      state.running?.forgetFetched()
      state.isKicked = state.running !== undefined
      runs.begin(lane)
    }
    alarm.set()
  }

  return {
    start: () => kick(),
    noticed,
    endpointUp({ backend: { url, key } }, wasAway) {
      // One that fails now and then is the same that refused those before.
      if (wasAway) deps.guard.startOver(url)
      kick(lanesBy((backend) => backend.key === key, deps))
    },
    found: (leadsTo) => kick(lanesBy(leadsTo, deps)),
    kick,
    pauseWhile: gate.closeWhile,
    async stop() {
      alarm.end()
      runs.stop()
      const givingUp = clock.after(lastWriteMs, () => writeDown.stop())
      await turns.whenNone()
      givingUp.cancel()
    },
    isAttempting: (id) => underWay.has(id),
    isOut: (lane) => lanes.isOut(lane),
    nextTryMs: (lane) => lanes.nextTryMs(lane),
  }
}

type LeadsTo = (backend: Backend, domain: HostName | undefined) => boolean

/** Lanes with something in them that lead there, beside others. */
function lanesBy(leadsTo: LeadsTo, { queue, wayOfLane }: Pick<DrainDeps, 'queue' | 'wayOfLane'>): Lane[] {
  const isServed = (lane: Lane) => {
    const way = wayOfLane(lane)
    return way?.route.entries.some(({ backend }) => leadsTo(backend, way.domain))
  }
  return queue
    .lanes()
    .map(({ lane }) => lane)
    .filter(isServed)
}
