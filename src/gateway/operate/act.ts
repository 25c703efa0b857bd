/**
 * What a person does to held mail: tries it now, keeps it back, lets it go, sends it another way, removes it, or only counts what it would be done to. A
 * page a call. What may be done to a recipient, `decide` says. For `queue-operations`.
 */
import type { HeldEntry, HeldRecipient, Lane, QueueFilter, Settlement } from '../../queue/queue.ts'
import { watchedUntilMs } from '../settle/may-have-it.ts'
import { choices, chosenLane, nameIn } from '../ways/chosen-lane.ts'
import { decide } from './decide.ts'
import { isMeant } from './is-meant.ts'
import type { QueueOperationsDeps } from './queue-operations-deps.ts'
import type { Act, ActAnswer } from './queue-shapes.ts'

export interface NoSuchWay {
  readonly kind: 'no-such-way'
  /** What is declared; undefined where no configuration is known. */
  readonly choices: readonly string[] | undefined
}

const pageMessages = 100
const leftListed = 20
const mustNotGo: ReadonlySet<Act> = new Set(['hold', 'route', 'remove'])

/** @param to  for `route`: a backend's URL or a route's name */
export async function act(
  deps: QueueOperationsDeps,
  what: Act,
  filter: QueueFilter,
  after: string | undefined,
  to?: string,
): Promise<ActAnswer | NoSuchWay> {
  const { queue, running, clock } = deps
  const page = await queue.list(filter, pageMessages, after)
  const chosen = (held: HeldRecipient) => {
    const settings = deps.settings()
    return to !== undefined && settings ? chosenLane(held.recipient, to, settings) : undefined
  }
  if (what === 'route' && page.messages.some(({ recipients }) => !recipients.some(chosen))) {
    const settings = deps.settings()
    return { kind: 'no-such-way', choices: settings && choices(settings) }
  }
  const lanes = new Set<Lane>()
  const actOnAll = () =>
    Promise.all(page.messages.map((entry) => actOn(deps, what, entry, filter, { lanes, chosen, nowMs: clock.now() })))
  // What the drain has fetched by now must not go when it has just been kept back.
  const done = running && mustNotGo.has(what) ? await running.drain.pauseWhile(actOnAll) : await actOnAll()
  const out = new Set([...lanes].filter((lane) => running?.isOut(lane)))
  if (what === 'retry') running?.hurry(lanes)
  if (lanes.size > 0) running?.drain.kick(lanes)
  const changed = done.filter(({ recipients }) => recipients > 0)
  const left = done.flatMap(({ id, why }) => (why === undefined ? [] : [{ id, why }]))
  return {
    messages: changed.length,
    recipients: changed.reduce((sum, { recipients }) => sum + recipients, 0),
    octets: changed.reduce((sum, { octets }) => sum + octets, 0),
    left: left.slice(0, leftListed),
    leftCount: left.length,
    ...(what === 'retry' && running
      ? { withoutBackend: changed.filter((each) => each.lanes.every((lane) => out.has(lane))).length }
      : {}),
    next: page.next ?? null,
  }
}

/** @returns how many recipients it was done to, and why it was not done to the others that were meant */
async function actOn(
  deps: QueueOperationsDeps,
  what: Act,
  { message, recipients }: HeldEntry,
  filter: QueueFilter,
  { lanes, chosen, nowMs }: { lanes: Set<Lane>; chosen: (held: HeldRecipient) => Lane | undefined; nowMs: number },
): Promise<Done> {
  const { queue, running, clock, log } = deps
  const { id } = message
  const none = { id, recipients: 0, octets: 0, why: undefined, lanes: [] }
  const meant = recipients.filter((held) => isMeant(held, filter))
  const octets = message.size
  if (what === 'count') return { ...none, recipients: meant.length, octets }
  const isUnderWay = running?.drain.isAttempting(id) ?? false
  if (isUnderWay && (what === 'remove' || what === 'route'))
    return { ...none, why: 'a backend is being asked to take it at this moment' }
  const decided = meant.map((held) => ({
    held,
    is: decide(what, held, {
      nowMs,
      watchedUntilMs: watchedUntilMs(held, message.receivedMs),
      isNamed: filter.ids !== undefined || (filter.states?.includes(held.state) ?? false),
      lane: what === 'route' ? chosen(held) : (deps.ways?.ofRecipient(held.recipient, held.lane) ?? undefined),
      hasWays: deps.ways !== undefined,
    }),
  }))
  const changing = decided.flatMap(({ held, is }) => (typeof is === 'object' && 'to' in is ? [{ held, is }] : []))
  const told = decided.flatMap(({ is }) => (typeof is === 'string' ? [is] : []))
  const already = decided.flatMap(({ is }) => (typeof is === 'object' && 'already' in is ? [is.already] : []))
  if (changing.length === 0) return { ...none, why: told[0] ?? already[0] }
  for (const { held, is } of changing) for (const lane of [held.lane, is.lane]) if (lane !== undefined) lanes.add(lane)
  const changes: Settlement['recipients'] = changing.map(({ held: { index }, is: { to, from, lane } }) => ({
    index,
    to,
    from,
    ...(lane === undefined ? {} : { lane }),
  }))
  const goes = changing.map(({ held, is }) => is.lane ?? held.lane)
  await queue.settle({ id, recipients: changes })
  deps.tell?.({ kind: 'by-person', what, atMs: clock.now(), id, recipients: changes.length })
  log.info(events[what], {
    id,
    from: message.envelope.sender?.text ?? '',
    to: changing.map(({ held }) => held.recipient.text),
    ...(what === 'route' ? { way: goes.map(nameIn)[0] } : {}),
  })
  return { id, recipients: changes.length, octets, why: told[0], lanes: goes }
}

interface Done {
  readonly id: string
  readonly recipients: number
  readonly octets: number
  readonly why: string | undefined
  /** By which they go now. */
  readonly lanes: readonly Lane[]
}

const events = {
  retry: 'tried again by a person',
  hold: 'held by a person',
  release: 'released by a person',
  route: 'sent another way by a person',
  remove: 'removed by a person',
} as const
