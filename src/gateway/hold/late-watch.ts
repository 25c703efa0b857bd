/**
 * Listens on where a backend was silent behind our dot: the message is held as unknown and its sender has been answered, and the word that still
 * comes decides what becomes of it. Made by `kept`, for `hand-over` and `settle-attempt`; how long it listens, `may-have-it` says.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { LateAnswer } from '../../delivery/outcome.ts'
import { isPositive, type Reply } from '../../mail/reply.ts'
import type { Attempt, HeldEntry, Lane, NewHeld, Queue } from '../../queue/queue.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'
import type { Answer } from '../carry/carried.ts'
import * as verdict from '../carry/verdict.ts'
import { type Declared, domainsOf, type Tell } from '../events.ts'
import type { AfterHold } from '../notices/after-hold.ts'
import type { Successes } from '../notices/successes.ts'
import type { Way } from '../ways/lanes.ts'
import { lateWatchMs } from './may-have-it.ts'
import { sortAnswers } from './sort-answers.ts'
import type { WriteDown } from './write-down.ts'

export interface LateWatch {
  /** @param indexes  of the recipients that are unanswered: one reply is for all of them, or one comes for each (LMTP) */
  listen(watched: Watched, late: LateAnswer): void
}

export interface Watched {
  readonly id: string
  readonly way: Way
  readonly endpoint: Endpoint
  readonly indexes: readonly number[]
  /** What is owed to a sender who wants to hear of success, should it be one. */
  readonly owed: 'relayed' | 'delivered' | undefined
  /** How long we have listened already. */
  readonly waitedMs: number
}

export interface LateWatchDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly declared?: Declared | undefined
  readonly queue: Queue
  readonly writeDown: WriteDown
  readonly afterHold: AfterHold
  readonly successes: Successes
  readonly random: Random
  /** Something of this lane waits for the drain. */
  readonly onHeld: (lane: Lane) => void
}

export function createLateWatch(deps: LateWatchDeps): LateWatch {
  const { clock, random, log, queue, writeDown, afterHold, successes, onHeld } = deps

  /** What a notice and the figures need of it. That it cannot be read is no reason to forget what the backend has said. */
  async function entryOf(id: string): Promise<HeldEntry | undefined> {
    try {
      return await queue.get(id)
    } catch (error) {
      log.error('held message not read', { id, error })
      return undefined
    }
  }

  /** The notice that is due where the late word is yes, and the sender asked for it. */
  async function successOf(
    { id, way, endpoint, indexes, owed }: Watched,
    entry: HeldEntry | undefined,
    replyAt: (at: number) => Reply,
  ): Promise<NewHeld | undefined> {
    if (!owed || !entry) return undefined
    const recipients = indexes.flatMap((index, at) => {
      const held = entry.recipients.find((each) => each.index === index)
      const reply = replyAt(at)
      return held && isPositive(reply) ? [{ recipient: held.recipient, reply }] : []
    })
    try {
      return await successes.drained(entry.message, { way, endpoint, owed, recipients })
    } catch (error) {
      log.error('success not told', { id, error })
      return undefined
    }
  }

  function tellOf(
    { id, way, endpoint, indexes }: Watched,
    entry: HeldEntry | undefined,
    outcome: 'delivered' | 'refused' | 'deferred',
  ): void {
    const watched = (entry?.recipients ?? []).filter(({ index }) => indexes.includes(index))
    deps.tell?.({
      kind: 'attempt',
      outcome,
      atMs: clock.now(),
      id,
      domains: deps.declared
        ? domainsOf(
            watched.map(({ recipient }) => recipient),
            deps.declared,
          )
        : [],
      route: way.route.id,
      backend: endpoint.backend.url,
      endpoint: backendFields(endpoint).endpoint,
      bytes: entry?.message.size ?? 0,
      heldMs: entry ? clock.now() - entry.message.receivedMs : 0,
      ms: 0,
      isLate: true,
    })
  }

  async function hear(watched: Watched, late: LateAnswer): Promise<void> {
    const untilMs = clock.monotonicMs() + Math.max(0, lateWatchMs - watched.waitedMs)
    const replies = await late.wait(untilMs)
    if (!replies) return
    const { id, way, indexes, endpoint } = watched
    const replyAt = (at: number): Reply => replies[replies.length === 1 ? 0 : at] as Reply
    const before = { from: ['unknown'], behind: endpoint.backend.key } as const
    const answered = indexes.map((index, at) => ({ index, before, answer: answerOf(replyAt(at)) }))
    const { recipients, refused } = sortAnswers(answered, { nowMs: clock.now(), random, way, carried: undefined })
    log.info('late verdict', { id, ...backendFields(endpoint), reply: textOf(replies) })
    // Read before it is settled, because it may be gone by then.
    const entry = await entryOf(id)
    const isSome = recipients.some(({ to }) => to.kind === 'gone')
    if (recipients.length > 0) {
      const dsn = await successOf(watched, entry, replyAt)
      const attempt: Attempt = {
        atMs: clock.now(),
        backend: endpoint.backend.url,
        outcome: isSome ? 'delivered' : 'deferred',
        text: `late: ${textOf(recipients.flatMap(({ reply }) => reply ?? []))}`,
        recipients: recipients.length,
      }
      await writeDown.surely({ id }, () => queue.settle({ id, recipients, attempt, ...(dsn ? { dsn } : {}) }))
      for (const { lane } of dsn?.recipients ?? []) onHeld(lane)
      if (recipients.some(({ to }) => to.kind !== 'gone')) onHeld(way.lane)
    }
    tellOf(watched, entry, isSome ? 'delivered' : refused.length > 0 ? 'refused' : 'deferred')
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

const answerOf = (reply: Reply): Answer =>
  isPositive(reply) ? { kind: 'accepted', reply } : { kind: 'said', by: 'backend', reply }

/** Of LMTP there is one a recipient; those that say the same are one. */
const textOf = (replies: readonly Reply[]): string =>
  [...new Set(replies.map(verdict.safeText))].join(' / ').slice(0, 300)
