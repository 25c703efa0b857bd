/**
 * What is written down of one attempt: what a backend has said, that none could take it, or a fault of our own; and who hears of it beside. For
 * `lane-drain`, once an attempt. All of it rejects where the store fails to the end, which is the lane's to judge.
 */
import type { Log } from '../../base/log.ts'
import { printable } from '../../base/printable.ts'
import type { Random } from '../../base/random.ts'
import type { Recipient } from '../../mail/message.ts'
import { reply } from '../../mail/reply.ts'
import { type Attempt, type Lane, type Queue, StoreFailure, type Task } from '../../queue/queue.ts'
import type { AfterHold } from '../notices/after-hold.ts'
import type { Successes } from '../notices/successes.ts'
import { pauseAfter } from '../pauses.ts'
import { putOff } from '../put-off.ts'
import type { LateWatch } from '../settle/late-watch.ts'
import { beforeOf } from '../settle/sort-answers.ts'
import { type TellAttemptDeps, tellAttempt } from '../settle/tell-attempt.ts'
import type { WriteDown } from '../settle/write-down.ts'
import type { Way } from '../ways/lanes.ts'
import type { Attempted, ComparedSettlement, CouldNot, Spoken } from './attempt.ts'
import type { DrainGuard } from './drain-guard.ts'
import { tellSpoken } from './tell-spoken.ts'

export interface SettleDeps extends TellAttemptDeps {
  readonly random: Random
  readonly log: Log
  readonly queue: Queue
  readonly guard: DrainGuard
  /** Whether its domain says that anybody exists (`recipients: any`): then that it was known is nobody's knowledge. */
  readonly isAnyGood: (recipient: Recipient) => boolean
  readonly afterHold: AfterHold
  readonly lateWatch: LateWatch
  readonly successes: Successes
  /** What cannot be written down would be delivered again. */
  readonly writeDown: WriteDown
  /** Mail of our own is held for a lane. */
  readonly onHeld: (lane: Lane) => void
}

const crashesUntilSetAside = 3
const crashPauseMs = 60_000

/**
 * Writes down what came of it. Nothing is where the task is as it was (`route-out`, `slow-for-it`, `busy`) or `gone`; a bound task whose backend could not
 * take it stays bound to it, and waits.
 */
export async function settleAttempt(task: Task, way: Way, attempted: Attempted, deps: SettleDeps): Promise<void> {
  switch (attempted.kind) {
    case 'route-out':
    case 'slow-for-it':
    case 'busy':
    case 'gone':
      return
    case 'corrupt': {
      const { settlement } = attempted
      return await deps.writeDown.surely({ id: settlement.id }, () => deps.queue.settle(settlement))
    }
    case 'unable':
    case 'broken': {
      const isBound = task.recipients.some(({ state }) => state === 'unknown')
      return await (isBound ? waitForItsBackend : stepBack)(task, attempted, deps)
    }
    case 'spoken':
      return await settleSpoken(task, way, attempted, deps)
  }
}

/** Others of the lane may have another backend to go to. */
function waitForItsBackend(task: Task, attempted: CouldNot, deps: SettleDeps): Promise<void> {
  const nowMs = deps.clock.now()
  const recipients = task.recipients.map((held) => ({
    index: held.index,
    ...beforeOf(held),
    to: putOff(held, pauseAfter(held.attempts, deps.random), nowMs),
  }))
  return defer(task, attempted, recipients, deps)
}

/**
 * A backend could not take it. That may be its own state, or what this message does to it, and then it must not stand before all others: it goes
 * behind what was never tried, once at once, from then on when it has waited by itself.
 */
function stepBack(task: Task, attempted: CouldNot, deps: SettleDeps): Promise<void> {
  const nowMs = deps.clock.now()
  const recipients = task.recipients.map(({ index, attempts, state }) => ({
    index,
    from: [state],
    to:
      attempts === 0
        ? ({ kind: 'ready', turnMs: nowMs } as const)
        : ({ kind: 'waiting', notBeforeMs: nowMs + pauseAfter(attempts - 1, deps.random) } as const),
  }))
  return defer(task, attempted, recipients, deps)
}

async function defer(
  { message: { id } }: Task,
  { kind, why, endpoint }: CouldNot,
  put: ComparedSettlement['recipients'],
  { queue, clock, writeDown }: SettleDeps,
): Promise<void> {
  // Where each session broke no server said a thing (RFC 3463 §3.5, X.4.2); what stood there before would read as if none had been reached.
  const isBroken = kind === 'broken'
  const broken = reply(451, '4.4.2', printable(why, 300))
  const recipients = isBroken ? put.map((each) => ({ ...each, reply: broken })) : put
  const attempt: Attempt = {
    atMs: clock.now(),
    backend: endpoint?.backend.url,
    host: isBroken ? undefined : endpoint?.name,
    outcome: 'deferred',
    text: why,
    recipients: recipients.length,
  }
  await writeDown.surely({ id }, () => queue.settle({ id, recipients, attempt }))
}

async function settleSpoken(task: Task, way: Way, spoken: Spoken, deps: SettleDeps): Promise<void> {
  const { queue, guard, afterHold, lateWatch, successes, writeDown } = deps
  const { id } = task.message
  const { endpoint, settlement, refused, late, owed } = spoken
  // What strangers say of mail of our own says nothing of a backend's users; nor does a refusal of somebody whom it never knew, which any
  // sender could bring about.
  if (endpoint && endpoint.purpose !== 'dsn')
    for (const { held, isUnknown } of spoken.heard)
      if (held.attempts === 0 && held.wasKnown && !deps.isAnyGood(held.recipient))
        guard.firstAttempt(endpoint.backend.url, held.recipient.text, isUnknown)
  try {
    const dsn = settlement && (await successes.drained(task, settlement.recipients, { way, endpoint, owed }))
    if (settlement) await writeDown.surely({ id }, () => queue.settle(dsn ? { ...settlement, dsn } : settlement))
    for (const { lane } of dsn?.recipients ?? []) deps.onHeld(lane)
  } catch (error) {
    // Its word would be about nothing that is written down.
    late?.answer.letGo()
    throw error
  }
  if (late) lateWatch.listen(late.watched, late.answer)
  if (refused.length > 0) await writeDown.surely({ id }, () => afterHold.refused({ id, way, endpoint, refused }))
  tellSpoken(task, way, spoken, deps)
}

/**
 * A fault of our own, or a message that cannot be read: it must not stop the others, nor be tried for ever.
 * @param routeId  of where the lane leads now; empty where nowhere
 */
export async function settleCrash(task: Task, error: unknown, routeId: () => string, deps: SettleDeps): Promise<void> {
  const { message, recipients } = task
  const { id } = message
  const { log, queue, clock, writeDown } = deps
  // Nothing can be read or written now, which is no fault of this message.
  if (error instanceof StoreFailure && error.code !== 'corrupt' && error.code !== 'io') throw error
  log.error('attempt failed', { id, error })
  tellAttempt(
    { id, message, recipients, route: routeId(), endpoint: undefined, outcome: 'failed', tookMs: 0, isLate: false },
    deps,
  )
  const as = await afterCrash(id, error, deps)
  const attempt = {
    atMs: clock.now(),
    backend: undefined,
    outcome: 'failed' as const,
    text: error instanceof Error ? printable(`${error.name}: ${error.message}`, 200) : 'unknown error',
    recipients: recipients.length,
  }
  await writeDown.surely({ id }, () =>
    queue.settle({
      id,
      attempt,
      recipients: recipients.map((held) => {
        const { index } = held
        // A damaged one is damaged in whatever state.
        if (as === 'corrupt') return { index, to: { kind: as } }
        const to = as === 'put-off' ? putOff(held, crashPauseMs, clock.now()) : { kind: as }
        return { index, ...beforeOf(held), to }
      }),
    }),
  )
  // A person who is told looks at once, and must find it so.
  if (as !== 'put-off') log.alert('held message set aside', { id, as, error })
}

async function afterCrash(
  id: string,
  error: unknown,
  { queue }: SettleDeps,
): Promise<'corrupt' | 'set-aside' | 'put-off'> {
  // What was damaged once stays so.
  if (error instanceof StoreFailure && error.code === 'corrupt') return 'corrupt'
  const before = (await queue.get(id))?.attempts.filter(({ outcome }) => outcome === 'failed').length ?? 0
  return before + 1 >= crashesUntilSetAside ? 'set-aside' : 'put-off'
}
