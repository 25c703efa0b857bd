/**
 * Finding a backend that takes one transaction: candidates in line, a session, MAIL and the recipients accepted so far said again where they
 * were said before. What a reply means on the way is judged here, because it decides who is asked next.
 * `cut-through` asks for a staged session, step by step, and says when one was lost.
 */
import { Cancel } from '../../base/cancel.ts'
import { within } from '../../base/clock.ts'
import { networkKey } from '../../base/ip.ts'
import type { Fields } from '../../base/log.ts'
import type { Job, Transaction } from '../../delivery/delivery.ts'
import { type Fault, faultText, type Lost, lossText, saidText } from '../../delivery/outcome.ts'
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPermanent, isPositive, loggedReply, type Reply, reply } from '../../mail/reply.ts'
import { backendFields, type Endpoint, type Route } from '../../routing/backend.ts'
import type { Candidate, Member } from '../../routing/balance.ts'
import { healthState, isServing } from '../../routing/health.ts'
import type { Expansion } from '../backends/endpoints.ts'
import type { AskedStep, WhoWeAre } from './about-us.ts'
import type { CutThroughDeps } from './cut-through-deps.ts'
import { beginWithHeadStart, type Started } from './head-start.ts'
import { LineUp, type Nobody, nobodyConfigured, routeIsOut } from './line-up.ts'
import type { Phase } from './phase.ts'
import * as verdict from './verdict.ts'

/** A backend that has accepted MAIL and all recipients so far. */
export interface Staged {
  readonly kind: 'staged'
  readonly transaction: Transaction
  readonly candidate: Candidate
}

/** A backend that was asked, and did not take it: how that ended, as it reads behind its name. */
export interface Trouble {
  readonly endpoint: Endpoint
  readonly what: string
}

/** Kept of one transaction: enough to tell of it. */
const mostTroubles = 8

export class Staging {
  readonly #route: Route
  readonly #domain: HostName | undefined
  readonly #job: Job
  readonly #deps: CutThroughDeps
  /** Candidates not tried yet; undefined before the first recipient. */
  #line: LineUp | undefined
  /** All of the route, whether they may be asked now or not. */
  #members: readonly Member[] = []
  #staged: Staged | undefined
  /** Whose session was given back while the sender made us wait. */
  #givenBack: Candidate | undefined
  #hasReached = false
  #wasAnswered = false
  #isAtDot = false
  readonly #troubles: Trouble[] = []
  /** The next session must be one that has served nobody: the last one's end said nothing of its backend. */
  #fresh = false
  readonly #gone = new Cancel()

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

  /** Whether there was a session for it, ever. */
  get hasReached(): boolean {
    return this.#hasReached
  }

  /** Whether a backend has said no to a step of it, in a session that went on. */
  get wasAnswered(): boolean {
    return this.#wasAnswered
  }

  /** What the backends that were asked said, or did, instead of taking it, in order. */
  get troubles(): readonly Trouble[] {
    return this.#troubles
  }

  /** The message is whole: who is asked from now on is asked to take it, perhaps once more. */
  atDot(): void {
    this.#isAtDot = true
  }

  /** A backend may be asked about one message several times: the log says when this was. */
  get #when(): string {
    if (this.#job.isFromHold) return 'from the hold'
    return this.#isAtDot ? 'at the final dot' : 'while the sender waits'
  }

  #noteTrouble({ endpoint }: Candidate, what: string): void {
    this.#deps.backends.troubled(endpoint, what)
    if (this.#troubles.length < mostTroubles) this.#troubles.push({ endpoint, what })
  }

  /** A session on which MAIL and all recipients accepted so far stand; or, when nobody is left, why. Without waiting where that can be. */
  stage(accepted: readonly Recipient[], phase: Phase): Staged | Nobody | Promise<Staged | Nobody> {
    if (this.#staged) return this.#staged
    const line = this.#line ?? this.#lineUp(phase)
    return line instanceof Promise
      ? line.then((lined) => this.#find(lined, accepted, phase))
      : this.#find(line, accepted, phase)
  }

  #find(
    line: LineUp | Nobody,
    accepted: readonly Recipient[],
    phase: Phase,
  ): Staged | Nobody | Promise<Staged | Nobody> {
    if (!(line instanceof LineUp)) return line
    this.#line = line
    for (;;) {
      const nowMs = this.#deps.clock.monotonicMs()
      const candidate = line.next(nowMs)
      if (!candidate || this.isGone || !phase.mayTryAnother(nowMs)) return this.#nobodyLeft(line)
      const begun = this.#begin(candidate, line, phase, nowMs)
      if (begun instanceof Promise || (begun && accepted.length > 0)) return this.#findOn(begun, line, accepted, phase)
      if (begun) return this.#reached(begun)
    }
  }

  /** From a candidate that must be waited for: to connect, or to hear what was said before. */
  async #findOn(
    beginning: Staged | Promise<Staged | undefined>,
    line: LineUp,
    accepted: readonly Recipient[],
    phase: Phase,
  ): Promise<Staged | Nobody> {
    const begun = await beginning
    if (begun) {
      // Known before the replay, so that a sender that goes meanwhile ends it.
      const staged = this.#reached(begun)
      const isReady = accepted.length === 0 || (await this.#replay(staged, accepted, phase))
      if (isReady) line.noteAccepted()
      if (isReady && !this.isGone) return staged
      if (isReady) staged.transaction.abandon()
      this.#staged = undefined
    }
    return this.#find(line, accepted, phase)
  }

  #reached(staged: Staged): Staged {
    this.#staged = staged
    this.#hasReached = true
    return staged
  }

  /** A route that is out because a backend does not want us is ours to mend, also while nobody asks that backend. */
  #nobodyLeft(line: LineUp): Nobody {
    const nobody = line.nobodyLeft()
    if (nobody.why !== 'out' || this.isGone) return nobody
    const { backends, clock } = this.#deps
    const refusing = this.#members.find(({ endpoint }) => {
      const health = backends.health(endpoint)
      return health.isRefusingUs && healthState(health, clock.monotonicMs()) === 'down'
    })
    if (!refusing) return nobody
    const reply = backends.health(refusing.endpoint).lastFault
    this.#tell('alert', 'backend refuses us', refusing.endpoint, 'session', { reply })
    return nobodyConfigured
  }

  /** Puts the candidates in line, once a transaction; or why there is none to be had. */
  #lineUp(phase: Phase): LineUp | Nobody | Promise<LineUp | Nobody> {
    const { endpoints, clock } = this.#deps
    const expansion = endpoints.expand(this.#route, this.#domain)
    if (!(expansion instanceof Promise)) return this.#order(expansion)
    return within(expansion, phase.connectUntilMs(clock.monotonicMs()), clock, this.#gone).then((found) =>
      found ? this.#order(found) : routeIsOut,
    )
  }

  #order(expansion: Expansion): LineUp | Nobody {
    const { balancer, backends, delivery, clock } = this.#deps
    // RFC 7505 §4.1: the recipient's domain takes no mail.
    if (expansion.kind === 'null-mx') return { kind: 'nobody', why: 'refused', reply: nullMx }
    if (expansion.kind === 'misconfigured') {
      const fields = { id: this.#job.id, route: this.#route.id, why: expansion.why }
      this.#deps.sparingly.tell('alert', 'route misconfigured', this.#route.id, fields)
      return nobodyConfigured
    }
    this.#members = expansion.members
    const network = networkKey(this.#job.client.address)
    const view = {
      nowMs: clock.monotonicMs(),
      network,
      health: (endpoint: Endpoint) => backends.health(endpoint),
      busy: (endpoint: Endpoint) => delivery.sessions(endpoint).busy,
    }
    const isCandidate = (endpoint: Endpoint, nowMs: number) =>
      isServing(healthState(backends.health(endpoint), nowMs, network))
    return new LineUp(balancer(this.#route).order(expansion.members, view), isCandidate)
  }

  /** Without waiting where the candidate has an idle session. */
  #begin(
    candidate: Candidate,
    line: LineUp,
    phase: Phase,
    fromMs: number,
  ): Staged | undefined | Promise<Staged | undefined> {
    const { delivery, clock, budgets, steps } = this.#deps
    const fresh = this.#fresh
    this.#fresh = false
    const begin = ({ endpoint }: Candidate, nowMs: number) => {
      const readyUntilMs = phase.connectUntilMs(nowMs)
      const sessionUntilMs = Math.min(readyUntilMs, nowMs + budgets.sessionMs)
      return delivery.begin(endpoint, this.#job, { sessionUntilMs, readyUntilMs, steps, fresh, cancel: this.#gone })
    }
    const beginning = begin(candidate, fromMs)
    if (!(beginning instanceof Promise)) return this.#began([{ candidate, begun: beginning }])
    const starting = line.hasSibling(candidate, fromMs)
      ? beginWithHeadStart(
          candidate,
          () => line.takeSibling(candidate, clock.monotonicMs()),
          async (each) => (each === candidate ? beginning : begin(each, clock.monotonicMs())),
          clock,
        )
      : beginning.then((begun) => [{ candidate, begun }])
    return starting.then((started) => {
      phase.connected(fromMs)
      return this.#began(started)
    })
  }

  #began(started: readonly Started[]): Staged | undefined {
    for (const each of started) {
      if (each.begun.kind === 'begun')
        return { kind: 'staged', transaction: each.begun.transaction, candidate: each.candidate }
      if (each.begun.kind === 'busy') this.#line?.noteBusy(each.candidate)
      else this.#notReady(each.candidate, each.begun.fault)
    }
    return undefined
  }

  #notReady(candidate: Candidate, fault: Fault): void {
    this.#deps.log.debug('backend not ready', {
      id: this.#job.id,
      ...backendFields(candidate.endpoint),
      why: faultText(fault),
    })
    // A 5yz to greeting, EHLO or STARTTLS is about us: no message has been spoken of yet.
    if (fault.reply && isPermanent(fault.reply)) this.aboutUs(candidate, 'session', fault.reply)
  }

  /** Says MAIL and the accepted recipients again to another session. @returns whether all were accepted again */
  async #replay(staged: Staged, accepted: readonly Recipient[], phase: Phase): Promise<boolean> {
    const limits = phase.limits()
    const outcome = await staged.transaction.askRecipients(accepted, limits)
    phase.charge(outcome, limits)
    if (outcome.kind === 'lost') {
      this.lost(staged.candidate, outcome)
      return false
    }
    const replies = outcome.kind === 'answered' ? outcome.replies : [outcome.reply]
    if (outcome.kind === 'answered' && replies.every(isPositive)) return true
    staged.transaction.abandon()
    const step = outcome.kind === 'answered' ? 'rcpt' : 'mail'
    const verdicts = replies.map((said, index) => this.judge(said, step, staged.candidate, accepted[index]))
    // A refusal at a replay teaches nothing; it is the sender's only if the backend is of one mind.
    const first = verdicts[0]
    if (verdicts.some((each) => each.kind === 'next-backend')) return false
    if (verdicts.some((each) => each.kind === 'about-us'))
      this.aboutUs(staged.candidate, step, replies.find(isPermanent))
    else if (first?.kind === 'pass' && verdict.isOfOneMind(replies))
      this.#line?.noteRefusal(verdicts.map((each) => (each.kind === 'pass' ? each.reply : first.reply)))
    else this.#line?.noteDisagreement()
    return false
  }

  /** What a reply means, and who is asked next because of it. */
  judge(said: Reply, step: AskedStep, candidate: Candidate, recipient?: Recipient): verdict.Verdict {
    let judged = verdict.judge(said, step, this.#route.onDefer, () => this.#who(candidate, recipient))
    // A stranger owes us nothing: its no to mail of our own is the last word, and nothing of ours to mend.
    if (judged.kind === 'about-us' && candidate.endpoint.purpose === 'dsn')
      judged = { kind: 'pass', reply: verdict.ownWords(said, step) }
    // RFC 5321 §3.8: a 421 is the end of the session, whatever it was an answer to.
    if (judged.kind !== 'accepted' && said.code !== 421) this.#wasAnswered = true
    if (judged.kind === 'next-backend') {
      this.#line?.noteUnable(candidate.endpoint.target.kind === 'maildir' ? said : undefined)
      this.#tell('info', 'backend cannot take it', candidate.endpoint, step, { reply: loggedReply(said) })
      this.#noteTrouble(candidate, saidText(step, said))
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
    const why = lossText(lost.fault)
    const { endpoint } = candidate
    if (!lost.reused) {
      if (lost.fault.kind === 'abandoned') return
      this.#tell('info', 'backend session lost', endpoint, lost.fault.step, { why })
      this.#noteTrouble(candidate, why)
      return
    }
    this.#deps.log.debug('used session lost', { id: this.#job.id, ...backendFields(endpoint), why })
    this.#fresh = true
    this.#line?.again(candidate)
  }

  /** Whoever it waits for has taken too long (`WaitingPlaces`). */
  ranOut(): void {
    this.giveBack()
  }

  /** The session serves others from now on; its backend stays the first choice. */
  giveBack(): void {
    const staged = this.#staged
    if (!staged) return
    this.drop(staged)
    this.#givenBack = staged.candidate
    this.#line?.again(staged.candidate)
  }

  /** A person must see to it, and the sender is not to blame. */
  aboutUs({ endpoint }: Candidate, step: AskedStep | 'session', said: Reply | undefined): void {
    this.#line?.noteMisconfigured()
    const level = endpoint.purpose === 'dsn' ? 'info' : 'alert'
    this.#tell(level, 'backend refuses us', endpoint, step, { reply: said && loggedReply(said) })
  }

  /** @param step  at which it was said; `session`: before any message was spoken of */
  #tell(
    level: 'info' | 'alert',
    event: string,
    endpoint: Endpoint,
    step: Fault['step'] | 'session',
    what: Fields,
  ): void {
    const { log, sparingly } = this.#deps
    const fields = { id: this.#job.id, ...backendFields(endpoint), step, ...what, when: this.#when }
    // Mail of our own goes to strangers, each another one, and there is little of it.
    if (endpoint.purpose === 'dsn') log[level](event, fields)
    else {
      // What a person must mend is the same whenever it is met.
      const about = `${endpoint.backend.url} ${step}`
      sparingly.tell(level, event, level === 'alert' ? about : `${about} ${this.#when}`, fields)
    }
  }

  /** A body may take minutes: who was down when it began may be up now. The backend that gave its word is asked first. */
  async lineUpAgain(phase: Phase): Promise<void> {
    const line = await this.#lineUp(phase)
    if (!(line instanceof LineUp)) return
    if (this.#givenBack) line.putFirst(this.#givenBack)
    this.#line = line
  }

  /** The transaction on the staged session is over. */
  forgetStaged(): void {
    this.#staged = undefined
  }

  /** It is not worth going on with: its session serves others. */
  drop({ transaction }: Staged): void {
    this.#staged = undefined
    transaction.abandon()
  }

  /** Nothing that is at an end for the next recipient: nobody was accepted, so all candidates stand in line again. */
  startOver(): void {
    if (!this.#staged) this.#line = undefined
  }

  /** The sender has gone: nobody waits for a session any more, and one that is staged is abandoned where `isSafe`. */
  abandon(isSafe: boolean): void {
    this.#gone.cancel()
    if (isSafe) this.#staged?.transaction.abandon()
  }

  get isGone(): boolean {
    return this.#gone.isCancelled
  }
}

const nullMx = reply(556, '5.1.10', 'The domain takes no mail (null MX)')
