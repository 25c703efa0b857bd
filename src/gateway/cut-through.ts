/**
 * Cut-through: one sender's transaction, carried to one route while the sender waits (SEMANTICS.md §4–§6).
 *
 *   recipients  → choose a backend → session → MAIL, RCPT → its verdict, or the next backend
 *   the body    → comes in whole; the session serves others if that takes longer than a second
 *   deliver     → the same session, else the same backend, else the next → DATA, dot → its verdict
 *
 * Called by `accept`. Until our dot has left nothing can have been delivered, so going on is free of duplicates; behind it no
 * other backend is asked.
 */
import { Deadline } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Job } from '../delivery/delivery.ts'
import { type DataOutcome, faultText } from '../delivery/outcome.ts'
import type { HostName } from '../dns/name.ts'
import type { Message, Recipient } from '../mail/message.ts'
import { isPermanent, isPositive, type Reply } from '../mail/reply.ts'
import { backendFields, type Endpoint, type Route } from '../routing/backend.ts'
import { type CutThroughDeps, Phase, type Staged, Staging } from './staging.ts'
import * as verdict from './verdict.ts'

export class CutThrough {
  readonly route: Route
  readonly #job: Job
  readonly #domain: HostName | undefined
  readonly #deps: CutThroughDeps
  readonly #log: Log
  readonly #staging: Staging
  #accepted: Recipient[] = []
  /** What the backend said to MAIL, where that was no yes: it holds for every recipient of the transaction. */
  #senderRefusal: Reply | undefined
  /** Armed while a session waits for the sender. */
  readonly #patience: Deadline
  /** How long a session has waited for the sender in this transaction, and since when it does now. */
  #heldMs = 0
  #heldFromMs = 0
  #dotLeft = false

  /** @param domain  of the recipients, for `mx`; undefined for the postmaster's route */
  constructor(route: Route, domain: HostName | undefined, job: Job, deps: CutThroughDeps) {
    this.route = route
    this.#domain = domain
    this.#job = job
    this.#deps = deps
    this.#log = deps.log
    this.#staging = new Staging(route, domain, job, deps)
    this.#patience = new Deadline(deps.clock, () => this.#staging.giveBack())
  }

  /** How many recipients a backend has accepted: those of the message. */
  get acceptedCount(): number {
    return this.#accepted.length
  }

  /** Whether a recipient of this domain goes to the same exchangers: an `mx` route has others for each domain. */
  serves(domain: HostName | undefined): boolean {
    return domain === this.#domain || !looksUpRecipient(this.route)
  }

  /** Asks for recipients; one reply each, in order. Those answered 2yz are part of the message. */
  async recipients(asked: readonly Recipient[]): Promise<readonly Reply[]> {
    const { clock, budgets } = this.#deps
    if (this.#staging.staged) this.#heldMs += clock.monotonicMs() - this.#heldFromMs
    this.#patience.disarm()
    const refusal = this.#senderRefusal
    if (refusal) return asked.map(() => refusal)
    const replies = new Map<Recipient, Reply>()
    const phase = new Phase(clock, budgets)
    let pending = asked
    while (pending.length > 0) {
      const staged = await this.#staging.stage(this.#accepted, phase)
      if ('code' in staged) {
        for (const recipient of pending) replies.set(recipient, staged)
        break
      }
      pending = await this.#ask(staged, pending, phase, replies)
    }
    // That nobody took these recipients says nothing of the next one.
    if (this.#accepted.length === 0) this.#staging.startOver()
    // The session waits for the body, or for another recipient, no longer than a second; then it serves others (SEMANTICS.md §4).
    const { staged } = this.#staging
    if (staged && !this.#staging.isGone) {
      this.#heldFromMs = clock.monotonicMs()
      this.#patience.arm(budgets.sessionIdleInTransactionMs)
      if (this.#isHoldingUp(staged)) this.#staging.giveBack()
    }
    return asked.map((recipient) => replies.get(recipient) ?? verdict.noBackendReply)
  }

  /** Recipients that trickle in keep a session as surely as a slow body does, while others wait for it. */
  #isHoldingUp({ candidate }: Staged): boolean {
    const { delivery, budgets } = this.#deps
    return this.#heldMs > 2 * budgets.sessionIdleInTransactionMs && delivery.sessions(candidate.endpoint).waiting > 0
  }

  /** Hands the message over and brings the verdict. The dot of the sender has just been read. */
  async deliver(message: Message): Promise<Reply> {
    this.#patience.end()
    const startMs = this.#deps.clock.monotonicMs()
    const dotUntilMs = startMs + this.#deps.budgets.dotMs
    const bodyUntilMs = dotUntilMs - this.#deps.budgets.bodyReserveMs
    const { clock, budgets } = this.#deps
    await this.#staging.lineUpAgain(new Phase(clock, budgets))
    for (;;) {
      const staged = await this.#staging.stage(this.#accepted, new Phase(clock, budgets, bodyUntilMs))
      if ('code' in staged) return this.#end(message, staged, undefined, startMs)
      const outcome = await this.#hand(staged, message, bodyUntilMs, dotUntilMs)
      const said = this.#judgeData(staged, outcome)
      if (said) return this.#end(message, said, staged.candidate.endpoint, startMs)
    }
  }

  /** The sender has gone or has changed its mind. What a backend may have already is waited for: its word still counts. */
  abandon(): void {
    this.#patience.end()
    this.#staging.abandon(!this.#dotLeft)
  }

  /** @returns the recipients that are still to be asked for, at another backend or on another session */
  async #ask(
    staged: Staged,
    asked: readonly Recipient[],
    phase: Phase,
    replies: Map<Recipient, Reply>,
  ): Promise<readonly Recipient[]> {
    const { candidate, transaction } = staged
    // A session is not made to refuse more than a server forgives: what goes beyond it is asked for on the next one.
    const now = asked.slice(0, Math.max(1, transaction.refusalsLeft))
    const outcome = await transaction.recipients(now, { mailUntilMs: phase.mailUntilMs, untilMs: phase.rcptUntilMs })
    if (outcome.kind === 'lost') {
      this.#staging.lost(candidate, outcome)
      return asked
    }
    if (outcome.kind === 'mail-refused') {
      this.#staging.leave()
      transaction.abandon()
      const said = this.#staging.judge(outcome.reply, 'mail', candidate)
      if (said.kind === 'next-backend') return asked
      if (said.kind === 'about-us') {
        this.#staging.aboutUs(candidate, outcome.reply)
        return asked
      }
      this.#senderRefusal = said.kind === 'pass' ? said.reply : verdict.noBackendReply
      for (const recipient of asked) replies.set(recipient, this.#senderRefusal)
      return []
    }
    const elsewhere = this.#sort(staged, now, outcome.replies, replies)
    if (transaction.refusalsLeft === 0) this.#staging.giveBack()
    return [...elsewhere, ...asked.slice(now.length)]
  }

  /** Takes each reply to RCPT where it belongs. @returns the recipients that another backend must be asked for */
  #sort(
    staged: Staged,
    asked: readonly Recipient[],
    said: readonly Reply[],
    replies: Map<Recipient, Reply>,
  ): readonly Recipient[] {
    const { candidate, transaction } = staged
    const elsewhere: Recipient[] = []
    let sessionEnds = false
    asked.forEach((recipient, index) => {
      const answer = said[index] ?? verdict.noBackendReply
      const judged = this.#staging.judge(answer, 'rcpt', candidate, recipient)
      if (answer.code === 421) sessionEnds = true
      if (judged.kind === 'accepted') {
        this.#accepted.push(recipient)
        if (recipient.domain) this.#deps.backends.accepted(candidate.endpoint, recipient.domain)
        replies.set(recipient, { ...verdict.ownWords(answer, 'rcpt'), code: 250 })
      } else if (judged.kind === 'pass') replies.set(recipient, judged.reply)
      else if (judged.kind === 'hold') replies.set(recipient, verdict.noBackendReply)
      else {
        if (judged.kind === 'about-us') this.#staging.aboutUs(candidate, answer)
        elsewhere.push(recipient)
      }
    })
    // One message goes to one backend. Where it has accepted some already, the others are not worth moving all of them.
    const stays = this.#accepted.length > 0 && !sessionEnds
    if (stays) {
      for (const recipient of elsewhere) replies.set(recipient, answerAlone(said[asked.indexOf(recipient)]))
      return []
    }
    if (elsewhere.length > 0 || sessionEnds) {
      this.#staging.leave()
      transaction.abandon()
    }
    return elsewhere
  }

  async #hand(staged: Staged, message: Message, bodyUntilMs: number, untilMs: number): Promise<DataOutcome> {
    const { backends } = this.#deps
    const { endpoint } = staged.candidate
    let sentMs: number | undefined
    const onDotLeft = () => {
      this.#dotLeft = true
      sentMs = backends.dotSent(endpoint)
    }
    let isAnswer = false
    try {
      const outcome = await staged.transaction.data(message, { bodyUntilMs, untilMs, onDotLeft })
      isAnswer = outcome.kind === 'answered'
      return outcome
    } finally {
      if (sentMs !== undefined) backends.dotOver(endpoint, sentMs, isAnswer)
    }
  }

  /** @returns the sender's verdict, or undefined where another backend may be asked */
  #judgeData(staged: Staged, outcome: DataOutcome): Reply | undefined {
    this.#staging.leave()
    const { candidate } = staged
    if (outcome.kind === 'lost') {
      this.#staging.lost(candidate, outcome)
      this.#dotLeft = false
      return undefined
    }
    if (outcome.kind === 'unknown') {
      this.#log.alert('outcome unknown', {
        id: this.#job.id,
        ...backendFields(candidate.endpoint),
        why: faultText(outcome.fault),
        waitedMs: Math.round(outcome.waitedMs),
      })
      return verdict.unknownOutcomeReply
    }
    // A Maildir answers for each recipient. One that failed makes the sender come again: a second copy, but none lost.
    const said = outcome.replies.find((each) => !isPositive(each)) ?? outcome.replies[0]
    if (!said) return verdict.unknownOutcomeReply
    const judged = this.#staging.judge(said, outcome.step === 'data' ? 'data' : 'dot', candidate)
    switch (judged.kind) {
      case 'accepted':
        this.#deps.backends.delivered(candidate.endpoint)
        return { ...verdict.ownWords(said, 'dot'), code: 250 }
      case 'pass':
        return judged.reply
      case 'hold':
        return verdict.noBackendReply
      case 'about-us':
        this.#staging.aboutUs(candidate, said)
        break
      case 'next-backend':
        break
    }
    // What answered 4yz at the dot must not deliver it (RFC 5321 §4.2.5), so another one may.
    this.#dotLeft = false
    return undefined
  }

  #end(message: Message, said: Reply, endpoint: Endpoint | undefined, startMs: number): Reply {
    this.#log.info(isPositive(said) ? 'delivered' : isPermanent(said) ? 'refused' : 'deferred', {
      id: message.id,
      client: message.client.address,
      from: message.envelope.sender?.text ?? '',
      to: this.#accepted.map((recipient) => recipient.text),
      size: message.body.size,
      route: this.route.id,
      ...(endpoint && backendFields(endpoint)),
      reply: verdict.safeText(said),
      ms: Math.round(this.#deps.clock.monotonicMs() - startMs),
    })
    return said
  }
}

/** Whether the route asks DNS for the exchangers of the recipient's own domain. */
export const looksUpRecipient = (route: Route): boolean =>
  route.entries.some(({ backend: { address } }) => address.protocol === 'mx' && address.domain === undefined)

/** What one recipient hears where the others of the message stay with this backend: its 4yz as it is, what is about us as ours to mend. */
function answerAlone(said: Reply | undefined): Reply {
  if (!said) return verdict.noBackendReply
  if (isPermanent(said)) return verdict.misconfiguredReply
  return said.code === 421 ? verdict.noBackendReply : verdict.ownWords(said, 'rcpt')
}
