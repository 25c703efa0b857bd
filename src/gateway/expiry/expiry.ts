/**
 * The end of what is held: one sweeper over all states, once a minute. Whose time is over is tried once more where its route can be reached, and
 * then told to the sender, where that one is proven, or kept for a person for another 14 days. What was kept that long goes. It also sees to it
 * that people hear in time: `hold-alerts` for the operator, `delay-notices` for senders who want to know.
 *
 *   may anything expire? (`expiry-guard`) → overdue: tried after its end? (`sort-overdue`) → told or kept → kept long enough: gone (`end-of-hold`)
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import { type HeldEntry, type HeldRecipient, type Lane, StoreFailure } from '../../queue/queue.ts'
import type { Drain } from '../drain/drain.ts'
import { createDelayNotices } from './delay-notices.ts'
import { createEndOfHold, type EndOfHoldDeps } from './end-of-hold.ts'
import { createExpiryGuard } from './expiry-guard.ts'
import { createHoldAlerts } from './hold-alerts.ts'
import { type SortOverdueDeps, sortOverdue } from './sort-overdue.ts'

export interface Expiry {
  start(): void
  /** What is being settled comes to its end; nothing new begins. */
  stop(): Promise<void>
  /** Why nothing expires at present, for people. */
  readonly stopped: string | undefined
  /** A person says that the clock is right, and that what is overdue may go. @returns whether it was stopped */
  resume(): boolean
}

export interface ExpiryDeps extends SortOverdueDeps, EndOfHoldDeps {
  readonly clock: Clock
  readonly drain: SortOverdueDeps['drain'] & EndOfHoldDeps['drain'] & Pick<Drain, 'kick'>
  /** Whether any domain wants its senders to hear of delay. */
  readonly tellsOfDelay: () => boolean
}

const roundMs = 60_000
/** Messages that one round looks at, each some kilobytes. */
const mostARound = 1_000

export function createExpiry(deps: ExpiryDeps): Expiry {
  const { clock, log, queue, drain, wayOfLane } = deps
  const guard = createExpiryGuard({ clock, log })
  const alerts = createHoldAlerts({ log, wayOfLane })
  const delays = createDelayNotices(deps)
  const ends = createEndOfHold(deps)
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
      const { over, chance, isOpen } = sortOverdue(entry, nowMs, triedBefore.has(entry.message.id), deps)
      if (over.length > 0) await ends.expire(entry, over, nowMs)
      if (chance.length > 0) await lastChance(entry, chance)
      for (const { lane } of chance) lanes.add(lane)
      if (chance.length > 0 || isOpen) tried.add(entry.message.id)
    }
    if (lanes.size > 0) drain.kick(lanes)
    for (const entry of kept) if (!isStopped) await ends.throwAway(entry, nowMs)
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
