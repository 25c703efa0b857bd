/**
 * One transaction over SMTP or LMTP: the steps of `smtp/client` on a session of the pool, told as outcomes, and the session given back in
 * a state that the next one can use. Made by `create.ts`.
 */
import type { Envelope, Message, Recipient } from '../mail/message.ts'
import { isPermanent, isPositive, type Reply, reply, replyText } from '../mail/reply.ts'
import { awaitLate, type DataAnswer, sendData } from '../smtp/client/data.ts'
import { type EnvelopeAnswer, sendEnvelope } from '../smtp/client/envelope.ts'
import type { StepLimits } from '../smtp/client/step-limits.ts'
import type { Job, Transaction } from './delivery.ts'
import type { DataOutcome, Fault, LateAnswer, Lost, RecipientsOutcome } from './outcome.ts'
import type { Pool } from './pool.ts'
import { mostRefused, type PooledSession } from './pooled-session.ts'

export interface SmtpTransactionOptions {
  /** The caller asked for a session that has served nobody, and got one: its end does speak of the backend. */
  readonly fresh: boolean
  /** As that of `DeliveryOptions`. */
  readonly eightBit: (() => 'pass' | 'refuse') | undefined
}

export class SmtpTransaction implements Transaction {
  readonly #pool: Pool
  readonly #pooled: PooledSession
  readonly #job: Job
  readonly #steps: StepLimits
  readonly #options: SmtpTransactionOptions
  readonly localAddress: string | undefined
  readonly owedOnSuccess: 'relayed' | undefined
  #state: 'idle' | 'busy' | 'ended' = 'idle'
  #isMailAccepted = false
  #accepted = 0

  constructor(pool: Pool, pooled: PooledSession, job: Job, steps: StepLimits, options: SmtpTransactionOptions) {
    this.#pool = pool
    this.#pooled = pooled
    this.#job = job
    this.#steps = steps
    this.#options = options
    this.localAddress = pooled.localAddress
    this.owedOnSuccess = pooled.session.extensions.dsn ? undefined : 'relayed' // RFC 3461 §5.2.2 b
  }

  get acceptedCount(): number {
    return this.#accepted
  }

  get refusalsLeft(): number {
    return Math.max(0, mostRefused - this.#pooled.refused)
  }

  askRecipients(
    recipients: readonly Recipient[],
    { mailUntilMs, untilMs, isLast = false }: { mailUntilMs: number; untilMs: number; isLast?: boolean },
  ): Promise<RecipientsOutcome> {
    if (this.#state === 'ended') return Promise.resolve(this.#gone())
    this.#begin()
    const envelope = this.#isMailAccepted ? undefined : withTrace(this.#job.envelope)
    return sendEnvelope(this.#pooled.session, envelope, recipients, {
      steps: this.#steps,
      mailUntilMs,
      untilMs,
      isLast,
    }).then(
      (answer) => this.#asked(answer),
      (error: unknown) => this.#endFor(error),
    )
  }

  #asked(answer: EnvelopeAnswer): RecipientsOutcome {
    if (answer.kind === 'failed') return this.#lose(answer.fault)
    if (answer.kind === 'mail-refused') {
      if (answer.reply.code === 421)
        return this.#closing('mail', answer.reply) ?? { kind: 'mail-refused', reply: answer.reply }
      this.#pooled.refused += answer.refusals + this.#refusedAhead
      this.#giveBack('open')
      return { kind: 'mail-refused', reply: answer.reply }
    }
    if (answer.isClosing) {
      const last = answer.replies.at(-1)
      return (last && this.#closing('rcpt', last)) ?? { kind: 'answered', replies: answer.replies }
    }
    this.#state = 'idle'
    this.#isMailAccepted = true
    this.#accepted += answer.replies.filter(isPositive).length
    this.#pooled.refused += answer.replies.filter(isPermanent).length
    if (this.#accepted === 0) this.#pooled.refused += this.#refusedAhead
    return { kind: 'answered', replies: answer.replies }
  }

  data(
    message: Message,
    { bodyUntilMs, untilMs, onDotLeft }: { bodyUntilMs: number; untilMs: number; onDotLeft?: () => void },
  ): Promise<DataOutcome> {
    if (this.#state === 'ended') return Promise.resolve(this.#gone())
    if (this.#accepted === 0) throw new TypeError('data() without an accepted recipient')
    this.#begin()
    const { session } = this.#pooled
    if (message.body.has8bit && !session.extensions.eightBit && this.#options.eightBit?.() === 'refuse') {
      this.#giveBack('open')
      return Promise.resolve({ kind: 'answered', step: 'data', replies: [no8bitReply] })
    }
    const content = { trace: message.trace, size: message.body.size, blocks: () => message.body.blocks() }
    const replyCount = session.protocol === 'lmtp' ? this.#accepted : 1
    return sendData(session, content, replyCount, { steps: this.#steps, bodyUntilMs, untilMs, onDotLeft }).then(
      (answer) => this.#sent(answer, replyCount),
      (error: unknown) => this.#endFor(error),
    )
  }

  #sent(answer: DataAnswer, replyCount: number): DataOutcome {
    if (answer.kind === 'lost') return this.#lose(answer.fault)
    if (answer.kind === 'unknown') {
      const late = answer.isSilent ? this.#listenOn(replyCount - answer.replies.length) : undefined
      if (!late) this.#lose(answer.fault)
      return { ...answer, late }
    }
    const { step, replies } = answer
    const [first] = replies
    if (step === 'data' && answer.isClosing && first) {
      const lost = this.#closing('data', first)
      if (lost) return lost
    } else if (answer.isClosing) {
      // 421 to the dot: certainly not taken (RFC 5321 §4.2.5), and on a session that has served it says nothing of the backend.
      const lost = first && replies.length === 1 && first.code === 421 ? this.#closing(step, first) : undefined
      if (lost) return lost
      this.#end()
    } else {
      if (step === 'dot') this.#pooled.messages++
      this.#giveBack(step === 'data' ? 'open' : 'done')
    }
    return { kind: 'answered', step, replies }
  }

  /** The session is kept for the word that may still come, if not too many are kept so already. */
  #listenOn(missing: number): LateAnswer | undefined {
    const { session } = this.#pooled
    const end = () => {
      this.#pool.stopListening(end)
      this.#end()
    }
    if (!this.#pool.keepListening(this.#pooled, end)) return undefined
    return {
      wait: (untilMs) => awaitLate(session, missing, untilMs).finally(end),
      letGo: end,
    }
  }

  abandon(): void {
    if (this.#state === 'busy') this.#pooled.session.abandon()
    else if (this.#state === 'idle') this.#giveBack(this.#isMailAccepted ? 'open' : 'untouched')
  }

  /** A bug in a step must not keep its session from the pool for ever. */
  #endFor(error: unknown): never {
    this.#end()
    throw error
  }

  #begin(): void {
    if (this.#state === 'busy') throw new TypeError('a step of this transaction has not ended yet')
    this.#state = 'busy'
  }

  #giveBack(state: 'untouched' | 'open' | 'done'): void {
    this.#state = 'ended'
    this.#pool.give(this.#pooled, state)
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#pool.lose(this.#pooled)
  }

  /** A 421: the session is over. With one that has counted anything it says nothing of the backend. */
  #closing(step: Fault['step'], reply: Reply): Lost | undefined {
    const reused = this.#isReused
    this.#end()
    if (!reused) return undefined
    return {
      kind: 'lost',
      reused,
      fault: { kind: 'closed', step, reply, detail: `the server said ${replyText(reply)}` },
    }
  }

  #lose(fault: Fault): Lost {
    const reused = this.#isReused && fault.kind !== 'abandoned'
    this.#end()
    return { kind: 'lost', fault, reused }
  }

  /** A DATA that went along for nobody is one more command that the server counts as an error. */
  get #refusedAhead(): number {
    return this.#pooled.session.isDataAhead ? 1 : 0
  }

  get #isReused(): boolean {
    return !this.#options.fresh && (this.#pooled.served > 0 || this.#pooled.refused > 0)
  }

  #gone(): Lost {
    const fault: Fault = { kind: 'abandoned', step: 'rcpt', reply: undefined, detail: 'the transaction is over' }
    return { kind: 'lost', fault, reused: false }
  }
}

// RFC 6152 §3: not converted, so it is a permanent error. RFC 3463 §3.7: conversion required but not supported.
const no8bitReply = reply(
  554,
  '5.6.3',
  'The server for this address takes no 8-bit text (8BITMIME), and none is converted here',
)

/** Octets that our trace lines may add to the size that the sender declared. */
const traceMargin = 512

function withTrace(envelope: Envelope): Envelope {
  const { declaredSize } = envelope
  return declaredSize === undefined ? envelope : { ...envelope, declaredSize: declaredSize + traceMargin }
}
