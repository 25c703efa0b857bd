/**
 * Tells senders who asked for it (NOTIFY=SUCCESS) that a backend has taken their message, where that one notifies nobody itself (RFC 3461
 * §5.2.2, §5.2.3). To proven senders, within the limits of all notices: whoever forges an address could have us write to it otherwise. Called by
 * `hand-over` for what was carried through, by `settle-attempt` for what was held.
 */
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import { type DsnRecipient, isOwed } from '../../mail/dsn/report.ts'
import { mostReturnedOctets } from '../../mail/dsn/returned.ts'
import { replyStatus } from '../../mail/dsn/status.ts'
import type { Body, Message, Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import type { HeldMessage, Lane, NewHeld, Queue, SenderProof } from '../../queue/queue.ts'
import type { Endpoint } from '../../routing/backend.ts'
import type { Way } from '../ways/lanes.ts'
import type { PolicyOf } from '../ways/ways.ts'
import { remoteOf } from './after-hold.ts'
import { type Notices, settleWith, toWhom } from './notices.ts'

/** What a backend has taken for a recipient, and what is owed for it. */
export interface Taken {
  readonly way: Way
  readonly endpoint: Endpoint
  readonly owed: 'relayed' | 'delivered'
  readonly recipients: readonly { readonly recipient: Recipient; readonly reply: Reply }[]
}

export interface Successes {
  /** Of a message whose sender waits. Resolves when the message is not needed any more; the notice is written behind our answer. */
  carried(message: Message, taken: Taken): Promise<void>
  /** Of a message in the hold. @returns the notice, to be held with the settlement of what was taken */
  drained(message: HeldMessage, taken: Taken): Promise<NewHeld | undefined>
}

export interface SuccessesDeps {
  readonly log: Log
  readonly queue: Pick<Queue, 'hold' | 'body'>
  readonly notices: Notices
  readonly known: (message: Message) => SenderProof | undefined
  readonly hostname: () => HostName
  readonly now: () => number
  readonly policyOf: PolicyOf
  readonly onHeld: (lane: Lane) => void
}

/** Notices that are being written at once, each with up to 50 kB of a message. */
const mostAtOnce = 100

export function createSuccesses(deps: SuccessesDeps): Successes {
  const { log, queue, notices, known, hostname, now, policyOf, onHeld } = deps
  let atOnce = 0

  function told({ endpoint, owed, recipients }: Taken): readonly DsnRecipient[] {
    const host = remoteOf(endpoint, hostname())
    return recipients
      .filter(({ recipient }) => isOwed(owed, recipient.notify))
      .map(({ recipient, reply }) => ({
        recipient,
        action: owed,
        status: replyStatus(reply),
        // RFC 3461 §6.3: only where there was another MTA.
        remote: owed === 'relayed' ? { host, reply } : undefined,
        lastAttemptMs: now(),
      }))
  }

  /** By those that are told of, each as its own domain wants: what shares a route, and so a lane, need not share that. */
  const whom = ({ way: { lane } }: Taken, told: readonly DsnRecipient[]) =>
    toWhom(
      told.map(({ recipient }) => ({ recipient, lane })),
      policyOf,
    )

  async function write(message: Message, start: Body, taken: Taken): Promise<void> {
    const proof = known(message) ?? { kind: 'undecided' }
    const subject = {
      message: { ...message, receivedMs: now(), proof },
      openBody: async () => ({ kind: 'opened' as const, body: start }),
    }
    const recipients = told(taken)
    const notice = await notices.write(subject, recipients, whom(taken, recipients))
    if (notice.kind !== 'written') {
      log.info('success not told', { id: message.id, why: notice.why })
      return
    }
    const outcome = await settleWith(notice, () => queue.hold(notice.held))
    if (outcome.kind !== 'held') notice.giveBack()
    if (outcome.kind === 'held') {
      onHeld(notice.lane)
      log.info('success told', { id: message.id, notice: notice.held.id })
    } else log.warn('success not told', { id: message.id, why: outcome.why })
  }

  return {
    async carried(message, taken) {
      if (message.envelope.sender === null || told(taken).length === 0) return
      if (atOnce >= mostAtOnce) {
        log.info('success not told', { id: message.id, why: 'too many at once' })
        return
      }
      atOnce++
      try {
        const start = await startOf(message.body)
        void write(message, start, taken)
          .catch((error: unknown) => log.error('success not told', { id: message.id, error }))
          .finally(() => atOnce--)
      } catch (error) {
        // A notice that cannot be written must not change what the sender hears (RFC 3461 §5.1).
        atOnce--
        log.error('success not told', { id: message.id, error })
      }
    },
    async drained(message, taken) {
      const recipients = told(taken)
      if (message.envelope.sender === null || recipients.length === 0) return undefined
      // What a backend has taken is written down before anything else: DNS is not waited for.
      if (message.proof.kind === 'undecided' && whom(taken, recipients) === 'proven') return undefined
      const subject = { message, openBody: () => queue.body(message.id) }
      const notice = await notices.write(subject, recipients, whom(taken, recipients))
      if (notice.kind === 'written') return notice.held
      log.info('success not told', { id: message.id, why: notice.why })
      return undefined
    },
  }
}

/** As much of the message as a notice can give back, in memory of its own: the body itself goes with our answer. */
async function startOf(body: Body): Promise<Body> {
  const blocks: Buffer[] = []
  let size = 0
  for await (const block of body.blocks()) {
    blocks.push(Buffer.from(block.subarray(0, mostReturnedOctets + 1 - size)))
    size += blocks.at(-1)?.length ?? 0
    if (size > mostReturnedOctets) break
  }
  return { size, has8bit: body.has8bit, blocks: () => blocks, release() {} }
}
