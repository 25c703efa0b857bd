/**
 * What people hear, and when: conditions that are raised and cleared, and notes, become messages that are grouped, told once, told again after a day
 * while they last, and told to be over once they have been so for a while. So a backend that comes and goes fifty times in an hour is one alert
 * and one recovery.
 *
 *   raise → stands for `after` → alert ─┐
 *   clear → stands clear for `settle` → recovery ─┤ grouped, apart by `interval`, quiet hours → `send`
 *   note → not the same within an hour ─┘
 *
 * It opens no connection and keeps no promise: `send` takes the message and returns. `open-conditions` knows what stands since when. What is waited for goes
 * by the monotonic clock, so that one that jumps sends nothing and swallows nothing; only quiet hours are the wall's.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Severity } from '../../checks/finding.ts'
import type { Condition, Note } from '../condition.ts'
import { createOnceAnHour } from './once-an-hour.ts'
import {
  type Moment,
  momentOf,
  type OpenCondition,
  OpenConditions,
  type Recovered,
  type Saved,
  type Told,
  toldOf,
  worstFirst,
} from './open-conditions.ts'

export interface AlertingOptions {
  /** Somebody is told: there is a channel. Until there is, nothing counts as told, so that the first one hears of what stands already. */
  readonly isHeard: boolean
  readonly groupMs: number
  readonly intervalMs: number
  /** 0: never again. */
  readonly repeatMs: number
  readonly settleMs: number
  /** How long a condition must stand before it is told. */
  readonly afterMs: (condition: Condition) => number
  readonly quiet: QuietHours | undefined
}

/** Minutes of the day, by the clock of this machine; `from` may be later than `until`, over midnight. */
export interface QuietHours {
  readonly from: number
  readonly until: number
  readonly errors: 'tell' | 'wait'
}

/** One message; at least one of the lists has something in it. Worst first. */
export interface AlertMessage {
  /** Wall clock. */
  readonly atMs: number
  readonly alerts: readonly Told[]
  /** Told before, and still so. */
  readonly reminders: readonly Told[]
  readonly recoveries: readonly Recovered[]
  readonly notes: readonly TimedNote[]
}

/** On the wall clock. */
type TimedNote = Note & { readonly atMs: number }

export interface Alerting {
  /** @returns whether it has begun, or come back */
  raise(condition: Condition): boolean
  /** All of them that begin so are over, but for these: what a check no longer finds. @param now  what is so instead. @returns those that stood until now */
  clearAllBut(prefix: string, keys: ReadonlySet<string>, now: (condition: Condition) => string): readonly Recovered[]
  /** @param now  what is so instead, in one printable line. @returns it, where it stood until now */
  clear(key: string, now: string): Recovered | undefined
  note(note: Note): void
  /** What stands now, worst first. */
  open(): readonly OpenCondition[]
  /** Whatever is due is told now, without waiting for more of it: for a process that ends. */
  tellNow(): void
  stop(): void
}

export interface AlertingDeps {
  readonly clock: Clock
  readonly log: Log
  readonly send: (message: AlertMessage) => void
  readonly saved: Saved
}

const mostNotes = 1_000
const tickMs = 1_000

export function createAlerting(
  options: () => AlertingOptions,
  before: readonly OpenCondition[],
  deps: AlertingDeps,
): Alerting {
  const { clock, send } = deps
  const conditions = new OpenConditions(before, deps)
  const isNew = createOnceAnHour(clock, mostNotes)
  let recoveries: readonly Recovered[] = []
  let notes: TimedNote[] = []
  /** Since when there is something to be told, and when something was told last; on the monotonic clock. */
  let sinceMs: number | undefined
  let lastMs = Number.NEGATIVE_INFINITY
  const ticker = new Deadline(clock, tick)
  ticker.arm(tickMs)

  function tick(): void {
    settle()
    tell()
    ticker.arm(tickMs)
  }

  function settle(): void {
    recoveries = [...recoveries, ...conditions.settle(options().settleMs)]
  }

  function tell(isHurried = false): void {
    const now = momentOf(clock)
    const { isHeard, repeatMs, quiet, afterMs } = options()
    if (!isHeard) {
      // What was and is over is in the history, and no news later.
      recoveries = []
      notes = []
      return
    }
    const mayTell = ({ severity }: { readonly severity: Severity }) =>
      !quiet || !isQuiet(quiet, now.wallMs) || (severity === 'error' && quiet.errors === 'tell')
    const mayTellOf = ({ condition }: { readonly condition: Condition }) => mayTell(condition)
    const fresh = conditions.fresh(now, afterMs).filter(mayTellOf)
    const lasting = conditions.lasting(now, repeatMs).filter(mayTellOf)
    const over = recoveries.filter(mayTellOf)
    const noted = notes.filter(mayTell)
    if (!isTime(fresh.length + lasting.length + over.length + noted.length > 0, isHurried, now)) return
    recoveries = recoveries.filter((each) => !over.includes(each))
    notes = notes.filter((each) => !noted.includes(each))
    send({
      atMs: now.wallMs,
      alerts: worstFirst(fresh.map(toldOf)),
      reminders: worstFirst(lasting.map(toldOf)),
      recoveries: worstFirst(over),
      notes: noted,
    })
    // Behind `send`, which keeps it: killed between the two, the next process rather tells it twice than never.
    conditions.told([...fresh, ...lasting], now)
  }

  /** What comes soon behind the first goes along with it, and messages stand apart. */
  function isTime(isAny: boolean, isHurried: boolean, { steadyMs }: Moment): boolean {
    if (!isAny) {
      sinceMs = undefined
      return false
    }
    const { groupMs, intervalMs } = options()
    sinceMs ??= steadyMs
    if (!isHurried && (steadyMs - sinceMs < groupMs || steadyMs - lastMs < intervalMs)) return false
    sinceMs = undefined
    lastMs = steadyMs
    return true
  }

  return {
    raise: (condition) => conditions.raise(condition),
    clear: (key, now) => conditions.clear(key, now),
    clearAllBut: (prefix, keys, now) => conditions.clearAllBut(prefix, keys, now),
    note(note) {
      if (isNew(note.key) && notes.length < mostNotes) notes.push({ ...note, atMs: clock.now() })
    },
    open: () => conditions.list(),
    tellNow() {
      settle()
      tell(true)
    },
    stop: () => ticker.end(),
  }
}

/** Whether a moment of the wall clock lies in quiet hours, by this machine's own time of day; hours may go over midnight. */
export function isQuiet({ from, until }: QuietHours, nowMs: number): boolean {
  const now = new Date(nowMs)
  const minute = now.getHours() * 60 + now.getMinutes()
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until
}
