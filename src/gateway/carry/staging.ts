/**
 * Finding a backend that takes one transaction: candidates in line, a session, MAIL and the recipients accepted so far said again where they
 * were said before. What a reply means for who is asked next, `judging` says. `cut-through` asks for a staged session, step by step, and says when
 * one was lost.
 */
import { Cancel } from '../../base/cancel.ts'
import { within } from '../../base/clock.ts'
import { networkKey } from '../../base/ip.ts'
import type { Job } from '../../delivery/delivery.ts'
import type { Lost } from '../../delivery/outcome.ts'
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPositive, reply } from '../../mail/reply.ts'
import type { Endpoint, Route } from '../../routing/backend.ts'
import type { Candidate, Member } from '../../routing/balance.ts'
import { healthState, isServing, slowNetwork } from '../../routing/health.ts'
import type { Expansion } from '../backends/endpoints.ts'
import type { CutThroughDeps } from './cut-through-deps.ts'
import { beginWithHeadStart, type Started } from './head-start.ts'
import type { Judging, Staged } from './judging.ts'
import { LineUp, type Nobody, nobodyConfigured, routeIsOut } from './line-up.ts'
import type { Phase } from './phase.ts'

export class Staging {
  readonly #route: Route
  readonly #domain: HostName | undefined
  readonly #job: Job
  readonly #deps: CutThroughDeps
  readonly #judging: Judging
  /** Candidates not tried yet; undefined before the first recipient. */
  #line: LineUp | undefined
  /** The balance has counted this transaction as a message, and does so once. */
  #hasHadTurn = false
  /** All of the route, whether they may be asked now or not. */
  #members: readonly Member[] = []
  #staged: Staged | undefined
  /** Whose session was given back while the sender made us wait. */
  #givenBack: Candidate | undefined
  #hasReached = false
  /** The next session must be one that has served nobody: the last one's end said nothing of its backend. */
  #fresh = false
  readonly #gone = new Cancel()

  /** @param domain  of the recipients, for `mx`; undefined for the postmaster's route */
  constructor(route: Route, domain: HostName | undefined, job: Job, deps: CutThroughDeps, judging: Judging) {
    this.#route = route
    this.#domain = domain
    this.#job = job
    this.#deps = deps
    this.#judging = judging
  }

  get staged(): Staged | undefined {
    return this.#staged
  }

  /** Whether there was a session for it, ever. */
  get hasReached(): boolean {
    return this.#hasReached
  }

  /** Whether a member of the route serves others, and is no candidate here because it is slow for the network of the client. */
  get isSlowForSender(): boolean {
    const { backends, clock } = this.#deps
    const [network, nowMs] = [networkKey(this.#job.client.address), clock.monotonicMs()]
    return this.#members.some(({ endpoint }) => slowNetwork(backends.health(endpoint), nowMs) === network)
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

  #nobodyLeft(line: LineUp): Nobody {
    const nobody = line.nobodyLeft()
    if (nobody.why !== 'out' || this.isGone) return nobody
    return this.#judging.isOutForUs(this.#members) ? nobodyConfigured : nobody
  }

  /** Puts the candidates in line; or why there is none to be had. */
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
      const { why, remedy } = expansion
      const domain = this.#domain
      const fields = { id: this.#job.id, route: this.#route.id, domain, why, remedy }
      // Many domains share the route of `mx`, and each has an MX of its own.
      this.#deps.sparingly.tell('alert', 'route misconfigured', `${this.#route.id} ${domain ?? ''}`, fields)
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
    const candidates = balancer(this.#route).order(expansion.members, view, this.#hasHadTurn)
    if (candidates.length > 0) this.#hasHadTurn = true
    return new LineUp(candidates, isCandidate)
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
    if (!(beginning instanceof Promise)) return this.#began([{ candidate, begun: beginning }], line)
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
      return this.#began(started, line)
    })
  }

  #began(started: readonly Started[], line: LineUp): Staged | undefined {
    for (const { candidate, begun } of started) {
      if (begun.kind === 'begun') return { kind: 'staged', transaction: begun.transaction, candidate, line }
      if (begun.kind === 'busy') line.noteBusy(candidate)
      else this.#judging.notReady({ candidate, line }, begun.fault)
    }
    return undefined
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
    if (outcome.kind === 'answered' && outcome.replies.every(isPositive)) return true
    staged.transaction.abandon()
    this.#judging.judgeReplay(outcome, staged, accepted)
    return false
  }

  /** A session ended before anything could be delivered: the same backend once more on a fresh one, else the next. */
  lost(candidate: Candidate, lost: Lost): void {
    this.#staged = undefined
    this.#judging.lost(candidate, lost)
    if (!lost.reused) return
    this.#fresh = true
    this.#line?.again(candidate)
  }

  /** The session serves others from now on; its backend stays the first choice. Also where its sender has taken too long (`WaitingPlaces`). */
  giveBack(): void {
    const staged = this.#staged
    if (!staged) return
    this.drop(staged)
    this.#givenBack = staged.candidate
    this.#line?.again(staged.candidate)
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
