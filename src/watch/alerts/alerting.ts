/**
 * What people hear, and when: conditions that are raised and cleared, and notes, become messages that are grouped, told once, told again after a day
 * while they last, and told to be over once they have been so for a while. So a backend that comes and goes fifty times in an hour is one alert
 * and one recovery.
 *
 *   raise → stands for `after` → alert ─┐
 *   clear → stands clear for `settle` → recovery ─┤ grouped, apart by `interval`, quiet hours → `send`
 *   note → not the same within an hour ─┘
 *
 * It opens no connection and keeps no promise: `send` takes the message and returns. What was told outlives the process by `saved`. People are told moments of the
 * wall clock; what is waited for goes by the monotonic one, so that a clock that jumps sends nothing and swallows nothing. Only quiet hours are the wall's.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { type Severity, severities } from '../../checks/finding.ts'
import type { Condition, ConditionKind, Note } from '../condition.ts'

export interface AlertingOptions {
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

export interface Told {
  readonly condition: Condition
  readonly sinceMs: number
}

export interface Recovered extends Told {
  readonly untilMs: number
  /** How often it came back before it was over. */
  readonly returns: number
}

/** One message; at least one of the lists has something in it. Worst first. */
export interface AlertMessage {
  /** Wall clock. */
  readonly atMs: number
  readonly alerts: readonly Told[]
  /** Told before, and still so. */
  readonly reminders: readonly Told[]
  readonly recoveries: readonly Recovered[]
  readonly notes: readonly (Note & { readonly atMs: number })[]
}

export interface Alerting {
  /** @returns whether it has begun, or come back */
  raise(condition: Condition): boolean
  /** All of them that begin so are over, but for these: what a check no longer finds. @returns those that stood until now */
  clearAllBut(prefix: string, keys: ReadonlySet<string>): readonly Condition[]
  /** @returns whether it stood until now */
  clear(key: string): boolean
  note(note: Note): void
  /** What stands now, worst first. */
  open(): readonly OpenCondition[]
  /** Whatever is due is told now, without waiting for more of it: for a process that ends. */
  tellNow(): void
  stop(): void
}

/** As it is kept over a restart. */
export interface OpenCondition extends Told {
  /** Undefined: not told yet. */
  readonly toldMs: number | undefined
  /** It is in order since then, and may be over. */
  readonly clearedMs: number | undefined
  readonly returns: number
}

export interface AlertingDeps {
  readonly clock: Clock
  readonly log: Log
  readonly send: (message: AlertMessage) => void
  /** Something of `open` has changed; undefined: the condition is over. */
  readonly saved: (key: string, open: OpenCondition | undefined) => void
}

interface Entry {
  condition: Condition
  readonly since: Moment
  told: Moment | undefined
  cleared: Moment | undefined
  returns: number
  /** It has stood long enough to be told. */
  isDue: boolean
}

/** One moment on both clocks. */
interface Moment {
  readonly wallMs: number
  readonly steadyMs: number
}

const noteAgainMs = 3_600_000
/** Conditions of one kind that are open at once: a hundred thousand domains may each have findings, and those take no room from a backend that is down. */
const mostOpen = 50_000
const mostNotes = 1_000
const tickMs = 1_000

export function createAlerting(
  options: () => AlertingOptions,
  before: readonly OpenCondition[],
  deps: AlertingDeps,
): Alerting {
  const { clock, log, send, saved } = deps
  const moment = (): Moment => ({ wallMs: clock.now(), steadyMs: clock.monotonicMs() })

  /** Of an earlier process, where the wall clock is all there is to go by. */
  function earlier(wallMs: number): Moment {
    const now = moment()
    return { wallMs, steadyMs: now.steadyMs - Math.max(0, now.wallMs - wallMs) }
  }

  const open = new Map<string, Entry>(
    before.map(({ condition, sinceMs: since, toldMs, clearedMs, returns }) => [
      condition.key,
      {
        ...{ condition, since: earlier(since), returns, isDue: toldMs !== undefined },
        told: toldMs === undefined ? undefined : earlier(toldMs),
        cleared: clearedMs === undefined ? undefined : earlier(clearedMs),
      },
    ]),
  )
  const room = createRoom(log, before)
  /** When each was noted last; on the monotonic clock. */
  const notedMs = new Map<string, number>()
  let waiting: { recoveries: Recovered[]; notes: (Note & { atMs: number })[] } = { recoveries: [], notes: [] }
  /** Since when there is something to be told, and when something was told last; on the monotonic clock. */
  let sinceMs: number | undefined
  let lastMs = Number.NEGATIVE_INFINITY
  const ticker = new Deadline(clock, tick)
  ticker.arm(tickMs)

  const save = (key: string, entry: Entry) => saved(key, openOf(entry))

  function tick(): void {
    settle()
    tell()
    ticker.arm(tickMs)
  }

  /** What has been in order for long enough is over. */
  function settle(): void {
    const steadyMs = clock.monotonicMs()
    for (const [key, entry] of open) {
      const { condition, since, cleared, returns, isDue } = entry
      if (cleared === undefined || steadyMs - cleared.steadyMs < options().settleMs) continue
      open.delete(key)
      room.leave(condition)
      saved(key, undefined)
      // Of what was not worth telling nobody need hear the end; what had to wait, as in quiet hours, is told as over.
      if (isDue) waiting.recoveries.push({ condition, sinceMs: since.wallMs, untilMs: cleared.wallMs, returns })
    }
  }

  function tell(isHurried = false): void {
    const now = moment()
    const { repeatMs, quiet, groupMs, intervalMs } = options()
    const mayTell = ({ severity }: { readonly severity: Severity }) =>
      !quiet || !isQuiet(quiet, now.wallMs) || (severity === 'error' && quiet.errors === 'tell')
    for (const entry of open.values())
      if (entry.cleared === undefined && now.steadyMs - entry.since.steadyMs >= options().afterMs(entry.condition))
        entry.isDue = true
    const entries = [...open.values()].filter(({ condition }) => mayTell(condition))
    // What comes and goes is told although it may be gone at this very moment.
    const fresh = entries.filter(({ told, isDue }) => isDue && told === undefined)
    const old = entries.filter(
      ({ told, cleared }) =>
        cleared === undefined && told !== undefined && repeatMs > 0 && now.steadyMs - told.steadyMs >= repeatMs,
    )
    const recoveries = waiting.recoveries.filter(({ condition }) => mayTell(condition))
    const notes = waiting.notes.filter(mayTell)
    if (fresh.length + old.length + recoveries.length + notes.length === 0) {
      sinceMs = undefined
      return
    }
    sinceMs ??= now.steadyMs
    if (!isHurried && (now.steadyMs - sinceMs < groupMs || now.steadyMs - lastMs < intervalMs)) return
    sinceMs = undefined
    lastMs = now.steadyMs
    waiting = {
      recoveries: waiting.recoveries.filter((each) => !recoveries.includes(each)),
      notes: waiting.notes.filter((each) => !notes.includes(each)),
    }
    send({
      atMs: now.wallMs,
      alerts: worstFirst(fresh.map(toldOf)),
      reminders: worstFirst(old.map(toldOf)),
      recoveries: worstFirst(recoveries),
      notes,
    })
    // Behind `send`, which keeps it: killed between the two, the next process rather tells it twice than never.
    for (const entry of [...fresh, ...old]) {
      entry.told = now
      save(entry.condition.key, entry)
    }
  }

  return {
    raise(condition) {
      const found = open.get(condition.key)
      if (!found) {
        if (!room.enter(condition)) return false
        const made: Entry = {
          ...{ condition, since: moment(), returns: 0, isDue: false },
          ...{ told: undefined, cleared: undefined },
        }
        open.set(condition.key, made)
        save(condition.key, made)
        return true
      }
      const isWorse = rank(condition) > rank(found.condition)
      const isBack = found.cleared !== undefined
      const isOther = isWorse || isBack || condition.title !== found.condition.title
      found.condition = condition
      if (isBack) {
        found.cleared = undefined
        found.returns++
      }
      // It is told again as what it has become.
      if (isWorse) found.told = undefined
      if (isOther) save(condition.key, found)
      return isBack
    },
    clear,
    clearAllBut(prefix, keys) {
      const cleared: Condition[] = []
      for (const [key, { condition }] of open)
        if (key.startsWith(prefix) && !keys.has(key) && clear(key)) cleared.push(condition)
      return cleared
    },
    note(note) {
      const nowMs = clock.monotonicMs()
      const last = notedMs.get(note.key)
      if (last !== undefined && nowMs - last < noteAgainMs) return
      for (const [key, atMs] of notedMs)
        if (nowMs - atMs >= noteAgainMs || notedMs.size > mostNotes) notedMs.delete(key)
      notedMs.set(note.key, nowMs)
      if (waiting.notes.length < mostNotes) waiting.notes.push({ ...note, atMs: clock.now() })
    },
    open: () => [...open.values()].map(openOf).sort((one, other) => rank(other.condition) - rank(one.condition)),
    tellNow() {
      settle()
      tell(true)
    },
    stop: () => ticker.end(),
  }

  function clear(key: string): boolean {
    const found = open.get(key)
    if (!found || found.cleared !== undefined) return false
    found.cleared = moment()
    save(key, found)
    return true
  }
}

interface Room {
  /** @returns whether there is room for one more of its kind */
  enter(condition: Condition): boolean
  leave(condition: Condition): void
}

function createRoom(log: Log, before: readonly OpenCondition[]): Room {
  const counts = new Map<ConditionKind, number>()
  const full = new Set<ConditionKind>()
  const add = (kind: ConditionKind, more: number) => counts.set(kind, (counts.get(kind) ?? 0) + more)
  for (const { condition } of before) add(condition.kind, 1)
  return {
    enter({ kind }) {
      const count = counts.get(kind) ?? 0
      if (count < mostOpen) {
        add(kind, 1)
        return true
      }
      if (!full.has(kind)) log.warn('too many conditions, more of the kind are not told', { kind, open: count })
      full.add(kind)
      return false
    },
    leave({ kind }) {
      add(kind, -1)
      // Told again where it fills up anew, and not for each that comes and goes.
      if ((counts.get(kind) ?? 0) < mostOpen / 2) full.delete(kind)
    },
  }
}

const rank = ({ severity }: { readonly severity: Severity }) => severities.indexOf(severity)
const toldOf = ({ condition, since }: Entry): Told => ({ condition, sinceMs: since.wallMs })
const openOf = ({ condition, since, told, cleared, returns }: Entry): OpenCondition => ({
  ...{ condition, sinceMs: since.wallMs, toldMs: told?.wallMs, clearedMs: cleared?.wallMs, returns },
})
const worstFirst = <Each extends Told>(list: readonly Each[]): Each[] =>
  list.toSorted((one, other) => rank(other.condition) - rank(one.condition))

export function isQuiet({ from, until }: QuietHours, nowMs: number): boolean {
  const now = new Date(nowMs)
  const minute = now.getHours() * 60 + now.getMinutes()
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until
}
