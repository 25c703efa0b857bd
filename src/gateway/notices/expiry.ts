/**
 * The end of what is held: one sweeper over all states, once a minute. Whose time is over is tried once more where its route can be reached, and
 * then told to the sender, where that one is proven, or kept for a person for another 14 days. What was kept that long goes. It also sees to it
 * that people hear in time: `hold-alerts` for the operator, `delay-notices` for senders who want to know.
 *
 *   may anything expire? (`expiry-guard`) → overdue: tried after its end? → told or kept → kept long enough: gone
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { DsnRecipient } from '../../mail/dsn/report.ts'
import {
  type HeldEntry,
  type HeldRecipient,
  type Lane,
  type Queue,
  type RecipientState,
  type Settlement,
  StoreFailure,
} from '../../queue/queue.ts'
import type { Drain } from '../drain/drain.ts'
import type { Way } from '../drain/lanes.ts'
import type { PolicyOf } from '../drain/ways.ts'
import type { Tell } from '../events.ts'
import { createHoldAlerts } from '../hold/hold-alerts.ts'
import { isOurOwn, keptForAPersonMs } from './after-hold.ts'
import { createDelayNotices } from './delay-notices.ts'
import { createExpiryGuard } from './expiry-guard.ts'
import { lastKnown, type Notice, type Notices, settleWith, toWhom } from './notices.ts'

export interface Expiry {
  start(): void
  /** What is being settled comes to its end; nothing new begins. */
  stop(): Promise<void>
  /** Why nothing expires at present, for people. */
  readonly stopped: string | undefined
  /** A person says that the clock is right, and that what is overdue may go. @returns whether it was stopped */
  resume(): boolean
}

export interface ExpiryDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly queue: Queue
  readonly drain: Pick<Drain, 'kick' | 'isAttempting' | 'isOut' | 'noticed'>
  readonly notices: Notices
  /** Whether a backend gets nothing of the hold until a person has looked (`drain-guard`). */
  readonly isDrainStopped: (backend: string) => boolean
  readonly wayOfLane: (lane: Lane) => Way | undefined
  readonly policyOf: PolicyOf
  /** Whether any domain wants its senders to hear of delay. */
  readonly tellsOfDelay: () => boolean
}

const roundMs = 60_000
/** Messages that one round looks at, each some kilobytes. */
const mostARound = 1_000

export function createExpiry(deps: ExpiryDeps): Expiry {
  const { clock, log, queue, drain, notices, isDrainStopped, wayOfLane, policyOf } = deps
  const guard = createExpiryGuard({ clock, log })
  const alerts = createHoldAlerts({ log, wayOfLane })
  const delays = createDelayNotices(deps)
  /** Messages that have been given their last chance. */
  let tried = new Set<string>()
  let isStopped = false
  let running: Promise<void> | undefined
  const alarm = new Deadline(clock, () => {
    running = round().finally(() => {
      if (!isStopped) alarm.arm(roundMs)
    })
  })

  async function round(): Promise<void> {
    try {
      alerts.look(queue.lanes(), clock.now())
      if (!(await guard.mayExpire((nowMs) => queue.countOverdue(nowMs)))) return
      await sweep(clock.now())
      if (!isStopped) await delays.look()
    } catch (error) {
      // A store that cannot be read or written now is looked at again in a minute.
      if (!(error instanceof StoreFailure)) log.error('expiry failed', { error })
    }
  }

  async function sweep(nowMs: number): Promise<void> {
    const { expiring, kept } = await queue.overdue(nowMs, mostARound)
    const triedBefore = tried
    tried = new Set()
    const lanes = new Set<Lane>()
    for (const entry of expiring) {
      if (isStopped) return
      const { over, chance, isOpen } = sort(entry, nowMs, triedBefore.has(entry.message.id))
      if (over.length > 0) await end(entry, over, nowMs)
      if (chance.length > 0) await lastChance(entry, chance)
      for (const { lane } of chance) lanes.add(lane)
      if (chance.length > 0 || isOpen) tried.add(entry.message.id)
    }
    if (lanes.size > 0) drain.kick(lanes)
    for (const entry of kept) if (!isStopped) await throwAway(entry, nowMs)
  }

  /** @returns those whose end it is, those that are to be tried first, and whether something else is under way */
  function sort(
    { message, recipients }: HeldEntry,
    nowMs: number,
    wasTried: boolean,
  ): { over: HeldRecipient[]; chance: HeldRecipient[]; isOpen: boolean } {
    const over: HeldRecipient[] = []
    const chance: HeldRecipient[] = []
    let isOpen = false
    // What an attempt will say of it is not known yet.
    const isClaimed = drain.isAttempting(message.id)
    for (const held of recipients) {
      if (held.state === 'refused' || held.state === 'expired') continue
      if (waitsForAPerson(held)) continue
      if (isClaimed || isAnothers(held, nowMs)) isOpen = wasTried
      else if (isOver(held, message.expiresMs, wasTried)) over.push(held)
      else chance.push(held)
    }
    return { over, chance, isOpen }
  }

  /**
   * It is us who do not let it go to a backend that may have come back empty: that must bounce nothing, however long the person takes. It may keep
   * what is overdue behind it waiting too, where there are more than one round looks at: late, and not lost.
   */
  function waitsForAPerson({ state, lane }: HeldRecipient): boolean {
    if (!isOnItsWay(state)) return false
    return wayOfLane(lane)?.route.entries.some(({ backend }) => isDrainStopped(backend.url)) ?? false
  }

  function isOver(held: HeldRecipient, expiresMs: number, wasTried: boolean): boolean {
    if (!isOnItsWay(held.state)) return true
    if (held.lastAttemptMs !== undefined && held.lastAttemptMs >= expiresMs) return true
    return !wayOfLane(held.lane) || (wasTried && drain.isOut(held.lane))
  }

  /** Whatever waited for its time has it now. */
  async function lastChance({ message }: HeldEntry, chance: readonly HeldRecipient[]): Promise<void> {
    const waiting = chance.filter(({ state }) => state === 'waiting')
    if (waiting.length === 0) return
    // Rows are read a thousand at a time and notices wait for DNS: what is not `waiting` any more may be with a backend by now.
    const recipients = waiting.map(({ index }) => ({
      index,
      to: { kind: 'ready' as const },
      from: ['waiting'] as const,
    }))
    await queue.settle({ id: message.id, recipients })
  }

  /** What an attempt or a person has touched since it was read is looked at again in the next round. */
  async function isAsItWas({ message: { id } }: HeldEntry, over: readonly HeldRecipient[]): Promise<boolean> {
    const now = new Map((await queue.get(id))?.recipients.map((held) => [held.index, held]))
    if (drain.isAttempting(id)) return false
    return over.every(({ index, state, attempts }) => {
      const held = now.get(index)
      return held?.state === state && held.attempts === attempts
    })
  }

  async function end(entry: HeldEntry, over: readonly HeldRecipient[], nowMs: number): Promise<void> {
    const { message } = entry
    if (isOurOwn(message)) {
      if (!(await isAsItWas(entry, over))) return
      await queue.settle({
        id: message.id,
        recipients: over.map(({ index, state }) => ({ index, to: { kind: 'gone' }, from: [state] })),
      })
      for (const held of over) log.warn('own mail expired', { id: message.id, to: held.recipient.text })
      return
    }
    const notice = await noticeOf(entry, over)
    if (!(await settleWith(notice, () => isAsItWas(entry, over)))) {
      if (notice.kind === 'written') notice.giveBack()
      return
    }
    const told = notice.kind === 'written' ? notice.told : new Set()
    const settlement: Settlement = {
      id: message.id,
      recipients: over.map(({ index, recipient, state }) => ({
        index,
        from: [state],
        to: told.has(recipient) ? { kind: 'gone' } : { kind: 'expired', keepUntilMs: nowMs + keptForAPersonMs },
      })),
      ...(notice.kind === 'written' ? { dsn: notice.held } : {}),
      ...(notice.proof.kind === message.proof.kind ? {} : { proof: notice.proof }),
    }
    await settleWith(notice, () => queue.settle(settlement))
    if (notice.kind === 'written') drain.noticed(notice.lane)
    const { id } = message
    deps.tell?.({ kind: 'expired', atMs: nowMs, id, recipients: over.length, told: told.size })
    for (const held of over) {
      log.warn('expired', {
        id: message.id,
        from: message.envelope.sender?.text ?? '',
        to: held.recipient.text,
        was: held.state,
        attempts: held.attempts,
        heldHours: Math.round((nowMs - message.receivedMs) / 3_600_000),
        told: told.has(held.recipient),
        ...(notice.kind === 'written' ? { notice: notice.held.id } : { why: notice.why }),
      })
    }
  }

  async function noticeOf({ message }: HeldEntry, over: readonly HeldRecipient[]): Promise<Notice> {
    const isKept = (held: HeldRecipient) => (policyOf(held)?.refusedAfterHold ?? 'keep') === 'keep'
    // What has no route is a mistake of ours to mend: its sender is never told that it is over.
    const mayTell = over.filter((held) => held.state !== 'no-route' && held.state !== 'corrupt' && !isKept(held))
    if (mayTell.length === 0) return { kind: 'none', why: 'nobody is to be told', proof: message.proof }
    const recipients = mayTell.map((held): DsnRecipient => ({ action: 'failed', ...lastKnown(held) }))
    const subject = { message, openBody: () => queue.body(message.id) }
    return await notices.write(subject, recipients, toWhom(mayTell, policyOf))
  }

  async function throwAway({ message, recipients }: HeldEntry, nowMs: number): Promise<void> {
    const over = recipients.filter(({ keepUntilMs }) => keepUntilMs !== undefined && keepUntilMs <= nowMs)
    await queue.settle({
      id: message.id,
      recipients: over.map(({ index, state }) => ({ index, to: { kind: 'gone' }, from: [state] })),
    })
    log.warn('kept mail thrown away', {
      id: message.id,
      from: message.envelope.sender?.text ?? '',
      to: over.map(({ recipient }) => recipient.text),
      was: over[0]?.state,
    })
  }

  return {
    start: () => alarm.arm(roundMs),
    async stop() {
      isStopped = true
      alarm.end()
      await running
    },
    get stopped() {
      return guard.stopped
    },
    resume: () => guard.resume(),
  }
}

const isOnItsWay = (state: RecipientState) => state === 'ready' || state === 'waiting' || state === 'unknown'

/** A transaction that is under way answers for it, or somebody listens behind its dot. */
const isAnothers = ({ state, notBeforeMs }: HeldRecipient, nowMs: number) =>
  state === 'offered' || (state === 'unknown' && notBeforeMs !== undefined && nowMs < notBeforeMs)
