/**
 * Tells senders who asked for it (NOTIFY=SUCCESS) that a backend has taken their message, where that one notifies nobody itself (RFC 3461
 * §5.2.2, §5.2.3). To proven senders, within the limits of all notices: whoever forges an address could have us write to it otherwise. Called by
 * `hand-over` for what was carried through, by `settle-attempt` and `late-watch` for what was held.
 */
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import { type DsnRecipient, isOwed } from '../../mail/dsn/report.ts'
import { mostReturnedOctets } from '../../mail/dsn/returned.ts'
import { replyStatus } from '../../mail/dsn/status.ts'
import type { Body, Message, Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import type { HeldEntry, HeldMessage, Lane, NewHeld, Queue, SenderProof, SettledRecipient } from '../../queue/queue.ts'
import type { Endpoint } from '../../routing/backend.ts'
import type { Way } from '../ways/lanes.ts'
import type { PolicyOf } from '../ways/ways.ts'
import { remoteOf } from './after-hold.ts'
import { type Notices, settleWith, toWhom } from './notices.ts'

/** What a backend has taken for recipients, and what is owed for it. */
export interface Success {
  readonly way: Way
  readonly endpoint: Endpoint
  readonly owed: 'relayed' | 'delivered'
  readonly recipients: readonly { readonly recipient: Recipient; readonly reply: Reply }[]
}

export interface Successes {
  /** Of a message whose sender waits. Resolves when the message is not needed any more; the notice is written behind our answer. */
  carried(message: Message, success: Success): Promise<void>
  /**
   * Of a message in the hold. Never rejects: a notice that cannot be written must not keep us from writing down that the message is with its backend.
   * @param settled  what is to be written down of its recipients
   * @returns the notice, to be held with that settlement
   */
  drained(
    held: HeldEntry,
    settled: readonly SettledRecipient[],
    by: Pick<Success, 'way'> & { readonly [Key in 'endpoint' | 'owed']: Success[Key] | undefined },
  ): Promise<NewHeld | undefined>
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
  const told = (success: Success) => toldOf(success, hostname(), now)

  /** By those that are told of, each as its own domain wants: what shares a route, and so a lane, need not share that. */
  const whom = ({ way: { lane } }: Success, told: readonly DsnRecipient[]) =>
    toWhom(
      told.map(({ recipient }) => ({ recipient, lane })),
      policyOf,
    )

  async function write(message: Message, start: Body, success: Success): Promise<void> {
    const proof = known(message) ?? { kind: 'undecided' }
    const subject = {
      message: { ...message, receivedMs: now(), proof },
      openBody: async () => ({ kind: 'opened' as const, body: start }),
    }
    const recipients = told(success)
    const notice = await notices.write(subject, recipients, whom(success, recipients))
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

  async function noticeOf(message: HeldMessage, success: Success): Promise<NewHeld | undefined> {
    const recipients = told(success)
    if (message.envelope.sender === null || recipients.length === 0) return undefined
    // What a backend has taken is written down before anything else: DNS is not waited for.
    if (message.proof.kind === 'undecided' && whom(success, recipients) === 'proven') return undefined
    const subject = { message, openBody: () => queue.body(message.id) }
    const notice = await notices.write(subject, recipients, whom(success, recipients))
    if (notice.kind === 'written') return notice.held
    log.info('success not told', { id: message.id, why: notice.why })
    return undefined
  }

  return {
    async carried(message, success) {
      if (message.envelope.sender === null || told(success).length === 0) return
      if (atOnce >= mostAtOnce) {
        log.info('success not told', { id: message.id, why: 'too many at once' })
        return
      }
      atOnce++
      try {
        const start = await startOf(message.body)
        void write(message, start, success)
          .catch((error: unknown) => log.error('success not told', { id: message.id, error }))
          .finally(() => atOnce--)
      } catch (error) {
        // A notice that cannot be written must not change what the sender hears (RFC 3461 §5.1).
        atOnce--
        log.error('success not told', { id: message.id, error })
      }
    },
    async drained({ message, recipients }, settled, { way, endpoint, owed }) {
      if (!endpoint || !owed) return undefined
      try {
        return await noticeOf(message, { way, endpoint, owed, recipients: takenOf(recipients, settled) })
      } catch (error) {
        log.error('success not told', { id: message.id, error })
        return undefined
      }
    },
  }
}

/** What the notice says of each, if it wants to hear of it. */
function toldOf(
  { endpoint, owed, recipients }: Success,
  hostname: HostName,
  now: () => number,
): readonly DsnRecipient[] {
  const host = remoteOf(endpoint, hostname)
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

/** Those that are gone, by what a backend has said. */
const takenOf = (recipients: HeldEntry['recipients'], settled: readonly SettledRecipient[]): Success['recipients'] =>
  recipients.flatMap(({ index, recipient }) => {
    // Most want to hear nothing.
    if (recipient.notify === undefined) return []
    const { to, reply } = settled.find((each) => each.index === index) ?? {}
    return to?.kind === 'gone' && reply ? [{ recipient, reply }] : []
  })

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
