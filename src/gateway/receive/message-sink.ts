/**
 * A message from DATA to its end: its body is taken in (`incoming-body`), and at the dot it is handed on (`hand-over`), unless it was delivered before and its
 * sender did not hear so (`repeat-memory`). Made by `sender-handler`, driven by the SMTP server.
 */
import type { Body, Message, Recipient } from '../../mail/message.ts'
import { isPositive, type Reply, reply } from '../../mail/reply.ts'
import { receivedLine } from '../../mail/trace.ts'
import type { AbortReason, BodySink } from '../../smtp/server/handler.ts'
import { notHeldReply } from '../hold/hold.ts'
import type { ClientGuesses } from './guesses.ts'
import { handOver } from './hand-over.ts'
import type { BodyProblem } from './incoming-body.ts'
import type { RefusalLog } from './refusal-log.ts'
import { contentHash, envelopeHash } from './repeat-memory.ts'
import type { SenderConnection } from './sender-handler-deps.ts'
import type { SenderTransaction } from './sender-transaction.ts'

export interface MessageSinkDeps {
  /** As it stands in `Received:`. */
  readonly mailDate: (atMs: number) => string
  readonly refusalLog: RefusalLog
  readonly guesses: ClientGuesses
  /** The transaction is over: what the sender says next begins another one. */
  readonly isOver: () => void
}

export class MessageSink implements BodySink {
  readonly #transaction: SenderTransaction
  readonly #connection: SenderConnection
  readonly #deps: MessageSinkDeps

  constructor(transaction: SenderTransaction, connection: SenderConnection, deps: MessageSinkDeps) {
    this.#transaction = transaction
    this.#connection = connection
    this.#deps = deps
  }

  write(chunk: Buffer): void | Promise<void> {
    return this.#transaction.body.write(chunk)
  }

  abort(why: AbortReason): void {
    this.#deps.refusalLog.message(this.#transaction.id, why)
    this.#transaction.abandon()
    this.#transaction.body.release()
    this.#deps.isOver()
  }

  async end(has8bit: boolean): Promise<Reply> {
    const transaction = this.#transaction
    const { body } = transaction
    try {
      if (body.problem) return this.#notTaken(body.problem)
      const message = this.#messageOf(body.finish(has8bit))
      const said = await this.#deliver(message)
      if (isPositive(said)) {
        transaction.unheard = message.body
        this.#deps.guesses.taken(() => acceptedByBackends(transaction))
      }
      return said
    } catch (error) {
      this.#deps.refusalLog.message(transaction.id, 'failed')
      throw error
    } finally {
      this.#deps.isOver()
      if (!transaction.unheard) body.release()
    }
  }

  /** The sender that is gone by now does not know, and will send it again. */
  answerHanded(isHanded: boolean): void {
    const { unheard } = this.#transaction
    if (!unheard) return
    if (isHanded) unheard.release()
    else void this.#remember(unheard)
  }

  async #remember(unheard: Body): Promise<void> {
    const { envelope, accepted } = this.#transaction
    const { repeats, log } = this.#connection.deps
    try {
      repeats.remember(envelopeHash(envelope.sender, accepted.keys()), await contentHash(unheard))
    } catch (error) {
      log.error('message not remembered', { client: this.#connection.peer.address, error })
    } finally {
      unheard.release()
    }
  }

  #notTaken(problem: BodyProblem): Reply {
    const transaction = this.#transaction
    transaction.abandon()
    this.#deps.refusalLog.message(transaction.id, problem === 'full' ? 'no-room' : 'not-written')
    if (problem === 'full') return noRoom
    this.#connection.deps.log.alert('the folder of large messages cannot be written', {
      id: transaction.id,
      error: transaction.body.failure,
    })
    return notHeldReply
  }

  /** A hash is only made where one is remembered that it could be. */
  #deliver(message: Message): Promise<Reply> {
    return this.#connection.deps.repeats.size > 0 ? this.#deliverUnlessRepeated(message) : this.#handOver(message)
  }

  async #deliverUnlessRepeated(message: Message): Promise<Reply> {
    if (!(await this.#wasDelivered(message))) return await this.#handOver(message)
    this.#transaction.abandon()
    return alreadyDelivered
  }

  #handOver(message: Message): Promise<Reply> {
    const { peer, deps } = this.#connection
    return handOver(message, this.#transaction.taken, () => peer.isGone, deps)
  }

  #messageOf(body: Body): Message {
    const { id, client, envelope, accepted } = this.#transaction
    const only = accepted.size === 1 ? accepted.keys().next().value : undefined
    const { hostname } = this.#connection.settings
    const date = this.#deps.mailDate(this.#connection.deps.clock.now())
    const received = receivedLine({ client, hostname, id, onlyRecipient: only, date })
    return { id, client, envelope, trace: Buffer.from(received, 'latin1'), body }
  }

  async #wasDelivered({ body }: Message): Promise<boolean> {
    const { id, envelope, accepted } = this.#transaction
    const { repeats, log, tell, clock } = this.#connection.deps
    const key = envelopeHash(envelope.sender, accepted.keys())
    if (!repeats.knows(key) || !repeats.take(key, await contentHash(body))) return false
    tell?.({ kind: 'message-stopped', atMs: clock.now(), id, why: 'repeated' })
    log.info('delivered before', { id, client: this.#connection.peer.address, size: body.size })
    return true
  }
}

/** Or known, where none could be asked. */
const acceptedByBackends = ({ taken }: SenderTransaction): readonly Recipient[] =>
  taken.flatMap(({ recipients }) => recipients.filter(({ wasKnown }) => wasKnown).map(({ recipient }) => recipient))

/** Also heard at MAIL, where so much is declared. */
export const noRoom = reply(452, '4.3.1', 'No room for messages right now, please try again later')
const alreadyDelivered = reply(250, '2.0.0', 'Delivered already, when it was sent before')
