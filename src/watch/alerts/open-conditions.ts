/**
 * What is wrong, as it is known to those who tell of it: since when, whether it was told, whether it is in order again and may be over. It outlives the
 * process by `saved`. For `alerting`, which says what is told when.
 *
 * People are told moments of the wall clock; what is waited for goes by the monotonic one, so that a clock that jumps sends nothing and swallows nothing.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { type Severity, severities } from '../../checks/finding.ts'
import type { Condition, ConditionKind } from '../condition.ts'

export interface Told {
  readonly condition: Condition
  /** Where it came back, since it did so last. */
  readonly sinceMs: number
  /** When it was so first, where it has come back since; undefined: it has not. */
  readonly firstMs?: number | undefined
}

export interface Recovered extends Told {
  readonly untilMs: number
  /** One line, printable: what is so instead, `smtp://10.0.0.11:25 is up again`. Undefined of what an earlier version cleared. */
  readonly now?: string | undefined
  /** How often it came back before it was over. */
  readonly returns: number
}

/** As it is kept over a restart. */
export interface OpenCondition extends Told {
  /** Undefined: not told yet. */
  readonly toldMs: number | undefined
  /** It is in order since then, and may be over. */
  readonly clearedMs: number | undefined
  /** What is so instead, where it is in order; none of what an earlier version kept. */
  readonly now?: string | undefined
  readonly returns: number
}

/** Something of `open` has changed; undefined: the condition is over. */
export type Saved = (key: string, open: OpenCondition | undefined) => void

export interface Entry {
  condition: Condition
  /** It was so first. How long it has stood goes by this: what comes and goes would else never stand for long enough. */
  readonly first: Moment
  /** It began, or came back, last. */
  since: Moment
  told: Moment | undefined
  cleared: Moment | undefined
  now: string | undefined
  returns: number
  /** It has stood long enough to be told. */
  isDue: boolean
}

/** One moment on both clocks. */
export interface Moment {
  readonly wallMs: number
  readonly steadyMs: number
}

export const momentOf = (clock: Clock): Moment => ({ wallMs: clock.now(), steadyMs: clock.monotonicMs() })

/** Conditions of one kind that are open at once: a hundred thousand domains may each have findings, and those take no room from a backend that is down. */
const mostOpen = 50_000

export class OpenConditions {
  readonly #clock: Clock
  readonly #saved: Saved
  readonly #entries: Map<string, Entry>
  readonly #room: Room

  /** @param before  of an earlier process */
  constructor(before: readonly OpenCondition[], { clock, log, saved }: { clock: Clock; log: Log; saved: Saved }) {
    this.#clock = clock
    this.#saved = saved
    this.#entries = new Map(before.map((open) => [open.condition.key, entryOf(open, momentOf(clock))]))
    this.#room = createRoom(log, before)
  }

  /** @returns whether it has begun, or come back */
  raise(condition: Condition): boolean {
    const found = this.#entries.get(condition.key)
    if (!found) return this.#begin(condition)
    const isWorse = rank(condition) > rank(found.condition)
    const isBack = found.cleared !== undefined
    const isOther = isWorse || isBack || condition.title !== found.condition.title
    found.condition = condition
    if (isBack) {
      found.cleared = undefined
      found.now = undefined
      found.since = momentOf(this.#clock)
      found.returns++
    }
    // It is told again as what it has become.
    if (isWorse) found.told = undefined
    if (isOther) this.#save(found)
    return isBack
  }

  #begin(condition: Condition): boolean {
    if (!this.#room.enter(condition)) return false
    const now = momentOf(this.#clock)
    const made: Entry = {
      ...{ condition, first: now, since: now, returns: 0, isDue: false },
      ...{ told: undefined, cleared: undefined, now: undefined },
    }
    this.#entries.set(condition.key, made)
    this.#save(made)
    return true
  }

  /** @param now  what is so instead: the last word counts, until people are told. @returns what stood until now */
  clear(key: string, now: string): Recovered | undefined {
    const found = this.#entries.get(key)
    if (!found || found.now === now) return undefined
    const hasStood = found.cleared === undefined
    found.cleared ??= momentOf(this.#clock)
    found.now = now
    this.#save(found)
    return hasStood ? recoveredOf(found, found.cleared) : undefined
  }

  /** All of them that begin so are over, but for these. @param now  what is so instead of each. @returns those that stood until now */
  clearAllBut(prefix: string, keys: ReadonlySet<string>, now: (condition: Condition) => string): readonly Recovered[] {
    return [...this.#entries]
      .filter(([key]) => key.startsWith(prefix) && !keys.has(key))
      .flatMap(([key, { condition }]) => this.clear(key, now(condition)) ?? [])
  }

  /** Worst first. */
  list(): OpenCondition[] {
    return worstFirst([...this.#entries.values()].map(openOf))
  }

  /** What has been in order for so long is over. @returns of those, what was worth telling */
  settle(settleMs: number): Recovered[] {
    const { steadyMs } = momentOf(this.#clock)
    const recovered: Recovered[] = []
    for (const [key, entry] of this.#entries) {
      const { condition, cleared, isDue } = entry
      if (cleared === undefined || steadyMs - cleared.steadyMs < settleMs) continue
      this.#entries.delete(key)
      this.#room.leave(condition)
      this.#saved(key, undefined)
      // Of what was not worth telling nobody need hear the end; what had to wait, as in quiet hours, is told as over.
      if (isDue) recovered.push(recoveredOf(entry, cleared))
    }
    return recovered
  }

  /** What has stood for long enough by now, and was not told yet. @param afterMs  how long that is */
  fresh(now: Moment, afterMs: (condition: Condition) => number): Entry[] {
    for (const entry of this.#entries.values())
      if (entry.cleared === undefined && now.steadyMs - entry.first.steadyMs >= afterMs(entry.condition))
        entry.isDue = true
    // What comes and goes is told although it may be gone at this very moment.
    return [...this.#entries.values()].filter(({ told, isDue }) => isDue && told === undefined)
  }

  /** What was told so long ago, and still stands. @param repeatMs  0: never again */
  lasting(now: Moment, repeatMs: number): Entry[] {
    return [...this.#entries.values()].filter(
      ({ told, cleared }) =>
        cleared === undefined && told !== undefined && repeatMs > 0 && now.steadyMs - told.steadyMs >= repeatMs,
    )
  }

  told(entries: readonly Entry[], now: Moment): void {
    for (const entry of entries) {
      entry.told = now
      this.#save(entry)
    }
  }

  #save(entry: Entry): void {
    this.#saved(entry.condition.key, openOf(entry))
  }
}

function entryOf(open: OpenCondition, now: Moment): Entry {
  const { condition, sinceMs, firstMs = sinceMs, toldMs, clearedMs, now: instead, returns } = open
  return {
    ...{ condition, first: earlier(firstMs, now), since: earlier(sinceMs, now), returns, isDue: toldMs !== undefined },
    told: toldMs === undefined ? undefined : earlier(toldMs, now),
    cleared: clearedMs === undefined ? undefined : earlier(clearedMs, now),
    now: instead,
  }
}

/** Of an earlier process, where the wall clock is all there is to go by. */
const earlier = (wallMs: number, now: Moment): Moment => ({
  wallMs,
  steadyMs: now.steadyMs - Math.max(0, now.wallMs - wallMs),
})

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
const openOf = (entry: Entry): OpenCondition => {
  const { told, cleared, now, returns } = entry
  return { ...toldOf(entry), toldMs: told?.wallMs, clearedMs: cleared?.wallMs, now, returns }
}
const recoveredOf = (entry: Entry, cleared: Moment): Recovered => {
  const { now, returns } = entry
  return { ...toldOf(entry), untilMs: cleared.wallMs, now, returns }
}

/** Of an entry, what people are told. */
export const toldOf = ({ condition, first, since }: Entry): Told => ({
  ...{ condition, sinceMs: since.wallMs },
  ...(first.wallMs === since.wallMs ? {} : { firstMs: first.wallMs }),
})
/** By severity; those of one stay as they stood. */
export const worstFirst = <Each extends Told>(list: readonly Each[]): Each[] =>
  list.toSorted((one, other) => rank(other.condition) - rank(one.condition))
