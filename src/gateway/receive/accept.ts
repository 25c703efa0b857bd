/**
 * What a sender is told, step by step, before and around the carrying. The SMTP server asks; `connection-places` says who may connect, `placing`
 * whose mail we take, `cut-through` does the carrying, `hold` says who is taken while no backend can be asked, and `hand-over` brings the message to
 * its end.
 */
import type { Clock } from '../../base/clock.ts'
import type { RateCounter } from '../../base/limits.ts'
import type { Fields, Log } from '../../base/log.ts'
import { isPostmaster } from '../../mail/address.ts'
import type { Body, Client, Envelope, Message, Recipient } from '../../mail/message.ts'
import { isPermanent, isPositive, type Reply, reply } from '../../mail/reply.ts'
import { createMailDates, type MessageIds, receivedLine } from '../../mail/trace.ts'
import type { AskedRoom } from '../../queue/queue.ts'
import { declaredDomain } from '../../routing/destinations.ts'
import type { BodySink, OnConnect, Peer, SessionHandler } from '../../smtp/server/handler.ts'
import type { Answer } from '../carry/cut-through.ts'
import type { CutThroughDeps } from '../carry/cut-through-deps.ts'
import { safeText } from '../carry/verdict.ts'
import type { MessageStop, Tell } from '../events.ts'
import { handOver, type Keeping } from '../hold/hand-over.ts'
import type { GatewaySettings } from '../settings.ts'
import { type BodyBudgets, IncomingBody } from './body.ts'
import type { ConnectionPlaces, Place } from './connection-places.ts'
import type { Etrn } from './etrn.ts'
import type { OwnProbes } from './own-probes.ts'
import { fitting, goTogether, type MayHold, type Placed, placeRecipient } from './placing.ts'
import { contentHash, envelopeHash, type RepeatMemory } from './repeat-memory.ts'
import { type OpenLeg, SenderTransaction } from './sender-transaction.ts'
import type { ToldRefusals } from './told-refusals.ts'

export interface AcceptDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly ids: MessageIds
  /** The settings now; a session keeps the ones that it began with. */
  readonly settings: () => GatewaySettings
  readonly carrying: (settings: GatewaySettings) => CutThroughDeps
  readonly places: ConnectionPlaces
  readonly refusals: RateCounter
  readonly told: ToldRefusals
  /** Whether it is ourselves that have connected: a route leads back to us. */
  readonly isOurs: (peer: Peer) => boolean
  readonly repeats: RepeatMemory
  readonly bodies: BodyBudgets
  /** Where the file of a large body goes. */
  readonly spoolPath: (id: string) => string
  /** Undefined: nothing is held. */
  readonly keeping: Keeping | undefined
  readonly ownProbes: Pick<OwnProbes, 'take'>
  /** Undefined: nothing is held, so nobody can ask for it. */
  readonly etrn: Etrn | undefined
}

interface ReceiverDeps extends AcceptDeps {
  readonly mailDate: (atMs: number) => string
}

/** `waypost check` asks for a dozen in a session. */
const ownProbeRecipients = 20
/** Recipients that may be refused in one group: a backend counts them against us as errors. */
const refusalsAtOnce = 5

export function createAccept(accept: AcceptDeps): OnConnect {
  const deps: ReceiverDeps = { ...accept, mailDate: createMailDates() }
  return (peer) => {
    const place = deps.places.take(peer)
    if ('code' in place) return { kind: 'refused', reply: place }
    return { kind: 'handler', handler: new Receiver(peer, place, deps.settings(), deps) }
  }
}

/** Answers for one connection. */
class Receiver implements SessionHandler {
  readonly #peer: Peer
  readonly #place: Place
  readonly #settings: GatewaySettings
  readonly #deps: ReceiverDeps
  #carrying: CutThroughDeps
  readonly etrn: SessionHandler['etrn']
  #transaction: SenderTransaction | undefined
  #refused = 0
  /** Recipients that our owner's own check may still ask for without counting or teaching. */
  #freeAsked = 0
  #isWatched = false

  constructor(peer: Peer, place: Place, settings: GatewaySettings, deps: ReceiverDeps) {
    this.#peer = peer
    this.#place = place
    this.#settings = settings
    this.#deps = deps
    this.#carrying = deps.carrying(settings)
    const { etrn } = deps
    this.etrn = etrn?.isOffered(peer.address) ? (node) => etrn.ask(peer.address, node) : undefined
    deps.log.debug('connected', { client: peer.address, port: peer.port })
  }

  /** From here on it is our owner who looks, for a few recipients: enough for a check, nothing for one who guesses. */
  noop(word: string): void {
    if (word === '' || !this.#deps.ownProbes.take(word)) return
    this.#freeAsked = ownProbeRecipients
    this.#carrying = { ...this.#carrying, onAnswer: undefined }
    this.#deps.log.info('own probe', { client: this.#peer.address })
  }

  mail(envelope: Envelope, client: Client): Reply {
    // Asked for a recipient, we would ask ourselves for it, and so on until every session is taken.
    const id = this.#deps.ids.next(this.#deps.clock.now())
    if (this.#deps.isOurs(this.#peer)) {
      this.#stopped(id, 'loop')
      return backToUs
    }
    const body = new IncomingBody(this.#deps.spoolPath(id), this.#place.network, this.#deps.bodies)
    if (!body.fits(envelope.declaredSize ?? 0)) {
      this.#stopped(id, 'no-room')
      return noRoom
    }
    this.#transaction = new SenderTransaction(id, envelope, client, body)
    return senderOk
  }

  /** Nothing that could be a guess of an address is asked for in bulk. */
  recipientsAtOnce(): number {
    return Math.max(1, refusalsAtOnce - this.#refused)
  }

  async recipients(asked: readonly Recipient[]): Promise<readonly Reply[]> {
    if (this.#freeAsked > 0) return this.#askFreely(asked)
    const replies: Reply[] = []
    for (let at = 0; at < asked.length; ) {
      const recipient = asked[at] as Recipient
      const placed = this.#placeFor(recipient)
      if ('code' in placed) {
        replies.push(this.#count(recipient, placed))
        at++
        continue
      }
      // Those that go the same way are asked for together.
      const group = [placed]
      for (const other of asked.slice(at + 1)) {
        const next = this.#placedWith(other, group)
        if (!next) break
        group.push(next)
      }
      const said = await this.#ask(group)
      for (const each of said) replies.push(this.#count(asked[at++] as Recipient, each))
    }
    return replies
  }

  /** One at a time, as a check asks; when they are used up, the session is one like any other. */
  async #askFreely(asked: readonly Recipient[]): Promise<readonly Reply[]> {
    const replies: Reply[] = []
    for (const recipient of asked) {
      const isFree = this.#freeAsked > 0
      const placed = this.#placeFor(recipient)
      const said = 'code' in placed ? placed : ((await this.#ask([placed]))[0] ?? noSender)
      if (isFree && !isPositive(said)) this.#tell(recipient, said)
      replies.push(isFree ? said : this.#count(recipient, said))
      if (isFree && --this.#freeAsked === 0) this.#carrying = this.#deps.carrying(this.#settings)
    }
    return replies
  }

  data(): BodySink | Reply {
    const transaction = this.#transaction
    if (!transaction || transaction.accepted.size === 0) return noRecipients
    const { body } = transaction
    return {
      write: (chunk) => body.write(chunk),
      end: (has8bit) => this.#deliver(transaction, has8bit),
      told: (isHanded) => void this.#told(transaction, isHanded),
      abort: (why) => {
        this.#stopped(transaction.id, why)
        body.release()
        this.reset()
      },
    }
  }

  misbehaved(why: string): void {
    this.#deps.told.tell(this.#place.client, 'smtp session refused', { client: this.#peer.address, why })
  }

  tooBig({ sender, declaredSize }: Envelope): void {
    const id = this.#deps.ids.next(this.#deps.clock.now())
    this.#stopped(id, 'too-big', { from: sender?.text ?? '', declaredSize })
  }

  commandRefused(reply: string): void {
    this.#deps.told.tell(this.#place.client, 'smtp command refused', { client: this.#peer.address, reply })
  }

  reset(): void {
    this.#transaction?.abandon()
    this.#transaction?.body.release()
    this.#transaction = undefined
  }

  closed(): void {
    this.reset()
    const { places, log } = this.#deps
    places.give(this.#place)
    log.debug('disconnected', { client: this.#peer.address, port: this.#peer.port })
  }

  /** Where a recipient goes in this transaction, or what its sender hears at once. */
  #placeFor(recipient: Recipient, others = 0): Placed | Reply {
    const transaction = this.#transaction
    if (!transaction) return noSender
    const before = transaction.accepted.get(recipient.text)
    if (before) return before
    const placed = placeRecipient(recipient, this.#settings)
    if ('code' in placed) return placed
    // The postmaster's own route has no domain, and is nobody's guess.
    const isGuess = placed.domain !== undefined && !isPostmaster(recipient) && this.#freeAsked === 0
    if (isGuess && this.#isGuessing()) return guessing
    return fitting(placed, transaction.taken, this.#mayHold(transaction, others))
  }

  /** @param others  recipients that are to be asked for together with it */
  #mayHold(transaction: SenderTransaction, others = 0): MayHold {
    const queue = this.#deps.keeping?.queue
    return (recipient) => queue?.wouldHold(this.#roomWith(transaction, recipient, true, others)).kind === 'held'
  }

  /**
   * What the message would take of the hold with this recipient too: every domain of it must have room, or nobody gets it.
   * @param isShared  whether the recipient could come in a transaction of its own instead
   */
  #roomWith(transaction: SenderTransaction, recipient: Recipient, isShared: boolean, others = 0): AskedRoom {
    const { envelope, accepted } = transaction
    const domains = new Set(transaction.domains).add(recipient.domain ?? '')
    // Without SIZE it may be as long as any. A guess that is too small would be found wrong at the dot, at each try, for all of them; one
    // that is too large costs a second transaction, and that only where the room left is less than the longest message.
    const unsaid = isShared || domains.size > 1 ? this.#settings.limits.messageBytes : 0
    return { size: envelope.declaredSize || unsaid, recipients: accepted.size + others + 1, domains }
  }

  /** Where a recipient goes, if it can be asked for with this group. */
  #placedWith(recipient: Recipient, group: readonly Placed[]): Placed | undefined {
    const placed = this.#placeFor(recipient, group.length)
    if (!this.#transaction || 'code' in placed) return undefined
    if (!goTogether(group[0] as Placed, placed, this.#mayHold(this.#transaction, group.length))) return undefined
    return group.some((other) => other.recipient.text === recipient.text) ? undefined : placed
  }

  /** Asks a backend for those that go one way; or, where none can be asked, the hold. */
  async #ask(group: readonly Placed[]): Promise<readonly Reply[]> {
    const transaction = this.#transaction as SenderTransaction
    this.#watchPeer()
    const leg = transaction.legFor(group[0] as Placed, this.#place.client, this.#carrying)
    const answers = await leg.cut.recipients(group.map(({ recipient }) => recipient))
    const replies: Reply[] = []
    for (let at = 0; at < group.length; at++) {
      const [placed, answer] = [group[at] as Placed, answers[at] as Answer]
      const { recipient } = placed
      if (answer.kind === 'accepted') transaction.take(leg, { recipient, domain: placed.domain, wasKnown: true })
      const mayBeHeld = answer.kind === 'outage' && !this.#peer.isGone
      let said = mayBeHeld ? await this.#admit(transaction, leg, placed, answer.reply) : answer.reply
      if (!isPositive(said) && isPostmaster(recipient) && placed.domain) said = await this.#askPostmaster(recipient)
      if (isPositive(said)) transaction.accepted.set(recipient.text, said)
      replies.push(said)
    }
    return replies
  }

  /** RFC 5321 §4.5.1: postmaster is always heard, by us if the backend does not want it. */
  async #askPostmaster(recipient: Recipient): Promise<Reply> {
    const postmaster = { route: this.#settings.postmaster, domain: undefined, recipient }
    const transaction = this.#transaction
    if (!transaction) return noSender
    const own = fitting(postmaster, transaction.taken, this.#mayHold(transaction))
    if ('code' in own) return own
    const [said] = await this.#ask([own])
    return said ?? noSender
  }

  async #admit(
    transaction: SenderTransaction,
    leg: OpenLeg,
    { recipient, domain }: Placed,
    outage: Reply,
  ): Promise<Reply> {
    const { keeping } = this.#deps
    // Postmaster has a place of its own where nobody can be asked.
    if (!keeping || !domain || isPostmaster(recipient)) return outage
    const client = this.#freeAsked > 0 ? undefined : this.#place.client
    const isShared = transaction.taken.some((other) => other !== leg)
    const room = this.#roomWith(transaction, recipient, isShared)
    const admission = await keeping.hold.admit(recipient, domain, leg.way, {
      outage,
      client,
      address: this.#peer.address,
      room,
    })
    if (admission.kind === 'said') return admission.reply
    leg.cut.include(recipient)
    transaction.take(leg, { recipient, domain, wasKnown: admission.wasKnown })
    return admission.reply
  }

  /** What a sender that has gone wanted carried is given up, unless a backend may have it already. */
  #watchPeer(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    this.#peer.whenGone(() => this.#transaction?.abandon())
  }

  /** A refused recipient counts, by connection and by client; whoever collects them is guessing. */
  #count(recipient: Recipient, said: Reply): Reply {
    if (isPositive(said)) return said
    this.#deps.tell?.({
      kind: isPermanent(said) ? 'recipient-refused' : 'recipient-deferred',
      atMs: this.#deps.clock.now(),
      domain: declaredDomain(this.#settings.destinations, recipient),
      code: said.code,
    })
    this.#tell(recipient, said)
    if (!isPermanent(said) || this.#isOurPostmaster(recipient)) return said
    this.#refused++
    this.#deps.refusals.count(this.#place.client)
    return this.#refused >= this.#settings.limits.refusedPerConnection ? tooManyRefused : said
  }

  /** RFC 5321 §4.5.1 asks for the postmaster of the domains that we serve; anybody else's is a name like any other. */
  #isOurPostmaster(recipient: Recipient): boolean {
    if (!isPostmaster(recipient)) return false
    const { kind } = this.#settings.destinations.find(recipient)
    return kind === 'postmaster' || kind === 'route'
  }

  #tell(recipient: Recipient, said: Reply): void {
    this.#deps.told.tell(this.#place.client, isPermanent(said) ? 'recipient refused' : 'recipient deferred', {
      id: this.#transaction?.id,
      client: this.#peer.address,
      from: this.#transaction?.envelope.sender?.text ?? '',
      to: recipient.text,
      reply: safeText(said),
      ...(this.#freeAsked > 0 ? { ownProbe: true } : {}),
    })
  }

  /** A message that goes no further than here. */
  #stopped(id: string, why: Exclude<MessageStop, 'repeated'>, fields: Fields = {}): void {
    this.#deps.tell?.({ kind: 'message-stopped', atMs: this.#deps.clock.now(), id, why })
    this.#deps.told.tell(this.#place.client, 'message refused', { id, client: this.#peer.address, why, ...fields })
  }

  #isGuessing(): boolean {
    return this.#deps.refusals.recent(this.#place.client) >= this.#settings.limits.refusedPerMinute
  }

  async #deliver(transaction: SenderTransaction, has8bit: boolean): Promise<Reply> {
    const { body } = transaction
    try {
      if (body.problem) {
        transaction.abandon()
        this.#stopped(transaction.id, body.problem === 'full' ? 'no-room' : 'not-written')
        if (body.problem === 'full') return noRoom
        this.#deps.log.alert('the folder of large messages cannot be written', {
          id: transaction.id,
          error: body.failure,
        })
        return notWritten
      }
      const message = this.#messageOf(transaction, body.finish(has8bit))
      const isRepeated = this.#deps.repeats.size > 0 && (await this.#wasDelivered(transaction, message))
      if (isRepeated) transaction.abandon()
      const said = isRepeated
        ? alreadyDelivered
        : await handOver(message, transaction.taken, () => this.#peer.isGone, this.#deps)
      if (isPositive(said)) transaction.untold = message.body
      return said
    } catch (error) {
      this.#stopped(transaction.id, 'failed')
      throw error
    } finally {
      this.#transaction = undefined
      if (!transaction.untold) body.release()
    }
  }

  /** The sender that is gone by now does not know, and will send it again. */
  async #told({ envelope, accepted, untold }: SenderTransaction, isHanded: boolean): Promise<void> {
    if (!untold) return
    try {
      if (!isHanded)
        this.#deps.repeats.remember(envelopeHash(envelope.sender, accepted.keys()), await contentHash(untold))
    } catch (error) {
      this.#deps.log.error('message not remembered', { client: this.#peer.address, error })
    } finally {
      untold.release()
    }
  }

  #messageOf({ id, client, envelope, accepted }: SenderTransaction, body: Body): Message {
    const only = accepted.size === 1 ? accepted.keys().next().value : undefined
    const { hostname } = this.#settings
    const { clock, mailDate } = this.#deps
    const date = mailDate(clock.now())
    const received = receivedLine({ client, hostname, id, onlyRecipient: only, date })
    return { id, client, envelope, trace: Buffer.from(received, 'latin1'), body }
  }

  /** A hash is only made where one is remembered that it could be. */
  async #wasDelivered({ id, envelope, accepted }: SenderTransaction, { body }: Message): Promise<boolean> {
    const { repeats, log, tell, clock } = this.#deps
    const key = envelopeHash(envelope.sender, accepted.keys())
    if (!repeats.knows(key) || !repeats.take(key, await contentHash(body))) return false
    tell?.({ kind: 'message-stopped', atMs: clock.now(), id, why: 'repeated' })
    log.info('delivered before', { id, client: this.#peer.address, size: body.size })
    return true
  }
}

const alreadyDelivered = reply(250, '2.0.0', 'Delivered already, when it was sent before')
const senderOk = reply(250, '2.1.0', 'Sender OK')
// RFC 3463 §3.5: 5.4.6, a routing loop. 521 says to us on the other side that it is about us and not about the message (see `about-us.ts`).
const backToUs = reply(521, '5.4.6', 'The route leads back to this very server')
const noSender = reply(503, '5.5.1', 'MAIL comes first')
const noRecipients = reply(554, '5.5.1', 'No valid recipients')
const noRoom = reply(452, '4.3.1', 'No room for messages right now, please try again later')
const notWritten = reply(451, '4.3.0', 'The message could not be written down here, please try again later')
const tooManyRefused = reply(421, '4.7.0', 'Too many refused recipients, closing')
const guessing = reply(
  450,
  '4.7.1',
  'Too many refused recipients from your address in the last minute, please try again later',
)
