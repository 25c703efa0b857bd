/**
 * Notices to senders (RFC 3461, RFC 3464): who may be told, how many of them, and the notice itself as a message to be held. Whoever settles
 * what it is about hands it to the queue in the same settlement, so that it is neither lost nor sent twice. Called by `after-hold` (refusals),
 * `expiry` (the end, and delays) and `successes` (NOTIFY=SUCCESS).
 */
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import type { Random } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { type DsnRecipient, isOwed } from '../../mail/dsn/report.ts'
import { replyStatus } from '../../mail/dsn/status.ts'
import { writeDsn } from '../../mail/dsn/write.ts'
import type { Body, Recipient } from '../../mail/message.ts'
import type { MessageIds } from '../../mail/trace.ts'
import type { HeldMessage, HeldRecipient, Lane, NewHeld, OpenedBody, SenderProof } from '../../queue/queue.ts'
import type { GatewaySettings } from '../settings.ts'
import { ownMailLane } from '../ways/outbound.ts'
import type { Filed, PolicyOf } from '../ways/ways.ts'
import { createNoticeLimits } from './notice-limits.ts'
import type { SenderProofs } from './sender-proof.ts'

/** What a notice is about. */
export interface Subject {
  readonly message: Pick<HeldMessage, 'id' | 'receivedMs' | 'client' | 'envelope' | 'trace' | 'proof'>
  openBody(): Promise<OpenedBody>
}

export type Notice =
  | {
      readonly kind: 'written'
      readonly held: NewHeld
      readonly lane: Lane
      /** Those that it tells of, as they were given. */
      readonly told: ReadonlySet<Recipient>
      readonly proof: SenderProof
      /** It was not settled: it does not count as one that went out. */
      readonly giveBack: () => void
    }
  /** Nobody may or need be told, in words. */
  | { readonly kind: 'none'; readonly why: string; readonly proof: SenderProof }
  /** DNS does not say whether the sender may be told. */
  | { readonly kind: 'undecided'; readonly why: string; readonly proof: SenderProof }

export interface Notices {
  /** @param toWhom  a sender that is not proven may be anybody: telling it is backscatter, which somebody may still want */
  write(subject: Subject, recipients: readonly DsnRecipient[], toWhom: 'proven' | 'anybody'): Promise<Notice>
}

export interface NoticesDeps {
  readonly clock: Clock
  readonly random: Random
  readonly ids: MessageIds
  readonly proofs: SenderProofs
  readonly settings: () => GatewaySettings
}

/** RFC 5321 §4.5.4.1: four to five days. */
const ownMailMs = 5 * 24 * 60 * 60_000

export function createNotices(deps: NoticesDeps): Notices {
  const { clock, random, ids, proofs, settings } = deps
  const limits = createNoticeLimits(clock)

  /** What was not found out when the message came is asked once more. */
  async function proofOf({ proof, client, envelope }: Subject['message']): Promise<SenderProof> {
    return proof.kind === 'undecided' && client ? await proofs.prove(client, envelope.sender) : proof
  }

  return {
    async write(subject, recipients, toWhom) {
      const { message } = subject
      const { sender } = message.envelope
      const none = (why: string, proof = message.proof): Notice => ({ kind: 'none', why, proof })
      // RFC 3461 §5.2: MUST NOT; whoever is kept for a person is how the postmaster is told.
      if (sender === null) return none('it is from nobody')
      const owed = recipients.filter(({ action, recipient }) => isOwed(action, recipient.notify))
      if (owed.length === 0) return none('the sender did not want to know')
      const lane = ownMailLane(sender, settings())
      if (lane === undefined) return none('there is no way to the sender')
      const proof = toWhom === 'proven' ? await proofOf(message) : message.proof
      if (toWhom === 'proven' && proof.kind === 'undecided') return { kind: 'undecided', why: noAnswer, proof }
      if (toWhom === 'proven' && proof.kind === 'not-proven')
        return none(`the sender is not proven: ${proof.why}`, proof)
      const opened = await subject.openBody()
      if (opened.kind !== 'opened') return none('its content cannot be read', proof)
      try {
        const isFailure = owed.some(({ action }) => action === 'failed')
        const taken = limits.take(sender.text, isFailure)
        if ('full' in taken) return none(taken.full, proof)
        const { giveBack } = taken
        let written: Awaited<ReturnType<typeof compose>>
        try {
          written = await compose(subject.message, opened.body, owed, lane)
        } finally {
          if (!written) giveBack()
        }
        return written ? { ...written, proof, giveBack } : none('nobody is owed a notice', proof)
      } finally {
        opened.body.release()
      }
    },
  }

  async function compose(
    message: Subject['message'],
    body: Body,
    recipients: readonly DsnRecipient[],
    lane: Lane,
  ): Promise<Omit<Extract<Notice, { kind: 'written' }>, 'proof' | 'giveBack'> | undefined> {
    const { hostname, outbound } = settings()
    const nowMs = clock.now()
    const id = ids.next(nowMs)
    const dsn = await writeDsn(
      {
        id,
        atMs: nowMs,
        hostname,
        from: outbound.from,
        envelope: message.envelope,
        client: message.client,
        messageId: message.id,
        arrivedMs: message.receivedMs,
        recipients,
      },
      { trace: message.trace, body },
      random,
    )
    if (!dsn) return undefined
    const held: NewHeld = {
      id,
      receivedMs: nowMs,
      client: undefined,
      envelope: dsn.envelope,
      // RFC 5321 §4.4: who makes a message writes no line of its way.
      trace: Buffer.alloc(0),
      proof: { kind: 'not-proven', why: 'it is ours' },
      expiresMs: nowMs + ownMailMs,
      body: dsn.body,
      recipients: [{ recipient: dsn.to, lane, state: 'ready', wasKnown: false }],
    }
    return { kind: 'written', held, lane, told: new Set(dsn.recipients.map(({ recipient }) => recipient)) }
  }
}

/** Whom a notice about these recipients may go to, by what each one's own domain wants. */
export const toWhom = (recipients: readonly Filed[], policyOf: PolicyOf): 'proven' | 'anybody' =>
  recipients.every((each) => policyOf(each)?.refusedAfterHold === 'dsn') ? 'anybody' : 'proven'

/** Settles what a notice is part of; where that fails, none went out, and the next try may write one. */
export async function settleWith<T>(notice: Notice, settle: () => Promise<T>): Promise<T> {
  try {
    return await settle()
  } catch (error) {
    if (notice.kind === 'written') notice.giveBack()
    throw error
  }
}

const noAnswer = 'the sender could not be proven: no answer from DNS'

/** Of the last attempt, for a notice (RFC 3464 §2.3.3: the last real code, rather than that time ran out). */
export const lastKnown = ({ recipient, lastReply, lastHost, lastAttemptMs }: HeldRecipient) => ({
  recipient,
  status: lastReply && replyStatus(lastReply),
  remote: lastReply && lastHost !== undefined ? { host: hostNamed(lastHost), reply: lastReply } : undefined,
  lastAttemptMs,
})

/** A name or an address, as the queue keeps it. */
const hostNamed = (text: string): HostName | IpAddress => parseIp(text) ?? (text as HostName)
