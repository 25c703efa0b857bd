/**
 * What a person may do with held mail: look at it, try it now, keep it back, let it go, send it another way, remove it. `waypost queue` asks, through
 * the control socket of a running gateway (`kept` makes this for it), or on the store of a stopped one (`cli/queue/access`), which has no drain.
 *
 * Whatever touches many messages is done a page a call, and the caller comes again with `next`.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import { replyText } from '../../mail/reply.ts'
import type { HeldEntry, HeldRecipient, Lane, Queue, QueueFilter, Settlement } from '../../queue/queue.ts'
import { choices, chosenLane } from '../drain/chosen-lane.ts'
import type { Drain } from '../drain/drain.ts'
import type { DrainGuard } from '../drain/drain-guard.ts'
import type { WaySettings, Ways } from '../drain/ways.ts'
import type { Tell } from '../events.ts'
import { type ContentPart, contentPart, headerLines } from '../hold/held-content.ts'
import { watchedUntilMs } from '../hold/may-have-it.ts'
import { decide } from './decide.ts'
import { isMeant } from './is-meant.ts'
import type {
  Act,
  ActAnswer,
  ListAnswer,
  ListedMessage,
  ListedRecipient,
  ShowAnswer,
  StatsAnswer,
} from './queue-shapes.ts'

export interface QueueOperations {
  /** @param after  `next` of the page before */
  list(filter: QueueFilter, limit: number, after: string | undefined): Promise<ListAnswer>
  /** Ids that begin so, ten at most. */
  find(prefix: string): Promise<readonly string[]>
  show(id: string): Promise<ShowAnswer | undefined>
  /** A part of the message as a backend would get it, some MiB. */
  cat(id: string, offset: number): Promise<ContentPart | { readonly kind: 'gone' }>
  /**
   * Does it to the recipients that the filter means; a page a call.
   * @param to  for `route`: a backend's URL or a route's name
   */
  act(act: Act, filter: QueueFilter, after: string | undefined, to?: string): Promise<ActAnswer | NoSuchWay>
  /** @param most  domains that are named */
  stats(most: number): Promise<StatsAnswer>
  /** Lets stopped drains go on, or that of one backend; and the expiry where it was stopped. @returns what was resumed, for people */
  resume(backend: string | undefined): readonly string[]
}

export interface NoSuchWay {
  readonly kind: 'no-such-way'
  /** What is declared; undefined where no configuration is known. */
  readonly choices: readonly string[] | undefined
}

/** Beside a running gateway. */
export interface Running {
  readonly drain: Pick<Drain, 'kick' | 'isAttempting' | 'nextTryMs'>
  /** Backends that serve these lanes and are down are tried at once. */
  readonly hurry: (lanes: ReadonlySet<Lane>) => void
  /** Whether mail of this lane has no backend to go to, as far as is known. */
  readonly isOut: (lane: Lane) => boolean
  readonly expiry: { readonly stopped: string | undefined; resume(): boolean }
}

export interface QueueOperationsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly queue: Queue
  readonly guard: Pick<DrainGuard, 'stopped' | 'resume'>
  /** Undefined where the configuration cannot be read: then nothing is routed, and lanes are put right at the next start. */
  readonly settings: () => WaySettings | undefined
  readonly ways: Ways | undefined
  readonly running: Running | undefined
}

const pageMessages = 100
/** A message may have a thousand recipients, so that a page of messages is asked for in pieces. */
const pieceMessages = 20
const piecesACall = 50
const recipientsListed = 20
const leftListed = 20
const idsFound = 10
const mostAskedForNext = 50

export function createQueueOperations(deps: QueueOperationsDeps): QueueOperations {
  const { clock, log, queue, guard, running } = deps

  async function list(filter: QueueFilter, limit: number, after: string | undefined): Promise<ListAnswer> {
    const messages: ListedMessage[] = []
    let from = after
    for (let pieces = 0; pieces < piecesACall && messages.length < limit; pieces++) {
      const page = await queue.list(filter, Math.min(pieceMessages, limit - messages.length), from)
      messages.push(...page.messages.map((entry) => listed(entry, recipientsListed)))
      from = page.next
      if (from === undefined) break
    }
    return { messages, next: from ?? null }
  }

  function listed({ message, recipients }: HeldEntry, most: number): ListedMessage {
    const { client } = message
    return {
      id: message.id,
      receivedMs: message.receivedMs,
      expiresMs: message.expiresMs,
      from: message.envelope.sender?.text ?? '',
      client: client ? { address: client.address, hello: client.hello, tls: client.tls?.version ?? null } : null,
      size: message.size,
      recipients: recipients.slice(0, most).map(listedRecipient),
      recipientCount: recipients.length,
    }
  }

  function listedRecipient(held: HeldRecipient): ListedRecipient {
    return {
      to: held.recipient.text,
      state: held.state,
      way: held.lane,
      attempts: held.attempts,
      nextMs: nextMs(held) ?? null,
      reply: held.lastReply ? replyText(held.lastReply) : null,
      host: held.lastHost ?? null,
      lastMs: held.lastAttemptMs ?? null,
      backend: held.backend ?? null,
    }
  }

  function nextMs({ state, lane, notBeforeMs }: HeldRecipient): number | undefined {
    const laneMs = laneNextMs(lane)
    switch (state) {
      case 'ready':
        return laneMs
      case 'waiting':
      case 'unknown':
        return notBeforeMs ?? laneMs
      default:
        return undefined
    }
  }

  function laneNextMs(lane: Lane): number | undefined {
    const ms = running?.drain.nextTryMs(lane)
    return ms === undefined ? undefined : Math.round(ms)
  }

  async function show(id: string): Promise<ShowAnswer | undefined> {
    const entry = await queue.get(id)
    if (!entry) return undefined
    const { message } = entry
    const opened = await queue.body(id)
    const headers = opened.kind === 'opened' ? await headerLines(message.trace, opened.body) : null
    const { proof } = message
    return {
      ...listed(entry, entry.recipients.length),
      envid: message.envelope.envid ?? null,
      ret: message.envelope.ret ?? null,
      proof:
        proof.kind === 'proven'
          ? `proven by ${proof.by}`
          : proof.kind === 'undecided'
            ? 'undecided'
            : `not proven: ${proof.why}`,
      attempts: entry.attempts.map(({ atMs, backend = null, outcome, text, recipients }) => ({
        atMs,
        backend,
        outcome,
        text,
        recipients,
      })),
      headers,
      isBeingAttempted: running?.drain.isAttempting(id) ?? false,
    }
  }

  async function act(
    what: Act,
    filter: QueueFilter,
    after: string | undefined,
    to?: string,
  ): Promise<ActAnswer | NoSuchWay> {
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
    const done = await Promise.all(
      page.messages.map((entry) => actOn(what, entry, filter, { lanes, chosen, nowMs: clock.now() })),
    )
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
    what: Act,
    { message, recipients }: HeldEntry,
    filter: QueueFilter,
    { lanes, chosen, nowMs }: { lanes: Set<Lane>; chosen: (held: HeldRecipient) => Lane | undefined; nowMs: number },
  ): Promise<Done> {
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
    const why = decided.find(({ is }) => typeof is === 'string')?.is as string | undefined
    const changes: Settlement['recipients'][number][] = []
    const goes: Lane[] = []
    for (const { held, is } of decided) {
      if (is === undefined || typeof is === 'string') continue
      lanes.add(held.lane)
      goes.push(is.lane ?? held.lane)
      if (is.lane !== undefined) lanes.add(is.lane)
      changes.push({ index: held.index, to: is.to, from: is.from, ...(is.lane === undefined ? {} : { lane: is.lane }) })
    }
    if (changes.length === 0) return { ...none, why }
    await queue.settle({ id, recipients: changes })
    deps.tell?.({ kind: 'by-person', what, atMs: clock.now(), id, recipients: changes.length })
    log.info(events[what], {
      id,
      from: message.envelope.sender?.text ?? '',
      to: decided.flatMap(({ held, is }) => (typeof is === 'object' ? [held.recipient.text] : [])),
      ...(what === 'route' ? { way: changes[0]?.lane } : {}),
    })
    return { id, recipients: changes.length, octets, why, lanes: goes }
  }

  return {
    list,
    find: (prefix) => queue.idsWith(prefix.toUpperCase(), idsFound),
    show,
    async cat(id, offset) {
      const entry = await queue.get(id)
      if (!entry) return { kind: 'gone' }
      const opened = await queue.body(id)
      if (opened.kind !== 'opened') return opened
      return await contentPart(entry.message.trace, opened.body, offset)
    },
    act,
    async stats(most) {
      const { messages, bytes, oldestMs } = queue.totals
      const domains = queue.domains()
      const largest = domains.toSorted((a, b) => b.messages - a.messages || b.bytes - a.bytes).slice(0, most)
      const wakes = await queue.nextWakes()
      const now = clock.now()
      const ownNext = (domain: string) => {
        const text = `postmaster@${domain}`
        const somebody = { localPart: 'postmaster', domain: domain as HostName, literal: undefined, text }
        const lane = deps.ways?.ofRecipient(somebody, '' as Lane)
        return lane === undefined ? undefined : laneNextMs(lane)
      }
      // What a person has sent another way waits for that one. Looked up for the largest alone: each is a question to the store.
      let askable = mostAskedForNext
      const laneNext = async (domain: string) => {
        const own = ownNext(domain)
        if (own !== undefined || askable-- <= 0) return own
        const filter: QueueFilter = { domain, states: ['ready'] }
        const found = await queue.list(filter, pieceMessages, undefined)
        const ready = found.messages.flatMap(({ recipients }) => recipients.filter((held) => isMeant(held, filter)))
        const moments = ready.flatMap(({ lane }) => laneNextMs(lane) ?? [])
        return moments.length === 0 ? undefined : Math.min(...moments)
      }
      const next = new Map<string, number | undefined>()
      for (const { domain, byState } of largest)
        next.set(domain, (byState.ready ?? 0) > 0 ? await laneNext(domain) : undefined)
      return {
        messages,
        octets: bytes,
        oldestMs: oldestMs ?? null,
        domains: largest.map(({ domain, messages: held, bytes: octets, oldestMs: since, byState }) => ({
          domain,
          messages: held,
          octets,
          oldestMs: since,
          nextMs: soonest(next.get(domain), wakes.get(domain), now) ?? null,
          states: byState,
        })),
        domainCount: domains.length,
        stopped: [...guard.stopped()].map(([backend, why]) => ({ backend, why })),
        expiryStopped: running?.expiry.stopped ?? null,
      }
    },
    resume(backend) {
      const stopped = backend === undefined ? [...guard.stopped().keys()] : [backend]
      const resumed = stopped.filter((url) => guard.resume(url)).map((url) => `the drain to ${url}`)
      if (backend === undefined && running?.expiry.resume()) resumed.push('the expiry of what is overdue')
      if (resumed.length > 0) running?.drain.kick()
      return resumed
    },
  }
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

function soonest(laneMs: number | undefined, wakeMs: number | undefined, nowMs: number): number | undefined {
  const moments = [laneMs, wakeMs].filter((ms) => ms !== undefined)
  return moments.length === 0 ? undefined : Math.max(nowMs, Math.min(...moments))
}
