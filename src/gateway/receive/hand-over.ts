/**
 * From the sender's dot to our answer. One route: the message is carried to it, and held where it cannot be. Several routes, or a backend that
 * answers for each recipient: the message is made durable for all of them *before* the first dot leaves, because a sender can hear one answer
 * only, and what one backend has taken cannot be taken back (RFC 5321 §4.1.1.4).
 *
 * Called by `message-sink`. What is held behind it, `drain` delivers.
 */
import type { Message } from '../../mail/message.ts'
import { isPermanent, loggedReply, type Reply, reply } from '../../mail/reply.ts'
import type { Attempt, Settled } from '../../queue/queue.ts'
import { type Endpoint, mayDiffer } from '../../routing/backend.ts'
import { type Answer, answerFor, type Carried } from '../carry/carried.ts'
import * as verdict from '../carry/verdict.ts'
import { type KeepOutcome, notHeldReply, type ToKeep } from '../hold/hold.ts'
import type { HoldForSenders } from '../hold/hold-for-senders.ts'
import type { WatchedRecipient } from '../settle/late-watch.ts'
import { listenUntilMs, silenceReply, unknownUntilTold } from '../settle/may-have-it.ts'
import { type Answered, type Before, type Refused, sortAnswers } from '../settle/sort-answers.ts'
import type { Leg } from './leg.ts'
import { partsOf } from './leg-parts.ts'
import { type TellLegDeps, type ToldLeg, tellLeg } from './tell-leg.ts'

export interface HandOverDeps extends TellLegDeps {
  /** Undefined: nothing is held, and what cannot be delivered is the sender's still. */
  readonly holdForSenders: HoldForSenders | undefined
}

/** @param isSenderGone  whether anybody is there to hear the answer */
export function handOver(
  message: Message,
  legs: readonly Leg[],
  isSenderGone: () => boolean,
  deps: HandOverDeps,
): Promise<Reply> {
  const { holdForSenders } = deps
  const isOneAnswer =
    legs.length === 1 && !legs.some(({ cut, recipients }) => recipients.length > 1 && mayDiffer(cut.route))
  if (isOneAnswer || !holdForSenders || !legs.every(({ way }) => way.policy.holdMs > 0)) {
    const [leg] = legs
    if (!leg || legs.length > 1) throw new TypeError(`${legs.length} routes, and no hold to keep them`)
    return new HandOver(message, isSenderGone, deps).alone(leg)
  }
  return new HandOver(message, isSenderGone, deps).together(legs, holdForSenders)
}

class HandOver {
  readonly #message: Message
  readonly #isSenderGone: () => boolean
  readonly #deps: HandOverDeps
  readonly #startMs: number

  constructor(message: Message, isSenderGone: () => boolean, deps: HandOverDeps) {
    this.#message = message
    this.#isSenderGone = isSenderGone
    this.#deps = deps
    this.#startMs = deps.clock.monotonicMs()
  }

  /** To one route, whose answer is the sender's. */
  alone(leg: Leg): Promise<Reply> {
    return leg.cut.deliver(this.#message).then((carried) => this.#answer(leg, carried))
  }

  #answer(leg: Leg, carried: Carried): Reply | Promise<Reply> {
    switch (carried.kind) {
      case 'nobody':
        if (carried.answer.kind !== 'outage') return this.#tell(leg, carried.answer.reply, undefined)
        return this.#holdOr(leg, carried.answer.reply, undefined)
      case 'unknown':
        return this.#holdUnknown(leg, carried)
      case 'answered': {
        // A Maildir answers for each recipient. One that failed makes the sender come again: a second copy for some, but none lost.
        const answers = carried.answers.map(({ answer }) => answer)
        const worst = answers.find(({ kind }) => kind !== 'accepted') ?? answers[0] ?? nothingSaid
        if (worst.kind === 'outage') return this.#holdOr(leg, worst.reply, carried.endpoint)
        const tell = () => this.#tell(leg, worst.reply, carried.endpoint)
        const isForNews = worst.kind === 'accepted' && leg.recipients.some(asksForNews)
        return isForNews ? this.#tellOfSuccess(leg, carried).then(tell) : tell()
      }
    }
  }

  /** @param otherwise  what the sender hears where nothing is held */
  async #holdOr(leg: Leg, otherwise: Reply, endpoint: Endpoint | undefined): Promise<Reply> {
    const holdForSenders = this.#holdOf(leg)
    if (!holdForSenders) return this.#tell(leg, otherwise, endpoint)
    const kept = await this.#keep(leg, { state: 'ready', lastReply: otherwise }, holdForSenders)
    return this.#tellKept(leg, kept, endpoint, 'held')
  }

  /** What keeps the message for this leg; undefined where it may not be held. */
  #holdOf({ way }: Leg): HoldForSenders | undefined {
    // Nobody would hear that it is ours now, and it comes again: that would be two.
    return way.policy.holdMs === 0 || this.#isSenderGone() ? undefined : this.#deps.holdForSenders
  }

  /** A backend may have it, so no other gets it now, and the sender need not wait for what may never come. */
  async #holdUnknown(leg: Leg, carried: Extract<Carried, { kind: 'unknown' }>): Promise<Reply> {
    const holdForSenders = this.#holdOf(leg)
    if (!holdForSenders) {
      carried.late?.letGo()
      return this.#tell(leg, unknownOutcomeReply, carried.endpoint)
    }
    const gaveUp = this.#now()
    const { kind: state, ...until } = unknownUntilTold(carried, leg.way, gaveUp.wallMs, holdForSenders.random)
    let isKept = false
    try {
      const begins = { state, ...until, lastReply: silenceReply(carried) }
      const kept = await this.#keep(leg, begins, holdForSenders)
      isKept = kept.kind === 'kept'
      const watched = leg.recipients.map(({ wasKnown }, index) => watchedOf(index, wasKnown))
      if (isKept) this.#listen(holdForSenders, leg, carried, watched, gaveUp)
      return this.#tellKept(leg, kept, carried.endpoint, 'unknown')
    } finally {
      if (!isKept) carried.late?.letGo()
    }
  }

  #keep({ way, recipients }: Leg, begins: ToKeep['begins'], { hold }: HoldForSenders): Promise<KeepOutcome> {
    return hold.keep(
      this.#message,
      recipients.map((each) => ({ ...each, way, begins })),
    )
  }

  #tellKept(leg: Leg, kept: KeepOutcome, endpoint: Endpoint | undefined, as: 'held' | 'unknown'): Reply {
    return kept.kind === 'kept' ? this.#tell(leg, heldReply, endpoint, as) : this.#tell(leg, kept.reply, endpoint)
  }

  #listen(
    { lateWatch }: HoldForSenders,
    { way }: Leg,
    carried: Extract<Carried, { kind: 'unknown' }>,
    recipients: readonly WatchedRecipient[],
    { monotonicMs }: Moment,
  ): void {
    const { late, endpoint, owed } = carried
    const untilMs = listenUntilMs(carried, monotonicMs)
    if (late) lateWatch.listen({ id: this.#message.id, way, endpoint, recipients, untilMs, owed }, late)
  }

  #now(): Moment {
    const { clock } = this.#deps
    return { wallMs: clock.now(), monotonicMs: clock.monotonicMs() }
  }

  /** To several routes, or to several recipients that are answered for one by one. */
  async together(legs: readonly Leg[], holdForSenders: HoldForSenders): Promise<Reply> {
    const toOffer: ToKeep[] = legs.flatMap(({ way, recipients }) =>
      recipients.map((each) => ({ ...each, way, begins: { state: 'offered' } as const })),
    )
    const kept = await holdForSenders.hold.keep(this.#message, toOffer)
    if (kept.kind === 'not-kept') {
      for (const leg of legs) {
        leg.cut.abandon()
        this.#tell(leg, kept.reply, undefined)
      }
      return kept.reply
    }
    let firstIndex = 0
    const carrying = legs.map(async (leg): Promise<LegResult> => {
      const indexes = leg.recipients.map(() => firstIndex++)
      const carried = await this.#carry(leg)
      const answers = leg.recipients.map(({ recipient }) => answerFor(carried, recipient))
      const result = { leg, carried, indexes, answers, at: this.#now(), settled: undefined }
      if (!result.answers.some(isTaken)) return result
      // The sender hears 250 whatever the others say. Until it is written down that a backend has it, a crash would bring it there again.
      return { ...result, settled: this.#settleSoon(result, holdForSenders) }
    })
    return this.#conclude(await Promise.all(carrying), holdForSenders)
  }

  /** A fault of ours on the way to one route must leave no other in the dark: the message is in the hold, for this one too. */
  async #carry({ cut }: Leg): Promise<Carried> {
    try {
      return await cut.deliver(this.#message)
    } catch (error) {
      this.#deps.log.error('message not carried', { id: this.#message.id, error })
      return { kind: 'nobody', answer: nothingSaid }
    }
  }

  async #conclude(results: readonly LegResult[], holdForSenders: HoldForSenders): Promise<Reply> {
    const all = results.flatMap(({ answers }) => answers)
    const isRefusedByAll = all.every((answer) => answer?.kind === 'said' && isPermanent(answer.reply))
    const hasSome = all.some(isTaken)
    const isForNobody = isRefusedByAll || (!hasSome && this.#isSenderGone())
    if (isForNobody) {
      // RFC 5321 §4.2.5: what was refused must not be delivered, so it is gone before the sender hears it. While the disk does not take that down,
      // a crash would bring the message back as one that may go: then the sender hears nothing final, and it goes as soon as it can.
      const settlement = { id: this.#message.id, recipients: all.map((_, index) => ({ index, to: gone })) }
      const about = { id: this.#message.id }
      const write = () => holdForSenders.queue.settle(settlement)
      const isGone = await holdForSenders.writeDown.soon(about, write, { waitMs: takenBackMs })
      const heard = isGone ? worstOf(all) : notHeldReply
      for (const { leg, carried, answers } of results)
        this.#tell(leg, isGone ? worstOf(answers) : heard, endpointOf(carried), false, heard.code)
      return heard
    }
    await Promise.all(results.map((result) => result.settled ?? this.#settleSoon(result, holdForSenders)))
    return hasSome && all.every((answer) => answer?.kind === 'accepted') ? allDelivered : someHeld
  }

  /** It is ours since it was kept: whatever cannot be written down now, the sender hears so. */
  #settleSoon(result: LegResult, holdForSenders: HoldForSenders): Promise<boolean> {
    const { carried } = result
    return holdForSenders.writeDown.soon(
      { id: this.#message.id },
      () => this.#settleNow(result, holdForSenders),
      // A late word would be about nothing that is written down.
      { givenUp: () => carried.kind === 'unknown' && carried.late?.letGo() },
    )
  }

  async #settleNow(
    { leg, carried, indexes, answers, at: saidAt }: LegResult,
    holdForSenders: HoldForSenders,
  ): Promise<void> {
    const endpoint = endpointOf(carried)
    const answered = answers.map((answer, at) => ({ index: indexes[at] as number, before: offered, answer }))
    const sorting = { nowMs: saidAt.wallMs, random: holdForSenders.random, way: leg.way, carried }
    const { recipients, refused } = sortAnswers(answered, sorting)
    const unanswered = leg.recipients.flatMap(({ wasKnown }, at) =>
      answers[at] === undefined ? [watchedOf(indexes[at] as number, wasKnown)] : [],
    )
    const attempt = attemptOf(answered, saidAt, endpoint)
    const settlement = { id: this.#message.id, recipients, ...(attempt && { attempt }) }
    if (recipients.length > 0) await holdForSenders.queue.settle(settlement)
    if (carried.kind === 'unknown') this.#listen(holdForSenders, leg, carried, unanswered, saidAt)
    if (recipients.some(({ to }) => to.kind !== 'gone')) noticed(leg, holdForSenders)
    if (refused.length > 0) this.#refuse(leg, holdForSenders, endpoint, refused)
    if (carried.kind === 'answered') await this.#tellOfSuccess(leg, carried)
    for (const part of partsOf(leg.recipients, answers, indexes, refused))
      this.#tell({ ...leg, ...part }, worstOf(part.answers), endpoint, part.held, someHeld.code)
  }

  /** Behind our answer: whether the sender may be told is DNS's to say. Until it is settled, or after a crash, it is as if not asked. */
  #refuse(leg: Leg, holdForSenders: HoldForSenders, endpoint: Endpoint | undefined, refused: readonly Refused[]): void {
    const { id } = this.#message
    const { way } = leg
    const { afterHold, queue, writeDown } = holdForSenders
    const ready = refused.map(({ index }) => ({ index, ...offered, to: { kind: 'ready' as const } }))
    writeDown
      .surely({ id }, () => afterHold.refused({ id, way, endpoint, refused }))
      .catch(async (error: unknown) => {
        this.#deps.log.error('refusal not settled', { id, error })
        await writeDown.surely({ id }, () => queue.settle({ id, recipients: ready }))
        noticed(leg, holdForSenders)
      })
      .catch((error: unknown) => this.#deps.log.error('refusal not put off', { id, error }))
  }

  async #tellOfSuccess(
    { way }: Leg,
    { endpoint, owed, answers }: Extract<Carried, { kind: 'answered' }>,
  ): Promise<void> {
    const { holdForSenders } = this.#deps
    if (!holdForSenders || !owed) return
    const taken = answers.flatMap(({ recipient, answer: { kind, reply } }) =>
      kind === 'accepted' ? [{ recipient, reply }] : [],
    )
    await holdForSenders.successes.carried(this.#message, { way, endpoint, owed, recipients: taken })
  }

  /** @returns what was said, which is mostly what the sender hears */
  #tell(
    leg: Leg,
    said: Reply,
    endpoint: Endpoint | undefined,
    held: ToldLeg['held'] = false,
    heardCode = said.code,
  ): Reply {
    const tookMs = this.#deps.clock.monotonicMs() - this.#startMs
    tellLeg(this.#message, { leg, said, endpoint, held, heardCode, tookMs }, this.#deps)
    return said
  }
}

/** The dot was the first that its message has met. */
const watchedOf = (index: number, wasKnown: boolean): WatchedRecipient => ({ index, held: { wasKnown, attempts: 0 } })

function noticed({ recipients, way }: Leg, { mayGo }: HoldForSenders): void {
  for (const { recipient } of recipients) mayGo(recipient, way.lane)
}

interface Moment {
  readonly wallMs: number
  readonly monotonicMs: number
}

interface LegResult {
  readonly leg: Leg
  readonly carried: Carried
  /** Of the leg's recipients, among all of the message. */
  readonly indexes: readonly number[]
  /** One a recipient of the leg; undefined where the backend is silent. */
  readonly answers: readonly (Answer | undefined)[]
  /** When that was said, or given up. */
  readonly at: Moment
  /** Where it was not left to the end: resolves when it is written down, or after a moment. */
  readonly settled: Promise<boolean> | undefined
}

/** Most do not, and need no look at what is owed. */
const asksForNews = ({ recipient }: Leg['recipients'][number]) => recipient.notify !== undefined

/** A backend has it, or may have it. */
const isTaken = (answer: Answer | undefined) => answer === undefined || answer.kind === 'accepted'

/** What stands for the answers to all recipients: one that did not go well, if there is one. */
const worstOf = (answers: readonly (Answer | undefined)[]): Reply => {
  const worst = answers.find((answer) => answer?.kind !== 'accepted') ?? answers[0]
  return worst?.reply ?? unknownOutcomeReply
}

/** A backend that put some of several recipients off behind the dot has been asked for them: what they wait for is its word, not ours. */
function attemptOf(
  answered: readonly Answered[],
  { wallMs }: Moment,
  endpoint: Endpoint | undefined,
): Attempt | undefined {
  const putOff = answered.flatMap(({ answer }) =>
    answer?.kind === 'said' && answer.by === 'backend' && !isPermanent(answer.reply) ? [answer.reply] : [],
  )
  const [said] = putOff
  if (!endpoint || !said) return undefined
  return {
    ...{ atMs: wallMs, backend: endpoint.backend.url, host: endpoint.name },
    ...{ outcome: 'deferred', text: loggedReply(said), recipients: putOff.length },
  }
}

const endpointOf = (carried: Carried) => (carried.kind === 'nobody' ? undefined : carried.endpoint)

/** So long a sender waits for its refusal, which it has time for (RFC 5321 §4.5.3.2.6). */
const takenBackMs = 30_000
const gone: Settled = { kind: 'gone' }
/** As `together` keeps them until their backends have spoken. */
const offered = { from: ['offered'] } as const satisfies Before
const nothingSaid: Answer = { kind: 'outage', reply: verdict.noBackendReply }
const heldReply = reply(250, '2.0.0', 'Kept safely, and delivered as soon as the server behind can take it')
const allDelivered = reply(250, '2.0.0', 'Delivered')
const someHeld = reply(250, '2.0.0', 'Taken, and delivered as soon as the servers behind can take it')
const unknownOutcomeReply = reply(
  451,
  '4.4.2',
  'The server behind gave no answer about this message, please try again later',
)
