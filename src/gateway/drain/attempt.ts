/**
 * One attempt of one held task: its recipients asked for at a backend, the message handed over, and what is to be written down of it. The same
 * steps as for a sender who waits (`cut-through`), with the time that RFC 5321 §4.5.3.2 gives where nobody waits. Called by `lane-drain`.
 */
import type { Clock } from '../../base/clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { Random } from '../../base/random.ts'
import type { LateAnswer } from '../../delivery/outcome.ts'
import { faultText } from '../../delivery/outcome.ts'
import type { Body, Client, Message } from '../../mail/message.ts'
import { loggedReply } from '../../mail/reply.ts'
import {
  type Attempt,
  type HeldRecipient,
  type Queue,
  recipientStates,
  type Settlement,
  type Task,
} from '../../queue/queue.ts'
import type { Endpoint, Route } from '../../routing/backend.ts'
import { type Answer, answerFor, type Carried } from '../carry/carried.ts'
import { CutThrough } from '../carry/cut-through.ts'
import type { CutThroughDeps } from '../carry/cut-through-deps.ts'
import { isAboutSender, isUnknownRecipient } from '../settle/about-recipient.ts'
import type { Watched } from '../settle/late-watch.ts'
import { listenUntilMs } from '../settle/may-have-it.ts'
import { beforeOf, type ComparedRecipient, isOfRoute, type Refused, sortAnswers } from '../settle/sort-answers.ts'
import type { Way } from '../ways/lanes.ts'

export interface AttemptDeps {
  readonly clock: Clock
  readonly random: Random
  readonly queue: Queue
  /** What carries it now, with the budgets of a delivery that nobody waits for. */
  readonly cutThroughDeps: () => CutThroughDeps
}

/** What came of it, each with why, for people. */
export type Attempted =
  /** Nobody could be asked, and the task is as it was. */
  | { readonly kind: 'route-out'; readonly why: string }
  /** The same, and only because a backend is slow for the network that it came from: others of its lane may go. */
  | { readonly kind: 'slow-for-it'; readonly why: string }
  /** All sessions are taken, and it is as it was. */
  | { readonly kind: 'busy'; readonly why: string }
  | CouldNot
  | Spoken
  /** It was removed meanwhile. */
  | { readonly kind: 'gone'; readonly why: string }
  /** It cannot be read. */
  | { readonly kind: 'corrupt'; readonly settlement: Settlement; readonly why: string }

/**
 * `unable`: a backend was asked, and said that it could not take it; `broken`: its session ended instead. It may be its way with all messages, or
 * with this one alone.
 */
export interface CouldNot {
  readonly kind: 'unable' | 'broken'
  /** Undefined where there were several. */
  readonly endpoint: Endpoint | undefined
  readonly why: string
}

/** The backend has spoken of this message. */
export interface Spoken {
  readonly kind: 'spoken'
  readonly endpoint: Endpoint | undefined
  readonly outcome: Attempt['outcome']
  /** Recipients. */
  readonly delivered: number
  /** Of those, whose message a backend may have had since an earlier dot. */
  readonly possibleDuplicates: number
  /** Undefined where every recipient was refused. */
  readonly settlement: ComparedSettlement | undefined
  /** For good, by the backend: what becomes of them is `after-hold`'s to say. */
  readonly refused: readonly Refused[]
  /** Of whom the backend spoke at RCPT, and whether it said that there is no such recipient, also where that is not believed yet. */
  readonly heard: readonly Heard[]
  readonly late: { readonly watched: Watched; readonly answer: LateAnswer } | undefined
  /** What is owed to a sender who wants to hear of success, for those that were delivered. */
  readonly owed: 'relayed' | 'delivered' | undefined
  readonly why: string
}

/** What was said is written down only where the row is what it was when the backend was asked. */
export interface ComparedSettlement extends Settlement {
  readonly recipients: readonly ComparedRecipient[]
}

export interface Heard {
  readonly held: HeldRecipient
  readonly isUnknown: boolean
}

/** Hears how far an attempt is, so that a backend that says nothing keeps no lane. */
export interface Hearing {
  /** A backend has spoken, for the recipients or behind the dot, or none is left to be asked. */
  heard(): void
  /** Our dot has left: the backend's word is waited for. */
  dotLeft(): void
}

/** Whom mail of our own comes from. */
const ourselves: Client = {
  address: '127.0.0.1' as IpAddress,
  port: 0,
  hello: 'localhost',
  esmtp: true,
  tls: undefined,
}

/** @param route  the way's own, or a part of it */
export async function attempt(
  task: Task,
  way: Way,
  route: Route,
  deps: AttemptDeps,
  hearing: Hearing,
): Promise<Attempted> {
  const { message, recipients } = task
  const opened = await deps.queue.body(message.id)
  if (opened.kind === 'gone') return { kind: 'gone', why: 'removed' }
  if (opened.kind === 'corrupt') return corrupt(task, opened.why)
  const body = notingFailure(opened.body)
  const job = {
    id: message.id,
    client: message.client ?? ourselves,
    envelope: message.envelope,
    // Lanes take turns at a backend; who sent what is the queue's to spread out.
    fairnessKey: task.lane,
    isFromHold: true,
  }
  const cut = new CutThrough(route, way.domain, job, deps.cutThroughDeps())
  try {
    const asked = await cut.askRecipients(recipients.map(({ recipient }) => recipient))
    hearing.heard()
    if (!asked.some(({ kind }) => kind === 'accepted')) return conclude(task, way, asked, undefined, cut, deps)
    const whole: Message = { ...message, client: job.client, body }
    const carried = await cut.deliver(whole, hearing.dotLeft)
    hearing.heard()
    // Nobody has it: each backend heard it break off before the dot.
    if (body.failure && carried.kind === 'nobody') throw body.failure
    return conclude(task, way, asked, carried, cut, deps)
  } finally {
    cut.abandon()
    body.release()
  }
}

/** The body, and why it could not be read to its end: to a backend that looks like a connection of ours that broke. */
function notingFailure(body: Body): Body & { failure: unknown } {
  const result = {
    ...body,
    failure: undefined as unknown,
    blocks() {
      const blocks = body.blocks()
      return Symbol.asyncIterator in blocks ? noting(blocks) : blocks
    },
    release: () => body.release(),
  }
  async function* noting(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* blocks
    } catch (error) {
      result.failure = error
      throw error
    }
  }
  return result
}

function conclude(
  task: Task,
  way: Way,
  asked: readonly Answer[],
  carried: Carried | undefined,
  cut: CutThrough,
  deps: AttemptDeps,
): Attempted {
  const endpoint = carried && carried.kind !== 'nobody' ? carried.endpoint : refuserOf(asked)
  const final = task.recipients.map((held, at) => finalAnswer(held, asked[at] as Answer, carried))
  const routeLevel = final.find((answer) => answer !== undefined && isOfRoute(answer))
  const isOnlyRoute = final.every((answer) => answer !== undefined && isOfRoute(answer))
  if (isOnlyRoute && routeLevel) {
    const why = loggedReply(routeLevel.reply)
    if (routeLevel.kind === 'said' && routeLevel.by === 'load') return { kind: 'busy', why }
    if (cut.hasReached) return couldNot(cut, why)
    return { kind: cut.isSlowForSender ? 'slow-for-it' : 'route-out', why }
  }
  const nowMs = deps.clock.now()
  const answered = task.recipients.map((held, at) => ({
    index: held.index,
    before: beforeOf(held),
    answer: final[at],
    held,
  }))
  const { recipients, refused, outcome } = sortAnswers(answered, { nowMs, random: deps.random, way, carried })
  const delivered = new Set(recipients.flatMap(({ index, to }) => (to.kind === 'gone' ? [index] : [])))
  const said = final.find((answer) => answer !== undefined)?.reply
  const noted: Attempt = {
    atMs: nowMs,
    backend: endpoint?.backend.url,
    host: endpoint?.name,
    outcome,
    text: carried?.kind === 'unknown' ? faultText(carried.fault) : said ? loggedReply(said) : '',
    recipients: task.recipients.length,
  }
  const unanswered = task.recipients.filter((_, at) => final[at] === undefined)
  return {
    kind: 'spoken',
    endpoint,
    outcome,
    delivered: delivered.size,
    possibleDuplicates: task.recipients.filter(({ index, state }) => state === 'unknown' && delivered.has(index))
      .length,
    settlement: recipients.length > 0 ? { id: task.message.id, recipients, attempt: noted } : undefined,
    refused,
    heard: task.recipients.flatMap((held, at) => heardOf(held, asked[at])),
    late: lateOf(task, way, carried, unanswered, deps.clock.monotonicMs()),
    owed: carried?.kind === 'answered' ? carried.owed : undefined,
    why: noted.text,
  }
}

/** Backends were asked, and none took it: with their names, where there are several. @param otherwise  where none said or did a thing */
function couldNot({ wasAnswered, troubles }: CutThrough, otherwise: string): CouldNot {
  const kind = wasAnswered ? 'unable' : 'broken'
  const [first] = troubles
  if (!first) return { kind, endpoint: undefined, why: otherwise }
  const isOne = troubles.every(({ endpoint }) => endpoint.backend.url === first.endpoint.backend.url)
  if (isOne) return { kind, endpoint: first.endpoint, why: troubles.at(-1)?.what ?? '' }
  const why = troubles.map(({ endpoint, what }) => `${endpoint.backend.url} ${what}`).join('; ')
  return { kind, endpoint: undefined, why }
}

/** The backend that refused them before there was anything to hand over. */
const refuserOf = (asked: readonly Answer[]): Endpoint | undefined =>
  asked.flatMap((answer) => (answer.kind === 'said' && answer.endpoint ? [answer.endpoint] : []))[0]

function heardOf(held: HeldRecipient, asked: Answer | undefined): Heard[] {
  if (asked?.kind === 'accepted') return [{ held, isUnknown: false }]
  if (asked?.kind !== 'said' || asked.by !== 'backend') return []
  return [{ held, isUnknown: isUnknownRecipient(asked.reply) && !isAboutSender(asked.reply) }]
}

/** What the backend said of this recipient last; undefined where it is silent behind our dot. */
function finalAnswer(held: HeldRecipient, asked: Answer, carried: Carried | undefined): Answer | undefined {
  return asked.kind === 'accepted' && carried ? answerFor(carried, held.recipient) : asked
}

function lateOf(
  task: Task,
  way: Way,
  carried: Carried | undefined,
  unanswered: readonly HeldRecipient[],
  monotonicMs: number,
): Spoken['late'] {
  if (carried?.kind !== 'unknown' || !carried.late) return undefined
  const { endpoint, owed } = carried
  const untilMs = listenUntilMs(carried, monotonicMs)
  const recipients = unanswered.map((held) => ({ index: held.index, held }))
  return { watched: { id: task.message.id, way, endpoint, recipients, untilMs, owed }, answer: carried.late }
}

const corrupt = ({ message, recipients }: Task, why: string): Attempted => ({
  kind: 'corrupt',
  // It is damaged in whatever state.
  settlement: {
    id: message.id,
    recipients: recipients.map(({ index }) => ({ index, from: recipientStates, to: { kind: 'corrupt' } })),
  },
  why,
})
