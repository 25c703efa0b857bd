/**
 * The end of recipients whose time is over (`sort-overdue`): told to the sender, where that one is proven, or kept for a person; and what was kept long
 * enough goes. Called by `expiry`.
 */
import type { Log } from '../../base/log.ts'
import type { DsnRecipient } from '../../mail/dsn/report.ts'
import type { Recipient } from '../../mail/message.ts'
import type { HeldEntry, HeldMessage, HeldRecipient, Queue, Settlement } from '../../queue/queue.ts'
import type { Drain } from '../drain/drain.ts'
import { type Declared, domainsOf, type Tell } from '../events.ts'
import { isOurOwn, keptForAPersonMs } from '../notices/after-hold.ts'
import { lastKnown, type Notice, type Notices, settleWith, toWhom } from '../notices/notices.ts'
import type { PolicyOf } from '../ways/ways.ts'

export interface EndOfHold {
  /** @param over  recipients of the message, whose end it is */
  expire(entry: HeldEntry, over: readonly HeldRecipient[], nowMs: number): Promise<void>
  /** Those that a person has had time enough to look at. */
  throwAway(entry: HeldEntry, nowMs: number): Promise<void>
}

export interface EndOfHoldDeps {
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly declared?: Declared | undefined
  readonly queue: Queue
  readonly drain: Pick<Drain, 'isAttempting' | 'noticed'>
  readonly notices: Notices
  readonly policyOf: PolicyOf
}

export function createEndOfHold({ log, tell, declared, queue, drain, notices, policyOf }: EndOfHoldDeps): EndOfHold {
  return {
    async expire(entry, over, nowMs) {
      if (isOurOwn(entry.message)) return await forget(entry, over)
      const notice = await noticeOf(entry, over)
      if (!(await settleWith(notice, () => isAsItWas(entry, over)))) {
        if (notice.kind === 'written') notice.giveBack()
        return
      }
      await settleWith(notice, () => queue.settle(settlementOf(entry.message, over, notice, nowMs)))
      if (notice.kind === 'written') drain.noticed(notice.lane)
      say(entry.message, over, notice, nowMs)
    },

    async throwAway({ message, recipients }, nowMs) {
      const over = recipients.filter(({ keepUntilMs }) => keepUntilMs !== undefined && keepUntilMs <= nowMs)
      await queue.settle({ id: message.id, recipients: over.map(gone) })
      log.warn('kept mail thrown away', {
        id: message.id,
        from: message.envelope.sender?.text ?? '',
        to: over.map(({ recipient }) => recipient.text),
        was: over[0]?.state,
      })
    },
  }

  async function forget(entry: HeldEntry, over: readonly HeldRecipient[]): Promise<void> {
    const { id } = entry.message
    if (!(await isAsItWas(entry, over))) return
    await queue.settle({ id, recipients: over.map(gone) })
    for (const held of over) log.warn('own mail expired', { id, to: held.recipient.text })
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

  async function noticeOf({ message }: HeldEntry, over: readonly HeldRecipient[]): Promise<Notice> {
    const isKept = (held: HeldRecipient) => (policyOf(held)?.refusedAfterHold ?? 'keep') === 'keep'
    // What has no route is a mistake of ours to mend: its sender is never told that it is over.
    const mayTell = over.filter((held) => held.state !== 'no-route' && held.state !== 'corrupt' && !isKept(held))
    if (mayTell.length === 0) return { kind: 'none', why: 'nobody is to be told', proof: message.proof }
    const recipients = mayTell.map((held): DsnRecipient => ({ action: 'failed', ...lastKnown(held) }))
    const subject = { message, openBody: () => queue.body(message.id) }
    return await notices.write(subject, recipients, toWhom(mayTell, policyOf))
  }

  function say(
    { id, envelope, receivedMs }: HeldMessage,
    over: readonly HeldRecipient[],
    notice: Notice,
    nowMs: number,
  ) {
    const told = toldBy(notice)
    const recipients = over.map(({ recipient }) => recipient)
    const domains = declared ? domainsOf(recipients, declared) : []
    tell?.({ kind: 'expired', atMs: nowMs, id, domains, recipients: over.length, told: told.size })
    for (const { recipient, state, attempts } of over) {
      log.warn('expired', {
        id,
        from: envelope.sender?.text ?? '',
        to: recipient.text,
        was: state,
        attempts,
        heldHours: Math.round((nowMs - receivedMs) / 3_600_000),
        told: told.has(recipient),
        ...(notice.kind === 'written' ? { notice: notice.held.id } : { why: notice.why }),
      })
    }
  }
}

function settlementOf(
  { id, proof }: HeldMessage,
  over: readonly HeldRecipient[],
  notice: Notice,
  nowMs: number,
): Settlement {
  const told = toldBy(notice)
  return {
    id,
    recipients: over.map(({ index, recipient, state }) => ({
      index,
      from: [state],
      to: told.has(recipient) ? { kind: 'gone' } : { kind: 'expired', keepUntilMs: nowMs + keptForAPersonMs },
    })),
    ...(notice.kind === 'written' ? { dsn: notice.held } : {}),
    ...(notice.proof.kind === proof.kind ? {} : { proof: notice.proof }),
  }
}

const toldBy = (notice: Notice): ReadonlySet<Recipient> => (notice.kind === 'written' ? notice.told : nobody)

const nobody: ReadonlySet<Recipient> = new Set()

const gone = ({ index, state }: HeldRecipient) => ({ index, to: { kind: 'gone' as const }, from: [state] })
