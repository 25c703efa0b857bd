/**
 * The hold, as a transaction meets it: whether a recipient's mail is taken while no backend can be asked, and keeping a message durably before
 * its sender hears 250. Called by `recipient-asker` at RCPT and by `hand-over` at the dot; `drain` is how it leaves again.
 */
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, networkKey } from '../../base/ip.ts'
import type { RateCounter } from '../../base/limits.ts'
import type { Fields } from '../../base/log.ts'
import type { Message, Recipient } from '../../mail/message.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { KnownRecipients } from '../../queue/known-recipients.ts'
import type { AskedRoom, HoldOutcome, Lane, NewHeld, Queue } from '../../queue/queue.ts'
import type { MailDomain } from '../../routing/destinations.ts'
import { heardAlerts } from '../events.ts'
import type { HeldProofs } from '../notices/held-proofs.ts'
import type { SenderProofs } from '../notices/sender-proof.ts'
import type { ToldSparingly } from '../told-sparingly.ts'
import type { Way } from '../ways/lanes.ts'
import { createUnsaidSizes } from './unsaid-sizes.ts'

export interface HoldDeps {
  readonly clock: Clock
  readonly sparingly: ToldSparingly
  readonly queue: Queue
  readonly known: KnownRecipients
  /** Recipients that nobody knows and that were taken all the same, by client, within the last minute. */
  readonly takenUnknown: RateCounter
  /** Whether the configuration trusts whoever sends from there (`trusted:`). */
  readonly isTrusted: (address: IpAddress) => boolean
  /** Whether senders are who they say, as far as that is known at once; what is not, is found out behind our 250. */
  readonly senders: Pick<SenderProofs, 'known'> & Pick<HeldProofs, 'held'>
  /** The lane of a recipient as the configuration is now: a session may be older. Undefined where it has none any more. */
  readonly laneOf: (recipient: Recipient, lane: Lane) => Lane | undefined
  /** Something is held for a lane: the drain looks when its route can take it. */
  readonly onHeld: (lane: Lane) => void
  /** The configuration has changed between the filing and the disk: everything is to be filed anew. */
  readonly onMisfiled: () => void
}

export type AdmitAnswer =
  | { readonly kind: 'admitted'; readonly wasKnown: boolean; readonly reply: Reply }
  | { readonly kind: 'said'; readonly reply: Reply }
  /** Nobody here knows it, and it is not taken for that: whoever hears so of many is told who is known. */
  | { readonly kind: 'stranger'; readonly reply: Reply }

/** A recipient of a message that is to be kept, and how it is to begin. */
export interface ToKeep {
  readonly recipient: Recipient
  readonly way: Way
  readonly wasKnown: boolean
  readonly begins: Pick<
    NewHeld['recipients'][number],
    'state' | 'notBeforeMs' | 'backend' | 'elsewhereMs' | 'lastReply'
  >
}

export type KeepOutcome =
  | { readonly kind: 'kept' }
  /** What the sender hears. */
  | { readonly kind: 'not-kept'; readonly reply: Reply }

export interface AskedAdmission {
  /** What the sender hears where it is not taken. */
  readonly outage: Reply
  /** What the sender's address counts as; undefined: it is not counted. */
  readonly client: string | undefined
  readonly address: IpAddress
  /** What the message would take, with this recipient. */
  readonly room: AskedRoom
}

export interface Hold {
  /** No backend can be asked about this recipient: is its mail taken? */
  admit(recipient: Recipient, domain: MailDomain, way: Way, asked: AskedAdmission): Promise<AdmitAnswer>
  /** Keeps a message for these recipients. When it says so, it is on stable storage. */
  keep(message: Message, recipients: readonly ToKeep[]): Promise<KeepOutcome>
}

/** RFC 5321 §3.3 lets a recipient that cannot be checked be taken; whoever tries many of them is guessing. */
const unknownPerMinute = 20

export function createHold(deps: HoldDeps): Hold {
  const { clock, sparingly, queue, known, takenUnknown, isTrusted, senders, laneOf, onHeld, onMisfiled } = deps
  const unsaidSizes = createUnsaidSizes()

  async function isKnown(recipient: Recipient, domain: MailDomain, way: Way): Promise<true | 'unknown' | Reply> {
    // The configuration says who exists; a backend need not have.
    if (domain.recipients !== 'ask') return true
    const knowledge = await known.ask(recipient, way.lane)
    if (knowledge.kind === 'accepted') return true
    if (knowledge.kind === 'refused') return reply(knowledge.code, '5.1.1', knowledge.text || 'No such recipient here')
    return 'unknown'
  }

  function tellNotHeld({ why }: NotHeld, client: IpAddress, fields: Fields): void {
    const whose =
      why === 'network' ? { network: networkKey(client), remedy: 'a relay of your own stands in trusted:' } : {}
    sparingly.tell('alert', heardAlerts.messageNotHeld, `${why} ${fields.domain ?? ''}`, { ...fields, why, ...whose })
  }

  return {
    async admit(recipient, domain, way, { outage, client, address, room }) {
      if (way.policy.holdMs === 0) return { kind: 'said', reply: outage }
      const knows = await isKnown(recipient, domain, way)
      if (typeof knows === 'object') return { kind: 'said', reply: knows }
      if (knows !== true && way.policy.unknownRecipients === 'defer') return { kind: 'stranger', reply: outage }
      // Said of this recipient: the others of the transaction would hear of it at the dot, each time that they come with it.
      const size = room.size || unsaidSizes.expected(address, recipient.domain)
      const outcome = queue.wouldHold({ ...room, size })
      if (outcome.kind !== 'held') {
        tellNotHeld(outcome, address, { domain: recipient.domain, size })
        return { kind: 'said', reply: whyNotHeld(outcome) }
      }
      if (knows === true) return { kind: 'admitted', wasKnown: true, reply: willBeHeld }
      if (client !== undefined && takenUnknown.recent(client) >= unknownPerMinute)
        return { kind: 'stranger', reply: tooManyStrangers }
      if (client !== undefined) takenUnknown.count(client)
      return { kind: 'admitted', wasKnown: false, reply: willBeHeld }
    },

    async keep(message, recipients) {
      const nowMs = clock.now()
      const longestMs = Math.max(...recipients.map(({ way }) => way.policy.holdMs))
      const newly: NewHeld = {
        id: message.id,
        receivedMs: nowMs,
        client: message.client,
        isTrusted: isTrusted(message.client.address),
        envelope: message.envelope,
        trace: message.trace,
        // Looked up behind our 250 where it must be: a slow DNS is no reason to let a sender wait.
        proof: senders.known(message.client, message.envelope.sender) ?? { kind: 'undecided' },
        expiresMs: nowMs + longestMs,
        body: message.body,
        recipients: recipients.map(({ recipient, way, wasKnown, begins }) => ({
          recipient,
          lane: laneOf(recipient, way.lane) ?? way.lane,
          wasKnown,
          ...(way.policy.holdMs < longestMs ? { expiresMs: nowMs + way.policy.holdMs } : {}),
          ...begins,
        })),
      }
      const outcome = await queue.hold(newly)
      if (outcome.kind === 'held') {
        for (const { lane, state } of newly.recipients) if (state !== 'offered') onHeld(lane)
        if (newly.recipients.some(({ recipient, lane }) => laneOf(recipient, lane) !== lane)) onMisfiled()
        senders.held(newly)
        return { kind: 'kept' }
      }
      const { id, client, body, envelope } = message
      if (outcome.kind === 'full' && !envelope.declaredSize)
        for (const { recipient } of recipients) unsaidSizes.note(client.address, recipient.domain, body.size)
      tellNotHeld(outcome, client.address, { id, client: client.address, size: body.size })
      return { kind: 'not-kept', reply: whyNotHeld(outcome) }
    },
  }
}

type NotHeld = Exclude<HoldOutcome, { kind: 'held' }>

const whyNotHeld = ({ kind }: NotHeld): Reply => (kind === 'full' ? holdIsFull : notHeldReply)

const willBeHeld = reply(250, '2.1.5', 'Recipient OK, its server is away and the message will be kept for it')
const tooManyStrangers = reply(450, '4.7.1', 'Too many recipients that nobody here knows, please try again later')
const holdIsFull = reply(452, '4.3.1', 'No room to keep messages right now, please try again later')

/** The disk does not take it: it stays the sender's. */
export const notHeldReply = reply(451, '4.3.0', 'The message could not be written down here, please try again later')
