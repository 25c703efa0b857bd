/**
 * Finding a backend that takes one transaction: candidates in line, a session, MAIL and the recipients accepted so far said again where they
 * were said before (SEMANTICS.md §4, §5 *Replay*). What a reply means on the way is judged here, because it decides who is asked next.
 * `cut-through` asks for a staged session, step by step, and says when one was lost.
 */
import { type Clock, within } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Delivery, Job, Transaction } from '../delivery/delivery.ts'
import { type Fault, faultText, type Lost } from '../delivery/outcome.ts'
import type { HostName } from '../dns/name.ts'
import type { Recipient } from '../mail/message.ts'
import { isPermanent, isPositive, isTransient, type Reply, reply } from '../mail/reply.ts'
import { backendFields, type Endpoint, type Route } from '../routing/backend.ts'
import type { Balancer, Candidate } from '../routing/balance.ts'
import { healthState } from '../routing/health.ts'
import type { AskedStep, WhoWeAre } from './about-us.ts'
import type { Backends } from './backends.ts'
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
export interface Staged {
  readonly transaction: Transaction
  readonly candidate: Candidate
}

/**
 * How long the sender may have to wait for one answer (SEMANTICS.md §5): 25 s for connecting, over all candidates; 50 s for MAIL; 100 s for the
 * recipients. Each budget is spent by its own step alone, so that silence at MAIL leaves time to connect elsewhere.
 */
export class Phase {
  readonly #clock: Clock
  readonly #budgets: Budgets
  readonly #capMs: number
  #askUntilMs: number
  #connectLeftMs: number

  /** @param capMs  no step lasts longer than this, on the monotonic clock */
  constructor(clock: Clock, budgets: Budgets, capMs = Number.POSITIVE_INFINITY) {
    this.#clock = clock
    this.#budgets = budgets
    this.#capMs = capMs
    this.#askUntilMs = clock.monotonicMs() + budgets.rcptMs
    this.#connectLeftMs = budgets.connectMs
  }

  /** Whether there is time to connect to one more. */
  get mayConnect(): boolean {
    const nowMs = this.#clock.monotonicMs()
    return this.#connectLeftMs > 0 && nowMs < this.#capMs && nowMs < this.#askUntilMs
  }

  get connectUntilMs(): number {
    return Math.min(this.#capMs, this.#clock.monotonicMs() + this.#connectLeftMs)
  }

  get mailUntilMs(): number {
    return Math.min(this.rcptUntilMs, this.#clock.monotonicMs() + this.#budgets.mailMs)
  }

  get rcptUntilMs(): number {
    return Math.min(this.#capMs, this.#askUntilMs)
  }

  /** What was spent on connecting since `fromMs` is not spent on asking. */
  connected(fromMs: number): void {
    const spentMs = this.#clock.monotonicMs() - fromMs
    this.#connectLeftMs -= spentMs
    this.#askUntilMs += spentMs
  }
}

export class Staging {
  readonly #route: Route
  readonly #domain: HostName | undefined
  readonly #job: Job
  readonly #deps: CutThroughDeps
  /** Candidates not tried yet; undefined before the first recipient. */
  #line: LineUp | undefined
  #staged: Staged | undefined
  /** Whose session was given back while the sender made us wait. */
  #givenBack: Candidate | undefined
  /** The next session must be one that has served nobody: the last one's end said nothing of its backend. */
  #fresh = false
  #gone = false

  /** @param domain  of the recipients, for `mx`; undefined for the postmaster's route */
  constructor(route: Route, domain: HostName | undefined, job: Job, deps: CutThroughDeps) {
    this.#route = route
    this.#domain = domain
    this.#job = job
    this.#deps = deps
  }

  get staged(): Staged | undefined {
    return this.#staged
  }

  /** A session on which MAIL and all recipients accepted so far stand; or, when nobody is left, what the sender hears. */
  async stage(accepted: readonly Recipient[], phase: Phase): Promise<Staged | Reply> {
    if (this.#staged) return this.#staged
    const line = this.#line ?? (await this.#lineUp(phase))
    if ('code' in line) return line
    this.#line = line
    for (let candidate = line.next(); candidate; candidate = line.next()) {
      if (this.#gone || !phase.mayConnect) break
      const staged = await this.#begin(candidate, line, phase)
      if (!staged) continue
      // Known before the replay, so that a sender that goes meanwhile ends it.
      this.#staged = staged
      const isReady = accepted.length === 0 || (await this.#replay(staged, accepted, line, phase))
      if (isReady && !this.#gone) return staged
      if (isReady) staged.transaction.abandon()
      this.#staged = undefined
    }
    return line.nobodyLeft()
  }

  /** Puts the candidates in line, once a transaction; or what the sender hears where there is none to be had. */
  async #lineUp(phase: Phase): Promise<LineUp | Reply> {
    const { endpoints, balancer, backends, delivery, clock } = this.#deps
    const expanding = endpoints.expand(this.#route, this.#domain)
    const expansion = expanding instanceof Promise ? await within(expanding, phase.connectUntilMs, clock) : expanding
    if (!expansion) return verdict.noBackendReply
    // RFC 7505 §4.1: the recipient's domain takes no mail.
    if (expansion.kind === 'null-mx') return reply(556, '5.1.10', 'The domain takes no mail (null MX)')
    if (expansion.kind === 'misconfigured') {
      this.#deps.log.alert('route misconfigured', { id: this.#job.id, route: this.#route.id, why: expansion.why })
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
    return new LineUp(balancer(this.#route).order(expansion.members, view), isCandidate)
  }

  async #begin(candidate: Candidate, line: LineUp, phase: Phase): Promise<Staged | undefined> {
    const fresh = this.#fresh
    this.#fresh = false
    const begin = ({ endpoint }: Candidate) => {
      const { delivery, clock, budgets } = this.#deps
      const readyUntilMs = phase.connectUntilMs
      const sessionUntilMs = Math.min(readyUntilMs, clock.monotonicMs() + budgets.sessionMs)
      return delivery.begin(endpoint, this.#job, { sessionUntilMs, readyUntilMs, fresh })
    }
    const fromMs = this.#deps.clock.monotonicMs()
    const started = line.hasSibling(candidate)
      ? await beginWithHeadStart(candidate, () => line.takeSibling(candidate), begin, this.#deps.clock)
      : [{ candidate, begun: await begin(candidate) }]
    phase.connected(fromMs)
    for (const each of started) {
      if (each.begun.kind === 'begun') return { transaction: each.begun.transaction, candidate: each.candidate }
      if (each.begun.kind === 'busy') line.noteBusy(each.candidate)
      else this.#notReady(each.candidate, each.begun.fault, line)
    }
    return undefined
  }

  #notReady(candidate: Candidate, fault: Fault, line: LineUp): void {
    this.#deps.log.debug('backend not ready', {
      id: this.#job.id,
      ...backendFields(candidate.endpoint),
      why: faultText(fault),
    })
    // SEMANTICS.md §5: a 5yz to greeting, EHLO or STARTTLS is about us.
    if (fault.reply && isPermanent(fault.reply)) this.aboutUs(candidate, fault.reply, line)
  }

  /** Says MAIL and the accepted recipients again to another session. @returns whether all were accepted again */
  async #replay(staged: Staged, accepted: readonly Recipient[], line: LineUp, phase: Phase): Promise<boolean> {
    const limits = { mailUntilMs: phase.mailUntilMs, untilMs: phase.rcptUntilMs }
    const outcome = await staged.transaction.recipients(accepted, limits)
    if (outcome.kind === 'lost') {
      this.lost(staged.candidate, outcome)
      return false
    }
    const replies = outcome.kind === 'answered' ? outcome.replies : [outcome.reply]
    if (outcome.kind === 'answered' && replies.every(isPositive)) return true
    staged.transaction.abandon()
    const step = outcome.kind === 'answered' ? 'rcpt' : 'mail'
    const verdicts = replies.map((said, index) => this.judge(said, step, staged.candidate, accepted[index]))
    // A refusal at a replay teaches nothing; it is the sender's only if the backend is of one mind (SEMANTICS.md §5).
    const first = verdicts[0]
    if (verdicts.some((each) => each.kind === 'next-backend')) return false
    if (verdicts.some((each) => each.kind === 'about-us'))
      this.aboutUs(staged.candidate, replies.find(isPermanent), line)
    else if (first?.kind === 'pass' && isOfOneMind(replies)) line.noteRefusal(first.reply)
    else line.noteDisagreement()
    return false
  }

  /** What a reply means, and who is asked next because of it. */
  judge(said: Reply, step: AskedStep, candidate: Candidate, recipient?: Recipient): verdict.Verdict {
    const judged = verdict.judge(said, step, this.#route.onDefer, () => this.#who(candidate, recipient))
    if (judged.kind === 'next-backend') {
      this.#line?.noteUnable()
      this.#deps.log.info('backend cannot take it', {
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
  lost(candidate: Candidate, lost: Lost): void {
    this.#staged = undefined
    this.#deps.log.debug('session lost', {
      id: this.#job.id,
      ...backendFields(candidate.endpoint),
      reused: lost.reused,
      why: faultText(lost.fault),
    })
    if (!lost.reused) return
    this.#fresh = true
    this.#line?.again(candidate)
  }

  /** The session serves others from now on; its backend stays the first choice. */
  giveBack(): void {
    const staged = this.#staged
    if (!staged) return
    this.#staged = undefined
    staged.transaction.abandon()
    this.#givenBack = staged.candidate
    this.#line?.again(staged.candidate)
  }

  /** A person must see to it, and the sender is not to blame. */
  aboutUs({ endpoint }: Candidate, said: Reply | undefined, line = this.#line): void {
    line?.noteMisconfigured()
    this.#deps.log.alert('backend refuses us', {
      id: this.#job.id,
      ...backendFields(endpoint),
      reply: said && verdict.safeText(said),
    })
  }

  /** A body may take minutes: who was down when it began may be up now. The backend that gave its word is asked first. */
  async lineUpAgain(phase: Phase): Promise<void> {
    const kept = this.#givenBack
    if (!kept || this.#staged) return
    const line = await this.#lineUp(phase)
    if ('code' in line) return
    line.putFirst(kept)
    this.#line = line
  }

  /** The transaction on the staged session is over, or not worth going on with. */
  leave(): void {
    this.#staged = undefined
  }

  /** Nothing that is at an end for the next recipient: nobody was accepted, so all candidates stand in line again. */
  startOver(): void {
    if (!this.#staged) this.#line = undefined
  }

  /** The sender has gone: a session that is being made is given back, one that is staged is abandoned where `isSafe`. */
  abandon(isSafe: boolean): void {
    this.#gone = true
    if (isSafe) this.#staged?.transaction.abandon()
  }

  get isGone(): boolean {
    return this.#gone
  }
}

function isOfOneMind(replies: readonly Reply[]): boolean {
  return replies.every(isPermanent) || replies.every(isTransient)
}
