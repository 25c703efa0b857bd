/**
 * Cut-through: one transaction, carried to one route.
 *
 *   recipients  → `staging` finds a backend → session → MAIL, RCPT → `judging`: its verdict, or the next backend
 *   the body    → comes in whole; the session serves others if that takes longer than a second
 *   deliver     → the same session, else the same backend, else the next → DATA, dot → `judging`: what became of it (`carried`)
 *
 * Called by `recipient-asker` and `hand-over` while a sender waits, and by `attempt` for what is held; what the outcome means for the one or the other
 * is theirs to say. Until our dot has left nothing can have been delivered, so going on is free of duplicates; behind it no other backend
 * is asked.
 */
import type { Job } from '../../delivery/delivery.ts'
import type { DataOutcome, RecipientsOutcome } from '../../delivery/outcome.ts'
import type { HostName } from '../../dns/name.ts'
import type { Message, Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import { type Endpoint, looksUpRecipient, type Route } from '../../routing/backend.ts'
import type { Dot } from '../../routing/health.ts'
import { blockOctets } from '../../smtp/client/step-limits.ts'
import { type Answer, answerAlone, answerOf, type Carried, othersRefused, outage, takenByNobody } from './carried.ts'
import type { CutThroughDeps } from './cut-through-deps.ts'
import { IdleInTransaction } from './idle-in-transaction.ts'
import { Judging, type Staged, type Trouble } from './judging.ts'
import type { Wait } from './live-first.ts'
import { Phase } from './phase.ts'
import { Staging } from './staging.ts'
import * as verdict from './verdict.ts'

export class CutThrough {
  readonly route: Route
  readonly #job: Job
  readonly #domain: HostName | undefined
  readonly #deps: CutThroughDeps
  readonly #judging: Judging
  readonly #staging: Staging
  #accepted: Recipient[] = []
  /** No backend has accepted these, and the message is for them too. */
  readonly #included: Recipient[] = []
  /** What the backend said to MAIL, where that was no yes: it holds for every recipient of the transaction. */
  #senderRefusal: Answer | undefined
  readonly #idle: IdleInTransaction
  #dotLeft = false
  /** Whom a backend has accepted is learnt at the end, when it is known whether a message was taken for them. */
  #isDelivering = false
  /** What health was told of it, until it is answered or given up. */
  #dot: Dot | undefined

  /** @param domain  of the recipients, for `mx`; undefined for the postmaster's route */
  constructor(route: Route, domain: HostName | undefined, job: Job, deps: CutThroughDeps) {
    this.route = route
    this.#domain = domain
    this.#job = job
    this.#deps = deps
    this.#judging = new Judging(route, domain, job, deps)
    this.#staging = new Staging(route, domain, job, deps, this.#judging)
    this.#idle = new IdleInTransaction(this.#staging, deps)
  }

  /** Whether there was a session for it, ever: more than that nobody could be connected to. */
  get hasReached(): boolean {
    return this.#staging.hasReached
  }

  /** Whether a backend that serves others is none for this one, because it is slow for the network that it came from. */
  get isSlowForSender(): boolean {
    return this.#staging.isSlowForSender
  }

  /** Whether a backend has said no to a step of it: its connection is in order, then. */
  get wasAnswered(): boolean {
    return this.#judging.wasAnswered
  }

  /** What the backends that were asked said, or did, instead of taking it. */
  get troubles(): readonly Trouble[] {
    return this.#judging.troubles
  }

  /** Whether a recipient of this domain goes to the same exchangers: an `mx` route has others for each domain. */
  serves(domain: HostName | undefined): boolean {
    return domain === this.#domain || !looksUpRecipient(this.route)
  }

  /** Asks for recipients; one answer each, in order. Those that were accepted are part of the message. */
  async askRecipients(asked: readonly Recipient[]): Promise<readonly Answer[]> {
    const { clock, budgets } = this.#deps
    const nowMs = clock.monotonicMs()
    // What the sender says next has come: the session waits for it no longer.
    if (this.#staging.staged) this.#idle.endKept(nowMs)
    else this.#idle.end()
    const refusal = this.#senderRefusal
    if (refusal) return asked.map(() => refusal)
    const wait = this.#beginWait(nowMs)
    try {
      const answers = new Map<Recipient, Answer>()
      const phase = new Phase(clock, budgets, nowMs)
      let pending = asked
      while (pending.length > 0) {
        const found = this.#staging.stage(this.#accepted, phase)
        const staged = found instanceof Promise ? await found : found
        if (staged.kind === 'nobody') {
          // What was said of those who are said again says nothing of these, whom nobody was asked for.
          const answer = staged.replies ? othersRefused : answerOf(staged)
          for (const recipient of pending) answers.set(recipient, answer)
          break
        }
        pending = await this.#ask(staged, pending, phase, answers)
      }
      // That nobody took these recipients says nothing of the next one.
      if (this.#accepted.length === 0) this.#staging.startOver()
      this.#layDown()
      return asked.map((recipient) => answers.get(recipient) ?? outage)
    } finally {
      this.#endWait(wait)
    }
  }

  /** The session waits for the body, or for another recipient, no longer than a second; then it serves others. */
  #layDown(): void {
    const { staged } = this.#staging
    if (!staged || this.#staging.isGone) return
    this.#idle.begin()
    if (this.#idle.isTooLong && this.#deps.delivery.sessions(staged.candidate.endpoint).waiting > 0)
      this.#staging.giveBack()
  }

  /**
   * Takes a recipient on whom no backend has accepted: the hold has vouched for it. The next ones are asked for without it: that a backend puts off one
   * says nothing of the others, who may not exist. But no session knows of it, and a yes at the dot would not be a yes to it; so at the dot all of
   * them are said again.
   */
  include(recipient: Recipient): void {
    this.#included.push(recipient)
  }

  /** Another route of the same transaction is asked now: a leg holds no session while it waits for another. */
  giveBack(): void {
    this.#staging.giveBack()
  }

  /**
   * Hands the message over and brings what became of it. The dot of the sender has just been read, or it comes from the hold.
   * @param onDotLeft  called when ours has left for a backend
   */
  async deliver(message: Message, onDotLeft?: () => void): Promise<Carried> {
    const { clock, budgets } = this.#deps
    const asked = this.#accepted.length
    this.#isDelivering = true
    const nowMs = clock.monotonicMs()
    const wait = this.#beginWait(nowMs)
    try {
      this.#idle.end()
      this.#judging.atDot()
      if (this.#included.length > 0) {
        this.#staging.giveBack()
        this.#accepted.push(...this.#included.splice(0))
      }
      const dotUntilMs = nowMs + budgets.dotMs + this.#blocksMs(message)
      const bodyUntilMs = dotUntilMs - budgets.bodyReserveMs
      if (!this.#staging.staged) await this.#staging.lineUpAgain(new Phase(clock, budgets, nowMs))
      for (;;) {
        const found =
          this.#staging.staged ??
          this.#staging.stage(this.#accepted, new Phase(clock, budgets, clock.monotonicMs(), bodyUntilMs))
        const staged = found instanceof Promise ? await found : found
        const carried: Carried | undefined =
          staged.kind === 'nobody'
            ? takenByNobody(staged, this.#accepted)
            : await this.#hand(message, staged, { bodyUntilMs, untilMs: dotUntilMs }, onDotLeft)
        if (!carried) continue
        this.#learn(asked, carried)
        return carried
      }
    } finally {
      this.#endWait(wait)
    }
  }

  /** @returns what became of it, or undefined where another backend may be asked */
  #hand(
    message: Message,
    staged: Staged,
    { bodyUntilMs, untilMs }: { bodyUntilMs: number; untilMs: number },
    onLeft: (() => void) | undefined,
  ): Promise<Carried | undefined> {
    // What it says is taken as said of all: a recipient that it knows nothing of would be lost.
    const { acceptedCount } = staged.transaction
    if (acceptedCount !== this.#accepted.length) {
      this.#staging.drop(staged)
      throw new TypeError(`${acceptedCount} of ${this.#accepted.length} recipients are with the backend`)
    }
    const onDotLeft = () => {
      this.#dotLeaves(staged)
      onLeft?.()
    }
    return staged.transaction.data(message, { bodyUntilMs, untilMs, onDotLeft }).then(
      (outcome) => {
        this.#dotIsOver(staged, outcome.kind === 'answered')
        return this.#judgeData(staged, outcome)
      },
      (error: unknown) => {
        this.#dotIsOver(staged, false)
        throw error
      },
    )
  }

  /** Where nobody waits, each block of a body has its time (RFC 5321 §4.5.3.2.5): a long one that moves is not broken off for its length. */
  #blocksMs({ body }: Message): number {
    return this.#job.isFromHold ? Math.ceil(body.size / blockOctets) * this.#deps.steps.blockMs : 0
  }

  /** @param asked  how many a backend has accepted at RCPT, as the sender said them: the others are the hold's, and have heard at most a replay */
  #learn(asked: number, carried: Carried | undefined): void {
    const { onAnswer } = this.#deps
    if (!onAnswer) return
    const answers = carried && carried.kind !== 'nobody' ? carried.answers : []
    for (let at = 0; at < this.#accepted.length; at++) {
      const recipient = this.#accepted[at] as Recipient
      if (answers[at]?.answer.kind === 'accepted') onAnswer.delivered(recipient)
      else if (at < asked) onAnswer.accepted(recipient, this.#job.client.address)
    }
  }

  /** The sender has gone or has changed its mind. What a backend may have already is waited for: its word still counts. */
  abandon(): void {
    if (!this.#isDelivering) this.#learn(this.#accepted.length, undefined)
    this.#idle.end()
    this.#staging.abandon(!this.#dotLeft)
  }

  /** A sender waits from now on; for a message of the hold nobody does. */
  #beginWait(nowMs: number): Wait | undefined {
    return this.#job.isFromHold ? undefined : this.#deps.live.begin(nowMs)
  }

  #endWait(wait: Wait | undefined): void {
    const { live, clock } = this.#deps
    if (wait) live.end(wait, clock.monotonicMs())
  }

  /** @returns the recipients that are still to be asked for, at another backend or on another session */
  #ask(
    staged: Staged,
    asked: readonly Recipient[],
    phase: Phase,
    answers: Map<Recipient, Answer>,
  ): Promise<readonly Recipient[]> {
    const { transaction } = staged
    // A session is not made to refuse more than a server forgives: what goes beyond it is asked for on the next one.
    const now = asked.slice(0, Math.max(1, transaction.refusalsLeft))
    // What is held is whole: its body follows at once.
    const isLast = this.#job.isFromHold === true && now.length === asked.length
    const limits = phase.limits(isLast)
    return transaction.askRecipients(now, limits).then((outcome) => {
      phase.charge(outcome, limits)
      return this.#judgeRecipients(staged, asked, now, outcome, answers)
    })
  }

  /** @param now  those among the asked that the outcome is of */
  #judgeRecipients(
    staged: Staged,
    asked: readonly Recipient[],
    now: readonly Recipient[],
    outcome: RecipientsOutcome,
    answers: Map<Recipient, Answer>,
  ): readonly Recipient[] {
    const { candidate, transaction } = staged
    if (outcome.kind === 'lost') {
      this.#staging.lost(candidate, outcome)
      return asked
    }
    if (outcome.kind === 'mail-refused') {
      this.#staging.drop(staged)
      const said = this.#judging.judge(outcome.reply, 'mail', staged)
      if (said.kind === 'next-backend') return asked
      if (said.kind === 'about-us') {
        this.#judging.aboutUs(staged, 'mail', outcome.reply)
        return asked
      }
      this.#senderRefusal =
        said.kind === 'pass' ? { kind: 'said', by: 'backend', reply: said.reply, endpoint: candidate.endpoint } : outage
      for (const recipient of asked) answers.set(recipient, this.#senderRefusal)
      return []
    }
    const elsewhere = this.#sort(staged, now, outcome.replies, answers)
    if (transaction.refusalsLeft === 0) this.#staging.giveBack()
    return [...elsewhere, ...asked.slice(now.length)]
  }

  /** Takes each reply to RCPT where it belongs. @returns the recipients that another backend must be asked for */
  #sort(
    staged: Staged,
    asked: readonly Recipient[],
    said: readonly Reply[],
    answers: Map<Recipient, Answer>,
  ): readonly Recipient[] {
    const { endpoint } = staged.candidate
    const elsewhere: { readonly recipient: Recipient; readonly reply: Reply }[] = []
    for (const [index, recipient] of asked.entries()) {
      const reply = said[index]
      if (!reply) throw new TypeError(`${said.length} replies for ${asked.length} recipients`)
      const judged = this.#judging.judge(reply, 'rcpt', staged, recipient)
      if (judged.kind === 'accepted') answers.set(recipient, this.#take(recipient, reply, endpoint))
      else if (judged.kind === 'pass') {
        this.#deps.onAnswer?.refused(recipient, this.route, reply)
        answers.set(recipient, { kind: 'said', by: 'backend', reply: judged.reply, endpoint })
      } else if (judged.kind === 'hold') answers.set(recipient, outage)
      else {
        if (judged.kind === 'about-us') this.#judging.aboutUs(staged, 'rcpt', reply)
        elsewhere.push({ recipient, reply })
      }
    }
    const sessionEnds = said.some(({ code }) => code === 421)
    // One message goes to one backend. Where it has accepted some already, the others are not worth moving all of them.
    if (this.#accepted.length > 0 && !sessionEnds) {
      for (const { recipient, reply } of elsewhere) answers.set(recipient, answerAlone(reply, endpoint))
      return []
    }
    if (elsewhere.length > 0 || sessionEnds) this.#staging.drop(staged)
    return elsewhere.map(({ recipient }) => recipient)
  }

  #take(recipient: Recipient, said: Reply, endpoint: Endpoint): Answer {
    this.#accepted.push(recipient)
    if (recipient.domain) this.#deps.backends.accepted(endpoint, recipient.domain)
    return { kind: 'accepted', reply: { ...verdict.ownWords(said, 'rcpt'), code: 250 } }
  }

  #dotLeaves({ candidate: { endpoint } }: Staged): void {
    this.#dotLeft = true
    this.#dot = this.#deps.backends.dotSent(endpoint, this.#job.client.address)
  }

  #dotIsOver({ candidate: { endpoint } }: Staged, isAnswered: boolean): void {
    if (this.#dot) this.#deps.backends.dotOver(endpoint, this.#dot, isAnswered)
    this.#dot = undefined
  }

  /** @returns what became of it, or undefined where another backend may be asked */
  #judgeData(staged: Staged, outcome: DataOutcome): Carried | undefined {
    this.#staging.forgetStaged()
    let carried: Carried | undefined
    if (outcome.kind === 'lost') this.#staging.lost(staged.candidate, outcome)
    else carried = this.#judging.judgeData(outcome, staged, this.#accepted)
    if (!carried) this.#dotLeft = false
    return carried
  }
}
