/**
 * The recipients of one message, from RCPT to what their sender hears: whose each is (`placing`), which go together, whether a backend takes them
 * (`cut-through`), and while none can be asked, whether the hold does. Made by `sender-handler` at MAIL.
 */
import type { IpAddress } from '../../base/ip.ts'
import { isPostmaster } from '../../mail/address.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPositive, isReply, type Reply, reply } from '../../mail/reply.ts'
import type { AskedRoom } from '../../queue/queue.ts'
import type { Answer } from '../carry/carried.ts'
import type { CutThroughDeps } from '../carry/cut-through-deps.ts'
import { isTrusted } from '../settings.ts'
import { fitting, goTogether, type MayHold, type Placed, placeRecipient } from './placing.ts'
import type { Refusals } from './refusals.ts'
import type { SenderConnection } from './sender-handler-deps.ts'
import type { OpenLeg, SenderTransaction } from './sender-transaction.ts'

/** As what recipients are asked for. */
export interface Asking {
  /** By our owner's own check: it is no guess, and takes nobody's share. */
  readonly isOwnProbe: boolean
}

type Counting = Pick<Refusals, 'isGuessing' | 'countStranger'>

export class RecipientAsker {
  readonly #transaction: SenderTransaction
  readonly #connection: SenderConnection
  readonly #refusals: Counting
  readonly #cutThroughDeps: (asking: Asking) => CutThroughDeps

  constructor(
    transaction: SenderTransaction,
    connection: SenderConnection,
    refusals: Counting,
    cutThroughDeps: (asking: Asking) => CutThroughDeps,
  ) {
    this.#transaction = transaction
    this.#connection = connection
    this.#refusals = refusals
    this.#cutThroughDeps = cutThroughDeps
  }

  /** Where a recipient goes in this transaction, or what its sender hears at once. @param others  that are to be asked for together with it */
  place(recipient: Recipient, { isOwnProbe }: Asking, others = 0): Placed | Reply {
    const { accepted, taken } = this.#transaction
    const before = accepted.get(recipient.text)
    if (before) return before
    const placed = placeRecipient(recipient, this.#connection.settings)
    if (isReply(placed)) return placed
    if (!isOwnProbe && isGuess(placed) && this.#refusals.isGuessing) return guessing
    return fitting(placed, taken, this.#holdCheck(others))
  }

  /** The first, and those behind it that can be asked for in one go with it. */
  together(first: Placed, behind: readonly Recipient[], asking: Asking): readonly Placed[] {
    const group = [first]
    for (const recipient of behind) {
      const placed = this.place(recipient, asking, group.length)
      if (isReply(placed) || !goTogether(first, placed, this.#holdCheck(group.length))) break
      if (group.some((other) => other.recipient.text === recipient.text)) break
      group.push(placed)
    }
    return group
  }

  /** Asks a backend for those that go one way; or, where none can be asked, the hold. @returns what the sender hears of each */
  ask(group: readonly Placed[], asking: Asking): Promise<readonly Reply[]> {
    const { place } = this.#connection
    const leg = this.#transaction.legFor(group[0] as Placed, place.client, this.#cutThroughDeps(asking))
    return leg.cut.askRecipients(group.map(({ recipient }) => recipient)).then((answers) => {
      // As they mostly are.
      const areAccepted = answers.every(({ kind }) => kind === 'accepted')
      return areAccepted
        ? group.map((placed, at) => this.#accept(leg, placed, (answers[at] as Answer).reply))
        : this.#hear(leg, group, answers, asking)
    })
  }

  /** A backend takes it. */
  #accept(leg: OpenLeg, { recipient, domain }: Placed, said: Reply): Reply {
    this.#transaction.take(leg, { recipient, domain, wasKnown: true })
    this.#transaction.accepted.set(recipient.text, said)
    return said
  }

  /** What comes of each answer. */
  async #hear(
    leg: OpenLeg,
    group: readonly Placed[],
    answers: readonly Answer[],
    asking: Asking,
  ): Promise<readonly Reply[]> {
    const { peer } = this.#connection
    const replies: Reply[] = []
    for (let at = 0; at < group.length; at++) {
      const [placed, answer] = [group[at] as Placed, answers[at] as Answer]
      if (answer.kind === 'accepted') {
        replies.push(this.#accept(leg, placed, answer.reply))
        continue
      }
      const { recipient } = placed
      const mayBeHeld = answer.kind === 'outage' && !peer.isGone
      let said = mayBeHeld ? await this.#admit(leg, placed, answer.reply, asking) : answer.reply
      if (!isPositive(said) && isPostmaster(recipient) && placed.domain)
        said = await this.#askPostmaster(recipient, asking)
      if (isPositive(said)) this.#transaction.accepted.set(recipient.text, said)
      replies.push(said)
    }
    return replies
  }

  /** RFC 5321 §4.5.1: postmaster is always heard, by us if the backend does not want it. */
  async #askPostmaster(recipient: Recipient, asking: Asking): Promise<Reply> {
    const postmaster = { route: this.#connection.settings.postmaster, domain: undefined, recipient }
    const own = fitting(postmaster, this.#transaction.taken, this.#holdCheck())
    if (isReply(own)) return own
    const [said] = await this.ask([own], asking)
    return said as Reply
  }

  /** Whether the hold takes a recipient that nobody could be asked for. @param outage  what its sender hears where it does not */
  async #admit(leg: OpenLeg, { recipient, domain }: Placed, outage: Reply, { isOwnProbe }: Asking): Promise<Reply> {
    const { deps, place, peer } = this.#connection
    const { holdForSenders } = deps
    // Postmaster has a place of its own where nobody can be asked.
    if (!holdForSenders || !domain || isPostmaster(recipient)) return outage
    const isShared = this.#transaction.taken.some((other) => other !== leg)
    const admission = await holdForSenders.hold.admit(recipient, domain, leg.way, {
      outage,
      client: isOwnProbe ? undefined : place.client,
      address: peer.address,
      room: this.#roomWith(recipient, isShared),
    })
    // Asked again, because others of this client have been answered meanwhile. Who guesses hears the same of everybody, as where a backend could be asked.
    if (!isOwnProbe && this.#refusals.isGuessing) return guessing
    if (admission.kind === 'stranger' && !isOwnProbe) this.#refusals.countStranger(recipient)
    if (admission.kind !== 'admitted') return admission.reply
    leg.cut.include(recipient)
    this.#transaction.take(leg, { recipient, domain, wasKnown: admission.wasKnown })
    return admission.reply
  }

  /** @param others  recipients that are to be asked for together with it */
  #holdCheck(others = 0): MayHold {
    const queue = this.#connection.deps.holdForSenders?.queue
    return (recipient) => queue?.wouldHold(this.#roomWith(recipient, true, others)).kind === 'held'
  }

  /** Whose network may have its share of the hold alone. */
  get #sharer(): IpAddress | undefined {
    const { peer, settings } = this.#connection
    return isTrusted(settings, peer.address) ? undefined : peer.address
  }

  /**
   * What the message would take of the hold with this recipient too: every domain of it must have room, or nobody gets it.
   * @param isShared  whether the recipient could come in a transaction of its own instead
   */
  #roomWith(recipient: Recipient, isShared: boolean, others = 0): AskedRoom {
    const { envelope, accepted, domains: taken } = this.#transaction
    const domains = new Set(taken).add(recipient.domain ?? '')
    // Without SIZE it may be as long as any. A guess that is too small would be found wrong at the dot, at each try, for all of them; one
    // that is too large costs a second transaction, and that only where the room left is less than the longest message.
    const unsaid = isShared || domains.size > 1 ? this.#connection.settings.limits.messageBytes : 0
    const size = envelope.declaredSize || unsaid
    return { size, recipients: accepted.size + others + 1, domains, client: this.#sharer }
  }
}

/** Whether it may be a guess of an address. The postmaster's own route has no domain, and he is nobody's guess. */
export const isGuess = ({ domain, recipient }: Placed): boolean => domain !== undefined && !isPostmaster(recipient)

/** Not a word of refusals: others behind the same address may have asked. */
export const tooManyWait = reply(
  451,
  '4.4.5',
  'Too many recipients from your address wait for an answer of that server, please try again later',
)

const guessing = reply(
  450,
  '4.7.1',
  'Too many refused recipients from your address in the last minute, please try again later',
)
