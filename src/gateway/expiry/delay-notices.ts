/**
 * Tells proven senders once that their message waits, where a domain's `delayNotice` wants that and NOTIFY does not forbid it (RFC 3461 §5.2.5).
 * Called by `expiry` at each round; it goes through the queue in turn, so many messages a round, and begins again at its end.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { HeldEntry, HeldRecipient, Queue, RecipientState } from '../../queue/queue.ts'
import type { Drain } from '../drain/drain.ts'
import { isOurOwn } from '../notices/after-hold.ts'
import { lastKnown, type Notices, settleWith } from '../notices/notices.ts'
import type { PolicyOf } from '../ways/ways.ts'

export interface DelayNotices {
  look(): Promise<void>
}

const page = 100
const pagesARound = 20
/** In these somebody waits for it. */
const waits: readonly RecipientState[] = ['ready', 'waiting', 'unknown', 'held']

export function createDelayNotices(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly queue: Pick<Queue, 'list' | 'settle' | 'body'>
  readonly drain: Pick<Drain, 'isAttempting' | 'noticed'>
  readonly notices: Notices
  readonly policyOf: PolicyOf
  /** Whether any domain wants it. */
  readonly tellsOfDelay: () => boolean
}): DelayNotices {
  const { clock, log, queue, drain, notices, policyOf, tellsOfDelay } = deps
  let from: string | undefined

  const delayMs = (held: HeldRecipient) => policyOf(held)?.delayNoticeMs ?? Number.POSITIVE_INFINITY

  async function tell({ message, recipients }: HeldEntry): Promise<void> {
    const ageMs = clock.now() - message.receivedMs
    const late = recipients.filter((held) => waits.includes(held.state) && !held.wasDelayTold && ageMs >= delayMs(held))
    if (late.length === 0 || isOurOwn(message) || drain.isAttempting(message.id)) return
    const subject = { message, openBody: () => queue.body(message.id) }
    const told = late.map((held) => ({
      action: 'delayed' as const,
      ...lastKnown(held),
      willRetryUntilMs: held.expiresMs ?? message.expiresMs,
    }))
    const notice = await notices.write(subject, told, 'proven')
    if (notice.kind !== 'written') return
    // DNS was asked meanwhile: what is being attempted may be with its backend in a moment.
    if (drain.isAttempting(message.id)) return notice.giveBack()
    const settled = late.filter((held) => notice.told.has(held.recipient))
    await settleWith(notice, () =>
      queue.settle({
        id: message.id,
        recipients: settled.map(({ index }) => ({ index, to: { kind: 'as-it-is' }, from: waits })),
        dsn: notice.held,
        delayTold: true,
      }),
    )
    drain.noticed(notice.lane)
    const to = settled.map(({ recipient }) => recipient.text)
    log.info('delay told', { id: message.id, from: message.envelope.sender?.text ?? '', to, notice: notice.held.id })
  }

  return {
    async look() {
      // Nothing is read where nobody wants it.
      if (!tellsOfDelay()) return
      for (let pages = 0; pages < pagesARound; pages++) {
        const { messages, next } = await queue.list({ states: waits }, page, from)
        for (const entry of messages) await tell(entry)
        from = next
        if (next === undefined) return
      }
    },
  }
}
