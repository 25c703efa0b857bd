/**
 * Listens on where a backend was silent behind our dot: the message is held as unknown and its sender has been answered, and the word that still
 * comes decides what becomes of it. Made by `hold-parts`, for `hand-over` and `settle-attempt`; how long it listens, `may-have-it` says.
 */
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { LateAnswer } from '../../delivery/outcome.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPositive, loggedReply, type Reply } from '../../mail/reply.ts'
import type { Attempt, HeldEntry, Lane, Queue } from '../../queue/queue.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'
import { isAboutUs, type WhoWeAre } from '../carry/about-us.ts'
import type { Answer } from '../carry/carried.ts'
import { misconfiguredReply } from '../carry/verdict.ts'
import type { AfterHold } from '../notices/after-hold.ts'
import type { Successes } from '../notices/successes.ts'
import type { HeldBefore } from '../put-off.ts'
import type { ToldSparingly } from '../told-sparingly.ts'
import type { Way } from '../ways/lanes.ts'
import { sortAnswers } from './sort-answers.ts'
import { type TellAttemptDeps, tellAttempt } from './tell-attempt.ts'
import type { WriteDown } from './write-down.ts'

export interface LateWatch {
  listen(watched: Watched, late: LateAnswer): void
}

export interface Watched {
  readonly id: string
  readonly way: Way
  readonly endpoint: Endpoint
  /** Those that are unanswered, in the order of the dot: one reply is for all of them, or one comes for each (LMTP). */
  readonly recipients: readonly WatchedRecipient[]
  /** What is owed to a sender who wants to hear of success, should it be one. */
  readonly owed: 'relayed' | 'delivered' | undefined
  /** How long its word is waited for, on the monotonic clock. */
  readonly untilMs: number
}

export interface WatchedRecipient {
  readonly index: number
  /** From before that dot: what was said of it then counts as well, and a backend that may have it since then may have it still. */
  readonly held: HeldBefore
}

export interface LateWatchDeps extends TellAttemptDeps {
  readonly log: Log
  readonly sparingly: ToldSparingly
  readonly queue: Queue
  readonly writeDown: WriteDown
  readonly afterHold: AfterHold
  readonly successes: Successes
  readonly random: Random
  /** Hears of each whose backend has taken it. */
  readonly onDelivered: (recipient: Recipient) => void
  /** Something of this lane waits for the drain. */
  readonly onHeld: (lane: Lane) => void
}

export function createLateWatch(deps: LateWatchDeps): LateWatch {
  const { clock, random, log, sparingly, queue, writeDown, afterHold, successes, onDelivered, onHeld } = deps

  /** What a notice and the figures need of it. That it cannot be read is no reason to forget what the backend has said. */
  async function entryOf(id: string): Promise<HeldEntry | undefined> {
    try {
      return await queue.get(id)
    } catch (error) {
      log.error('held message not read', { id, error })
      return undefined
    }
  }

  /** A person must see to it, and the sender is not to blame. */
  function tellAboutUs(id: string, endpoint: Endpoint, reply: Reply): void {
    const fields = { id, ...backendFields(endpoint), step: 'dot', reply: loggedReply(reply), when: 'late' }
    sparingly.tell('alert', 'backend refuses us', `${endpoint.backend.url} dot`, fields)
  }

  async function hear(watched: Watched, late: LateAnswer): Promise<void> {
    const replies = await late.wait(watched.untilMs)
    if (!replies) return
    const { id, way, endpoint } = watched
    const answers = replies.map((reply) => answerOf(reply, endpoint))
    const before = { from: ['unknown'], behind: endpoint.backend.key } as const
    const answered = watched.recipients.map((each, at) => ({
      ...each,
      before,
      answer: answers[answers.length === 1 ? 0 : at],
    }))
    const sorting = { nowMs: clock.now(), random, way, carried: undefined }
    const { recipients, refused, outcome } = sortAnswers(answered, sorting)
    log.info('late verdict', { id, ...backendFields(endpoint), reply: textOf(replies) })
    const aboutUs = replies.find((reply) => isAboutUsLate(reply, endpoint))
    if (aboutUs) tellAboutUs(id, endpoint, aboutUs)
    // Read before it is settled, because it may be gone by then.
    const entry = await entryOf(id)
    const taken = new Set(recipients.flatMap(({ index, to }) => (to.kind === 'gone' ? [index] : [])))
    for (const { index, recipient } of entry?.recipients ?? []) if (taken.has(index)) onDelivered(recipient)
    if (recipients.length > 0) {
      const dsn = entry && (await successes.drained(entry, recipients, watched))
      const attempt: Attempt = {
        atMs: clock.now(),
        backend: endpoint.backend.url,
        outcome,
        text: `late: ${textOf(recipients.flatMap(({ reply }) => reply ?? []))}`,
        recipients: recipients.length,
      }
      await writeDown.surely({ id }, () => queue.settle({ id, recipients, attempt, ...(dsn ? { dsn } : {}) }))
      for (const { lane } of dsn?.recipients ?? []) onHeld(lane)
      if (recipients.some(({ to }) => to.kind !== 'gone')) onHeld(way.lane)
    }
    const indexes = new Set(watched.recipients.map(({ index }) => index))
    const about = (entry?.recipients ?? []).filter(({ index }) => indexes.has(index))
    tellAttempt(
      {
        ...{ id, message: entry?.message, recipients: about, endpoint },
        route: way.route.id,
        outcome,
        tookMs: 0,
        isLate: true,
        possibleDuplicates: watched.recipients.filter(
          ({ index, held }) => taken.has(index) && held.backend !== undefined,
        ).length,
      },
      deps,
    )
    const { behind } = before
    if (refused.length > 0)
      await writeDown.surely({ id }, () => afterHold.refused({ id, way, endpoint, refused, behind }))
  }

  return {
    listen(watched, late) {
      hear(watched, late).catch((error: unknown) =>
        log.error('late verdict not written down', { id: watched.id, error }),
      )
    },
  }
}

/** A 4yz makes an ordinary hold of it, whatever it speaks of. */
function answerOf(reply: Reply, endpoint: Endpoint): Answer {
  if (isPositive(reply)) return { kind: 'accepted', reply }
  return isAboutUsLate(reply, endpoint)
    ? { kind: 'said', by: 'us', reply: misconfiguredReply }
    : { kind: 'said', by: 'backend', reply }
}

/** A stranger owes us nothing: its no to mail of our own is the last word, and nothing of ours to mend. */
const isAboutUsLate = (reply: Reply, { purpose }: Endpoint): boolean =>
  purpose !== 'dsn' && isAboutUs(reply, 'dot', anybody)

/** At the dot the code alone says whether a reply is about us. */
const anybody: WhoWeAre = { hello: '', sourceAddress: undefined, quoted: [], hasAcceptedDomain: true }

/** Of LMTP there is one a recipient; those that say the same are one. */
const textOf = (replies: readonly Reply[]): string => [...new Set(replies.map(loggedReply))].join(' / ').slice(0, 300)
