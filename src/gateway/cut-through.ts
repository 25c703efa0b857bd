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
import { type Clock, Deadline, within } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Delivery, Job, Transaction } from '../delivery/delivery.ts'
import type { DataOutcome, Fault, Lost } from '../delivery/outcome.ts'
import type { HostName } from '../dns/name.ts'
import type { Message, Recipient } from '../mail/message.ts'
import { isPermanent, isPositive, type Reply, reply } from '../mail/reply.ts'
import { backendFields, type Endpoint, type Route } from '../routing/backend.ts'
import type { Balancer, Candidate } from '../routing/balance.ts'
import { healthState } from '../routing/health.ts'
import type { WhoWeAre } from './about-us.ts'
import { type Backends, faultText } from './backends.ts'
import type { Endpoints } from './endpoints.ts'
import { beginWithHeadStart } from './head-start.ts'
import { LineUp } from './line-up.ts'
import type { Budgets } from './settings.ts'
import * as verdict from './verdict.ts'

export interface CutThroughDeps {
  readonly clock: Clock
  readonly log: Log
  readonly delivery: Delivery
  readonly backends: Backends
  readonly endpoints: Endpoints
  readonly balancer: (route: Route) => Balancer
  readonly hostname: HostName
  readonly budgets: Budgets
}

/** A backend that has accepted MAIL and all recipients so far. */
interface Staged {
  readonly transaction: Transaction
  readonly candidate: Candidate
}

/** When each phase of finding a backend must be over, on the monotonic clock. */
interface Until {
  readonly readyMs: number
  readonly mailMs: number
  readonly rcptMs: number
}

export class CutThrough {
  readonly route: Route
  readonly #job: Job
  readonly #domain: HostName | undefined
  readonly #deps: CutThroughDeps
  readonly #log: Log
  /** Candidates not tried yet; undefined before the first recipient. */
  #line: LineUp | undefined
  #staged: Staged | undefined
  #accepted: Recipient[] = []
  /** Whose session was given back while the body came in. */
  #givenBack: Candidate | undefined
  /** What the backend said to MAIL, where that was no yes: it holds for every recipient of the transaction. */
  #senderRefusal: Reply | undefined
  /** The next session must be one that has served nobody: the last one's end said nothing of its backend. */
  #fresh = false
  /** Armed while a session waits for the sender. */
  readonly #patience: Deadline
  /** How long a session has waited for the sender in this transaction, and since when it does now. */
  #heldMs = 0
  #heldFromMs = 0
  #gone = false
  #dotLeft = false

  /** @param domain  of the recipients, for `mx`; undefined for the postmaster's route */
  constructor(route: Route, domain: HostName | undefined, job: Job, deps: CutThroughDeps) {
    this.route = route
    this.#domain = domain
    this.#job = job
    this.#deps = deps
    this.#log = deps.log
    this.#patience = new Deadline(deps.clock, () => this.#giveBack())
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
    if (this.#staged) this.#heldMs += clock.monotonicMs() - this.#heldFromMs
    this.#patience.disarm()
    const refusal = this.#senderRefusal
    if (refusal) return asked.map(() => refusal)
    const replies = new Map<Recipient, Reply>()
    const until = this.#until()
    let pending = asked
    while (pending.length > 0) {
      const staged = await this.#stage(until)
      if ('code' in staged) {
        for (const recipient of pending) replies.set(recipient, staged)
        break
      }
      pending = await this.#ask(staged, pending, until, replies)
    }
    // That nobody took these recipients says nothing of the next one.
    if (!this.#staged && this.#accepted.length === 0) this.#line = undefined
    // The session waits for the body, or for another recipient, no longer than a second; then it serves others (SEMANTICS.md §4).
    if (this.#staged && !this.#gone) {
      this.#heldFromMs = clock.monotonicMs()
      this.#patience.arm(budgets.sessionIdleInTransactionMs)
      if (this.#isHoldingUp(this.#staged)) this.#giveBack()
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
    await this.#lineUpAgain()
    for (;;) {
      const staged = await this.#stage(this.#until(bodyUntilMs))
      if ('code' in staged) return this.#end(message, staged, undefined, startMs)
      const outcome = await this.#hand(staged, message, bodyUntilMs, dotUntilMs)
      const said = this.#judgeData(staged, outcome)
      if (said) return this.#end(message, said, staged.candidate.endpoint, startMs)
    }
  }

  /** A body may take minutes: who was down when it began may be up now. The backend that gave its word is asked first. */
  async #lineUpAgain(): Promise<void> {
    const kept = this.#givenBack
    if (!kept || this.#staged) return
    const line = await this.#lineUp(this.#until())
    if ('code' in line) return
    line.putFirst(kept)
    this.#line = line
  }

  /** The sender has gone or has changed its mind. What a backend may have already is waited for: its word still counts. */
  abandon(): void {
    this.#gone = true
    this.#patience.end()
    if (!this.#dotLeft) this.#staged?.transaction.abandon()
  }

  /** @param capMs  no phase lasts longer than this */
  #until(capMs = Number.POSITIVE_INFINITY): Until {
    const { clock, budgets } = this.#deps
    const nowMs = clock.monotonicMs()
    return {
      readyMs: Math.min(capMs, nowMs + budgets.connectMs),
      mailMs: Math.min(capMs, nowMs + budgets.mailMs),
      rcptMs: Math.min(capMs, nowMs + budgets.rcptMs),
    }
  }

  /** A session on which MAIL and all recipients accepted so far stand; or, when nobody is left, what the sender hears. */
  async #stage(until: Until): Promise<Staged | Reply> {
    if (this.#staged) return this.#staged
    const line = this.#line ?? (await this.#lineUp(until))
    if ('code' in line) return line
    this.#line = line
    for (let candidate = line.next(); candidate; candidate = line.next()) {
      if (this.#gone || this.#deps.clock.monotonicMs() >= until.readyMs) break
      const staged = await this.#begin(candidate, line, until)
      if (!staged) continue
      // Known before the replay, so that a sender that goes meanwhile ends it.
      this.#staged = staged
      const isReady = this.#accepted.length === 0 || (await this.#replay(staged, line, until))
      if (isReady && !this.#gone) return staged
      if (isReady) staged.transaction.abandon()
      this.#staged = undefined
    }
    return line.nobodyLeft()
  }

  /** Puts the candidates in line, once a transaction; or what the sender hears where there is none to be had. */
  async #lineUp(until: Until): Promise<LineUp | Reply> {
    const { endpoints, balancer, backends, delivery, clock } = this.#deps
    const expanding = endpoints.expand(this.route, this.#domain)
    const expansion = expanding instanceof Promise ? await within(expanding, until.readyMs, clock) : expanding
    if (!expansion) return verdict.noBackendReply
    // RFC 7505 §4.1: the recipient's domain takes no mail.
    if (expansion.kind === 'null-mx') return reply(556, '5.1.10', 'The domain takes no mail (null MX)')
    if (expansion.kind === 'misconfigured') {
      this.#log.alert('route misconfigured', { id: this.#job.id, route: this.route.id, why: expansion.why })
      return verdict.misconfiguredReply
    }
    const view = {
      nowMs: clock.monotonicMs(),
      health: (endpoint: Endpoint) => backends.health(endpoint),
      busy: (endpoint: Endpoint) => delivery.sessions(endpoint).busy,
    }
    const isCandidate = (endpoint: Endpoint) => {
      const state = healthState(backends.health(endpoint), clock.monotonicMs())
      return state === 'up' || state === 'suspect'
    }
    return new LineUp(balancer(this.route).order(expansion.members, view), isCandidate)
  }

  async #begin(candidate: Candidate, line: LineUp, until: Until): Promise<Staged | undefined> {
    const fresh = this.#fresh
    this.#fresh = false
    const begin = ({ endpoint }: Candidate) => {
      const { delivery, clock, budgets } = this.#deps
      const sessionUntilMs = Math.min(until.readyMs, clock.monotonicMs() + budgets.sessionMs)
      return delivery.begin(endpoint, this.#job, { sessionUntilMs, readyUntilMs: until.readyMs, fresh })
    }
    const started = line.hasSibling(candidate)
      ? await beginWithHeadStart(candidate, () => line.takeSibling(candidate), begin, this.#deps.clock)
      : [{ candidate, begun: await begin(candidate) }]
    for (const each of started) {
      if (each.begun.kind === 'begun') return { transaction: each.begun.transaction, candidate: each.candidate }
      if (each.begun.kind === 'busy') line.noteBusy(each.candidate)
      else this.#notReady(each.candidate, each.begun.fault, line)
    }
    return undefined
  }

  #notReady(candidate: Candidate, fault: Fault, line: LineUp): void {
    this.#log.debug('backend not ready', {
      id: this.#job.id,
      ...backendFields(candidate.endpoint),
      why: faultText(fault),
    })
    // SEMANTICS.md §5: a 5yz to greeting, EHLO or STARTTLS is about us.
    if (fault.reply && isPermanent(fault.reply)) this.#aboutUs(candidate, fault.reply, line)
  }

  /** Says MAIL and the accepted recipients again to another session. @returns whether all were accepted again */
  async #replay(staged: Staged, line: LineUp, until: Until): Promise<boolean> {
    const limits = { mailUntilMs: until.mailMs, untilMs: until.rcptMs }
    const outcome = await staged.transaction.recipients(this.#accepted, limits)
    if (outcome.kind === 'lost') {
      this.#lost(staged.candidate, outcome)
      return false
    }
    const replies = outcome.kind === 'answered' ? outcome.replies : [outcome.reply]
    if (outcome.kind === 'answered' && replies.every(isPositive)) return true
    staged.transaction.abandon()
    const step = outcome.kind === 'answered' ? 'rcpt' : 'mail'
    const verdicts = replies.map((said, index) => this.#judge(said, step, staged.candidate, this.#accepted[index]))
    // A refusal at a replay teaches nothing; it is the sender's only if the backend is of one mind (SEMANTICS.md §5).
    const first = verdicts[0]
    if (verdicts.some((each) => each.kind === 'next-backend')) return false
    if (verdicts.some((each) => each.kind === 'about-us'))
      this.#aboutUs(staged.candidate, replies.find(isPermanent), line)
    else if (first?.kind === 'pass' && isOfOneMind(replies)) line.noteRefusal(first.reply)
    else line.noteDisagreement()
    return false
  }

  /** @returns the recipients that are still to be asked for, at another backend or on another session */
  async #ask(
    staged: Staged,
    asked: readonly Recipient[],
    until: Until,
    replies: Map<Recipient, Reply>,
  ): Promise<readonly Recipient[]> {
    const { candidate, transaction } = staged
    // A session is not made to refuse more than a server forgives: what goes beyond it is asked for on the next one.
    const now = asked.slice(0, Math.max(1, transaction.refusalsLeft))
    const outcome = await transaction.recipients(now, { mailUntilMs: until.mailMs, untilMs: until.rcptMs })
    if (outcome.kind === 'lost') {
      this.#lost(candidate, outcome)
      return asked
    }
    if (outcome.kind === 'mail-refused') {
      this.#staged = undefined
      transaction.abandon()
      const said = this.#judge(outcome.reply, 'mail', candidate)
      if (said.kind === 'next-backend') return asked
      if (said.kind === 'about-us') {
        this.#aboutUs(candidate, outcome.reply)
        return asked
      }
      this.#senderRefusal = said.kind === 'pass' ? said.reply : verdict.noBackendReply
      for (const recipient of asked) replies.set(recipient, this.#senderRefusal)
      return []
    }
    const elsewhere = this.#sort(staged, now, outcome.replies, replies)
    if (transaction.refusalsLeft === 0) this.#giveBack()
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
      const judged = this.#judge(answer, 'rcpt', candidate, recipient)
      if (answer.code === 421) sessionEnds = true
      if (judged.kind === 'accepted') {
        this.#accepted.push(recipient)
        if (recipient.domain) this.#deps.backends.accepted(candidate.endpoint, recipient.domain)
        replies.set(recipient, { ...verdict.ownWords(answer, 'rcpt'), code: 250 })
      } else if (judged.kind === 'pass') replies.set(recipient, judged.reply)
      else if (judged.kind === 'hold') replies.set(recipient, verdict.noBackendReply)
      else {
        if (judged.kind === 'about-us') this.#aboutUs(candidate, answer)
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
      this.#staged = undefined
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
    this.#staged = undefined
    const { candidate } = staged
    if (outcome.kind === 'lost') {
      this.#lost(candidate, outcome)
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
    const judged = this.#judge(said, outcome.step === 'data' ? 'data' : 'dot', candidate)
    switch (judged.kind) {
      case 'accepted':
        this.#deps.backends.delivered(candidate.endpoint)
        return { ...verdict.ownWords(said, 'dot'), code: 250 }
      case 'pass':
        return judged.reply
      case 'hold':
        return verdict.noBackendReply
      case 'about-us':
        this.#aboutUs(candidate, said)
        break
      case 'next-backend':
        break
    }
    // What answered 4yz at the dot must not deliver it (RFC 5321 §4.2.5), so another one may.
    this.#dotLeft = false
    return undefined
  }

  #judge(said: Reply, step: verdict.AskedStep, candidate: Candidate, recipient?: Recipient): verdict.Verdict {
    const judged = verdict.judge(said, step, this.route.onDefer, () => this.#who(candidate, recipient))
    if (judged.kind === 'next-backend') {
      this.#line?.noteUnable()
      this.#log.info('backend cannot take it', {
        id: this.#job.id,
        ...backendFields(candidate.endpoint),
        step,
        reply: verdict.safeText(said),
      })
    }
    return judged
  }

  #who({ endpoint }: Candidate, recipient: Recipient | undefined): WhoWeAre {
    const { backends, hostname } = this.#deps
    const domain = recipient?.domain ?? this.#domain
    return {
      hello: endpoint.backend.options.helo ?? hostname,
      sourceAddress: this.#staged?.transaction.localAddress,
      quoted: [this.#job.envelope.sender?.text, recipient?.text].filter(
        (text) => text !== undefined && text !== '',
      ) as string[],
      hasAcceptedDomain: domain === undefined || backends.hasAccepted(endpoint, domain),
    }
  }

  /** A session ended before anything could be delivered: the same backend once more on a fresh one, else the next. */
  #lost(candidate: Candidate, lost: Lost): void {
    this.#staged = undefined
    this.#dotLeft = false
    this.#log.debug('session lost', {
      id: this.#job.id,
      ...backendFields(candidate.endpoint),
      reused: lost.reused,
      why: faultText(lost.fault),
    })
    if (!lost.reused) return
    this.#fresh = true
    this.#line?.again(candidate)
  }

  #giveBack(): void {
    const staged = this.#staged
    if (!staged) return
    this.#staged = undefined
    staged.transaction.abandon()
    this.#givenBack = staged.candidate
    this.#line?.again(staged.candidate)
  }

  #aboutUs({ endpoint }: Candidate, said: Reply | undefined, line = this.#line): void {
    line?.noteMisconfigured()
    this.#log.alert('backend refuses us', {
      id: this.#job.id,
      ...backendFields(endpoint),
      reply: said && verdict.safeText(said),
    })
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

function isOfOneMind(replies: readonly Reply[]): boolean {
  return replies.every(isPermanent) || replies.every((said) => said.code >= 400 && said.code < 500)
}
