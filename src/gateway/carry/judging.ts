/**
 * What backends say of one transaction, or do instead: the `verdict` on each reply with what follows of it for who is asked next (`line-up`), what the
 * answers to a replay and to the dot come to, and who hears of trouble. `staging` and `cut-through` bring what was said; what becomes of the recipients
 * is theirs to do.
 */
import type { Fields } from '../../base/log.ts'
import type { Job, Transaction } from '../../delivery/delivery.ts'
import {
  type DataOutcome,
  type Fault,
  faultText,
  type Lost,
  lossText,
  type RecipientsOutcome,
  saidText,
} from '../../delivery/outcome.ts'
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPermanent, loggedReply, type Reply } from '../../mail/reply.ts'
import { backendFields, type Endpoint, type Route } from '../../routing/backend.ts'
import type { Candidate, Member } from '../../routing/balance.ts'
import { healthState } from '../../routing/health.ts'
import type { AskedStep, WhoWeAre } from './about-us.ts'
import { type Answer, type Carried, outage } from './carried.ts'
import type { CutThroughDeps } from './cut-through-deps.ts'
import type { LineUp } from './line-up.ts'
import * as verdict from './verdict.ts'

/** A backend that is asked, with the line it was taken from: that hears what it says. */
export interface Asked {
  readonly candidate: Candidate
  readonly line: LineUp
}

/** A backend that has accepted MAIL and all recipients so far. */
export interface Staged extends Asked {
  readonly kind: 'staged'
  readonly transaction: Transaction
}

/** A backend that was asked, and did not take it: how that ended, as it reads behind its name. */
export interface Trouble {
  readonly endpoint: Endpoint
  readonly what: string
}

/** Kept of one transaction: enough to tell of it. */
const mostTroubles = 8
const noTroubles: readonly Trouble[] = []

export class Judging {
  readonly #route: Route
  readonly #domain: HostName | undefined
  readonly #job: Job
  readonly #deps: CutThroughDeps
  #wasAnswered = false
  #isAtDot = false
  #troubles = noTroubles

  /** @param domain  of the recipients, for `mx`; undefined for the postmaster's route */
  constructor(route: Route, domain: HostName | undefined, job: Job, deps: CutThroughDeps) {
    this.#route = route
    this.#domain = domain
    this.#job = job
    this.#deps = deps
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

  /** What a reply means. What the backend cannot do is told and noted at once, for its line and for people, so each reply is judged once. */
  judge(said: Reply, step: AskedStep, staged: Staged, recipient?: Recipient): verdict.Verdict {
    const { endpoint } = staged.candidate
    let judged = verdict.judge(said, step, this.#route.onDefer, () => this.#who(staged, recipient))
    // A stranger owes us nothing: its no to mail of our own is the last word, and nothing of ours to mend.
    if (judged.kind === 'about-us' && endpoint.purpose === 'dsn')
      judged = { kind: 'pass', reply: verdict.ownWords(said, step) }
    // RFC 5321 §3.8: a 421 is the end of the session, whatever it was an answer to.
    if (judged.kind !== 'accepted' && said.code !== 421) this.#wasAnswered = true
    if (judged.kind === 'next-backend') {
      staged.line.noteUnable(endpoint.target.kind === 'maildir' ? said : undefined)
      this.#tell('info', 'backend cannot take it', endpoint, step, { reply: loggedReply(said) })
      this.#noteTrouble(endpoint, saidText(step, said))
    }
    return judged
  }

  #who({ candidate: { endpoint }, transaction }: Staged, recipient: Recipient | undefined): WhoWeAre {
    const { backends, hostname } = this.#deps
    const domain = recipient?.domain ?? this.#domain
    return {
      hello: endpoint.backend.options.helo ?? hostname,
      sourceAddress: transaction.localAddress,
      quoted: [this.#job.envelope.sender?.text, recipient?.text].filter(
        (text) => text !== undefined && text !== '',
      ) as string[],
      hasAcceptedDomain: domain === undefined || backends.hasAccepted(endpoint, domain),
    }
  }

  /** A person must see to it, and the sender is not to blame. @param step  `session`: before any message was spoken of */
  aboutUs({ candidate: { endpoint }, line }: Asked, step: AskedStep | 'session', said: Reply | undefined): void {
    line.noteMisconfigured()
    const level = endpoint.purpose === 'dsn' ? 'info' : 'alert'
    this.#tell(level, 'backend refuses us', endpoint, step, { reply: said && loggedReply(said) })
  }

  /** No session came about. */
  notReady(asked: Asked, fault: Fault): void {
    const fields = { id: this.#job.id, ...backendFields(asked.candidate.endpoint), why: faultText(fault) }
    this.#deps.log.debug('backend not ready', fields)
    // A 5yz to greeting, EHLO or STARTTLS is about us: no message has been spoken of yet.
    if (fault.reply && isPermanent(fault.reply)) this.aboutUs(asked, 'session', fault.reply)
  }

  /** A session ended before anything could be delivered. */
  lost({ endpoint }: Candidate, { fault, reused }: Lost): void {
    const why = lossText(fault)
    if (reused) this.#deps.log.debug('used session lost', { id: this.#job.id, ...backendFields(endpoint), why })
    else if (fault.kind !== 'abandoned') {
      this.#tell('info', 'backend session lost', endpoint, fault.step, { why })
      this.#noteTrouble(endpoint, why)
    }
  }

  /** Accepted recipients were said again and not all were accepted again: what that says of the backend, and of them. */
  judgeReplay(outcome: Exclude<RecipientsOutcome, Lost>, staged: Staged, accepted: readonly Recipient[]): void {
    const replies = outcome.kind === 'answered' ? outcome.replies : [outcome.reply]
    const step = outcome.kind === 'answered' ? 'rcpt' : 'mail'
    const verdicts = replies.map((said, index) => this.judge(said, step, staged, accepted[index]))
    // A refusal at a replay teaches nothing; it is the sender's only if the backend is of one mind.
    const first = verdicts[0]
    if (verdicts.some((each) => each.kind === 'next-backend')) return
    if (verdicts.some((each) => each.kind === 'about-us')) this.aboutUs(staged, step, replies.find(isPermanent))
    else if (first?.kind === 'pass' && step === 'mail') staged.line.noteSenderRefused(first.reply)
    else if (first?.kind === 'pass' && verdict.isOfOneMind(replies))
      staged.line.noteRefusal(verdicts.map((each) => (each.kind === 'pass' ? each.reply : first.reply)))
    else staged.line.noteDisagreement()
  }

  /** @returns what became of the message for those whom the backend has accepted, or undefined where another backend may be asked */
  judgeData(
    outcome: Exclude<DataOutcome, Lost>,
    staged: Staged,
    accepted: readonly Recipient[],
  ): Extract<Carried, { kind: 'answered' | 'unknown' }> | undefined {
    const { endpoint } = staged.candidate
    const step = outcome.kind === 'answered' && outcome.step === 'data' ? 'data' : 'dot'
    const judged = outcome.replies.map((said) => this.#judgeOne(said, step, staged))
    if (judged.some((each) => each?.kind === 'accepted')) this.#deps.backends.delivered(endpoint)
    if (outcome.kind === 'unknown') {
      this.#tellUnknown(endpoint, outcome)
      return {
        kind: 'unknown',
        endpoint,
        fault: outcome.fault,
        answers: judged.map((each, at) => ({ recipient: accepted[at] as Recipient, answer: each ?? outage })),
        late: outcome.late,
        waitedMs: outcome.waitedMs,
        owed: staged.transaction.owedOnSuccess,
      }
    }
    // What answered 4yz at the dot must not deliver it (RFC 5321 §4.2.5), so another one may; unless a recipient was served already.
    if (judged.every((each) => each === undefined)) return undefined
    const isForAll = judged.length === 1
    const answers = accepted.map((recipient, at) => ({ recipient, answer: judged[isForAll ? 0 : at] ?? outage }))
    return { kind: 'answered', endpoint, answers, owed: staged.transaction.owedOnSuccess }
  }

  /** @returns undefined where another backend may do better */
  #judgeOne(said: Reply, step: 'data' | 'dot', staged: Staged): Answer | undefined {
    const judged = this.judge(said, step, staged)
    switch (judged.kind) {
      case 'accepted':
        return { kind: 'accepted', reply: { ...verdict.ownWords(said, 'dot'), code: 250 } }
      case 'pass':
        return { kind: 'said', by: 'backend', reply: judged.reply }
      case 'hold':
        return outage
      case 'about-us':
        this.aboutUs(staged, step, said)
        return undefined
      case 'next-backend':
        return undefined
    }
  }

  /** Whether a route is out because a backend does not want us: that is ours to mend, also while nobody asks that backend. */
  isOutForUs(members: readonly Member[]): boolean {
    const { backends, clock } = this.#deps
    const refusing = members.find(({ endpoint }) => {
      const health = backends.health(endpoint)
      return health.isRefusingUs && healthState(health, clock.monotonicMs()) === 'down'
    })
    if (!refusing) return false
    const reply = backends.health(refusing.endpoint).lastFault
    this.#tell('alert', 'backend refuses us', refusing.endpoint, 'session', { reply })
    return true
  }

  #noteTrouble(endpoint: Endpoint, what: string): void {
    this.#deps.backends.troubled(endpoint, what)
    if (this.#troubles.length < mostTroubles) this.#troubles = [...this.#troubles, { endpoint, what }]
  }

  /** A backend may be asked about one message several times: the log says when this was. */
  get #when(): string {
    if (this.#job.isFromHold) return 'from the hold'
    return this.#isAtDot ? 'at the final dot' : 'while the sender waits'
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

  #tellUnknown(endpoint: Endpoint, { fault, waitedMs }: Extract<DataOutcome, { kind: 'unknown' }>): void {
    this.#deps.log.alert('outcome unknown', {
      id: this.#job.id,
      ...backendFields(endpoint),
      why: faultText(fault),
      waitedMs: Math.round(waitedMs),
    })
  }
}
