/**
 * What a sender is told, step by step. The SMTP server asks; `connection-places` says who may connect, `recipient-asker` what each recipient hears, and
 * `message-sink` brings the message to its end. What is refused on the way, `refusals` counts and `refusal-log` tells;
 * who may be guessing waits for what it has asked (`guesses`).
 */
import type { Client, Envelope, Recipient } from '../../mail/message.ts'
import { isPositive, isReply, type Reply, reply } from '../../mail/reply.ts'
import { createMailDates } from '../../mail/trace.ts'
import type { BodySink, OnConnect, SessionHandler } from '../../smtp/server/handler.ts'
import type { CutThroughDeps } from '../carry/cut-through-deps.ts'
import type { ClientGuesses } from './guesses.ts'
import { IncomingBody } from './incoming-body.ts'
import { MessageSink, noRoom } from './message-sink.ts'
import type { Placed } from './placing.ts'
import { type Asking, isGuess, RecipientAsker, tooManyWait } from './recipient-asker.ts'
import { RefusalLog } from './refusal-log.ts'
import { Refusals } from './refusals.ts'
import type { SenderConnection, SenderHandlerDeps } from './sender-handler-deps.ts'
import { SenderTransaction } from './sender-transaction.ts'

/** `waypost check` asks for a dozen in a session. */
const ownProbeRecipients = 20

export function createSenderHandlers(deps: SenderHandlerDeps): OnConnect {
  const mailDate = createMailDates()
  return (peer) => {
    const place = deps.places.take(peer)
    if (isReply(place)) return { kind: 'refused', reply: place }
    return { kind: 'handler', handler: new SenderHandler({ peer, place, settings: deps.settings(), deps }, mailDate) }
  }
}

const forSender: Asking = { isOwnProbe: false }

/** The message that a connection is about. */
interface Current {
  readonly transaction: SenderTransaction
  readonly asker: RecipientAsker
}

/** Answers for one connection. */
class SenderHandler implements SessionHandler {
  readonly #connection: SenderConnection
  readonly #mailDate: (atMs: number) => string
  /** Of this client, over all of its connections. */
  readonly #guesses: ClientGuesses
  readonly #refusalLog: RefusalLog
  readonly #refusals: Refusals
  readonly #cutThroughDeps: (asking: Asking) => CutThroughDeps
  readonly etrn: SessionHandler['etrn']
  #current: Current | undefined
  /** Recipients that our owner's own check may still ask for without counting or teaching. */
  #ownProbesLeft = 0
  #isWatched = false

  constructor(connection: SenderConnection, mailDate: (atMs: number) => string) {
    this.#connection = connection
    this.#mailDate = mailDate
    const { deps, peer, place, settings } = connection
    this.#guesses = deps.guesses.join(place.client)
    this.#refusalLog = new RefusalLog(connection)
    this.#refusals = new Refusals(connection, this.#guesses, this.#refusalLog)
    const begun = deps.cutThroughDeps(settings)
    // What a backend says to our owner's own check teaches nothing.
    this.#cutThroughDeps = ({ isOwnProbe }) => (isOwnProbe ? { ...begun, onAnswer: undefined } : begun)
    const { etrn } = deps
    this.etrn = etrn?.isOffered(peer.address) ? (node) => etrn.ask(peer.address, node) : undefined
    deps.log.debug('connected', { client: peer.address, port: peer.port })
  }

  /** From here on it is our owner who looks, for a few recipients: enough for a check, nothing for one who guesses. */
  noop(word: string): void {
    const { deps, peer } = this.#connection
    if (word === '' || !deps.ownProbes.take(word)) return
    this.#ownProbesLeft = ownProbeRecipients
    deps.log.info('own probe', { client: peer.address })
  }

  mail(envelope: Envelope, client: Client): Reply {
    const { deps, peer, place } = this.#connection
    const id = this.#newId()
    // Asked for a recipient, we would ask ourselves for it, and so on until every session is taken.
    if (deps.isOurs(peer)) {
      this.#refusalLog.message(id, 'loop')
      return backToUs
    }
    const body = new IncomingBody(() => deps.spoolPath(id), place.network, deps.bodies)
    if (!body.fits(envelope.declaredSize ?? 0)) {
      this.#refusalLog.message(id, 'no-room')
      return noRoom
    }
    const transaction = new SenderTransaction(id, envelope, client, body)
    const asker = new RecipientAsker(transaction, this.#connection, this.#refusals, this.#cutThroughDeps)
    this.#current = { transaction, asker }
    return senderOk
  }

  tooBig({ sender, declaredSize }: Envelope): void {
    this.#refusalLog.message(this.#newId(), 'too-big', { from: sender?.text ?? '', declaredSize })
  }

  recipientsAtOnce(): number {
    return this.#refusals.roomAtOnce
  }

  async rcpt(asked: readonly Recipient[]): Promise<readonly Reply[]> {
    const current = this.#current
    if (!current) throw new Error('RCPT without MAIL')
    this.#watchPeer()
    if (this.#ownProbesLeft > 0) return this.#askAsOwner(asked, current)
    const { transaction, asker } = current
    const replies: Reply[] = []
    let waitUntilMs: number | undefined
    while (replies.length < asked.length) {
      const at = replies.length
      const placed = asker.place(asked[at] as Recipient, forSender)
      let said: readonly Reply[]
      if (isReply(placed)) said = [placed]
      else if (this.#mustWait(placed)) {
        waitUntilMs ??= this.#nowMs + this.#connection.settings.budgets.rcptMs
        if (await this.#waitForAnswer(current, waitUntilMs)) continue
        said = asked.slice(at).map(() => tooManyWait)
      } else {
        // Nothing is awaited between `mustWait` and `begin`, or all who wait would find the same room; nor between `end` and the count.
        const group = asker.together(placed, asked.slice(at + 1), forSender)
        const count = isGuess(placed) ? group.length : 0
        this.#guesses.begin(placed.route.id, count)
        try {
          said = await asker.ask(group, forSender)
        } finally {
          this.#guesses.end(placed.route.id, count)
        }
      }
      for (const each of said) replies.push(this.#refusals.count(asked[replies.length] as Recipient, each, transaction))
    }
    return replies
  }

  /** Whether it may be a guess, and as many of this client as may be wrong wait for their answers. */
  #mustWait(placed: Placed): boolean {
    return isGuess(placed) && !this.#refusals.hasRoom(placed.route.id)
  }

  /** @returns whether it is to be looked again: something was answered in time, and the sender still wants it */
  async #waitForAnswer(current: Current, untilMs: number): Promise<boolean> {
    await this.#guesses.waitForAnswer(untilMs - this.#nowMs)
    return this.#current === current && !this.#connection.peer.isGone && this.#nowMs < untilMs
  }

  /** One at a time, as a check asks; when they are used up, the session is one like any other. */
  async #askAsOwner(asked: readonly Recipient[], { transaction, asker }: Current): Promise<readonly Reply[]> {
    const replies: Reply[] = []
    for (const recipient of asked) {
      const isOwnProbe = this.#ownProbesLeft > 0
      const asking: Asking = { isOwnProbe }
      const placed = asker.place(recipient, asking)
      const [said] = isReply(placed) ? [placed] : await asker.ask([placed], asking)
      if (!said) throw new Error('a recipient was asked for and no answer came')
      if (isOwnProbe) {
        if (!isPositive(said)) this.#refusalLog.recipient(recipient, said, transaction, { ownProbe: true })
        this.#ownProbesLeft--
      }
      replies.push(isOwnProbe ? said : this.#refusals.count(recipient, said, transaction))
    }
    return replies
  }

  data(): BodySink {
    const transaction = this.#current?.transaction
    if (!transaction || transaction.accepted.size === 0) throw new Error('DATA without a recipient')
    const isOver = () => {
      this.#current = undefined
    }
    const deps = { mailDate: this.#mailDate, refusalLog: this.#refusalLog, guesses: this.#guesses, isOver }
    return new MessageSink(transaction, this.#connection, deps)
  }

  misbehaved(why: string): void {
    this.#refusalLog.session(why)
  }

  commandRefused(said: string): void {
    this.#refusalLog.command(said)
  }

  reset(): void {
    this.#current?.transaction.abandon()
    this.#current?.transaction.body.release()
    this.#current = undefined
  }

  closed(): void {
    this.reset()
    const { deps, peer, place } = this.#connection
    deps.guesses.leave(place.client)
    deps.places.give(place)
    deps.log.debug('disconnected', { client: peer.address, port: peer.port })
  }

  /** What a sender that has gone wanted carried is given up, unless a backend may have it already. */
  #watchPeer(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    this.#connection.peer.whenGone(() => {
      this.#current?.transaction.abandon()
      this.#guesses.wake()
    })
  }

  get #nowMs(): number {
    return this.#connection.deps.clock.monotonicMs()
  }

  #newId(): string {
    const { ids, clock } = this.#connection.deps
    return ids.next(clock.now())
  }
}

const senderOk = reply(250, '2.1.0', 'Sender OK')
// RFC 3463 §3.5: 5.4.6, a routing loop. 521 says to us on the other side that it is about us and not about the message (see `about-us.ts`).
const backToUs = reply(521, '5.4.6', 'The route leads back to this very server')
