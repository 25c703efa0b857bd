/**
 * The counts of what is held, in memory: totals, lanes, domains. Loaded at the start, then told of each message before and after a change, in the
 * order of commits. Engines keep one each.
 *
 * `oldestMs` of a lane or domain stands until its oldest is gone; then it is too old until `setOldest` brings the next one.
 */
import type { IpAddress } from '../base/ip.ts'
import { emptyShares, shareBucket } from './network-shares.ts'
import type { DomainSummary, LaneSummary, RecipientState } from './queue.ts'
import { recipientStates } from './queue.ts'
import { heldCost } from './quota.ts'

/** What one message counts for. */
export interface Counted {
  readonly size: number
  readonly receivedMs: number
  /** Undefined for mail of our own. */
  readonly client: IpAddress | undefined
  readonly recipients: readonly { readonly lane: string; readonly state: RecipientState; readonly domain: string }[]
}

export interface Totals {
  readonly messages: number
  readonly bytes: number
  readonly oldestMs: number | undefined
  /** What all of them take of the hold (`heldCost`). */
  readonly cost: number
  /** Of those, messages that are only kept for a person (`refused`, `expired`): they have a quota of their own. */
  readonly keptMessages: number
  readonly keptCost: number
}

/** Counts as an engine reads them from its rows. */
export interface LoadedCounts {
  readonly messages: number
  readonly bytes: number
  readonly cost: number
  readonly keptMessages: number
  readonly keptCost: number
  readonly oldestMs: number | undefined
  readonly lanes: Iterable<{ lane: string; state: RecipientState; messages: number; oldestMs: number }>
  readonly domains: Iterable<{ domain: string; messages: number; bytes: number; liveCost: number; oldestMs: number }>
  readonly states: Iterable<{ domain: string; state: RecipientState; recipients: number }>
  /** By `shareBucket`. */
  readonly shares: Float64Array
}

interface LaneCount {
  readonly byState: number[]
  oldestMs: number
}

interface DomainCount {
  messages: number
  bytes: number
  liveCost: number
  oldestMs: number
  readonly byState: number[]
}

export interface Counters {
  change(before: Counted | undefined, after: Counted | undefined): void
  load(counts: LoadedCounts): void
  /** @param oldest  what the rows said a moment ago; only names that are known are taken */
  setOldest(oldest: {
    readonly lanes: Iterable<readonly [string, number]>
    readonly domains: Iterable<readonly [string, number]>
    readonly oldestMs: number | undefined
  }): void
  /** Something that was the oldest is gone, since `setOldest`. */
  readonly isOldestStale: boolean
  /** What a domain's messages take that are not only kept for a person. */
  liveCost(domain: string): number
  /** The same of one bucket of a domain and a network (`shareBucket`). */
  share(bucket: number): number
  readonly totals: Totals
  /** Messages with a recipient of that lane in that state. */
  inLane(lane: string, state: RecipientState): number
  lanes(): LaneSummary[]
  domains(): DomainSummary[]
}

const numberOf = Object.fromEntries(recipientStates.map((state, number) => [state, number])) as Readonly<
  Record<RecipientState, number>
>
const { ready, waiting, unknown } = numberOf
const never = Number.POSITIVE_INFINITY

export const isOnlyKept = (counted: Counted): boolean =>
  counted.recipients.every(({ state }) => state === 'refused' || state === 'expired')

export function createCounters(): Counters {
  let totals = { messages: 0, bytes: 0, cost: 0, keptMessages: 0, keptCost: 0, oldestMs: never }
  let lanes = new Map<string, LaneCount>()
  let domains = new Map<string, DomainCount>()
  let shares = emptyShares()
  let isOldestStale = false

  function count(counted: Counted, sign: 1 | -1): void {
    const { size, receivedMs, client, recipients } = counted
    const kept = isOnlyKept(counted)
    const cost = heldCost(size, recipients.length)
    totals.messages += sign
    totals.bytes += sign * size
    totals.cost += sign * cost
    if (kept) totals.keptMessages += sign
    if (kept) totals.keptCost += sign * cost
    totals.oldestMs = aged(totals.oldestMs, receivedMs, sign, totals.messages === 0)
    const seenLanes = new Set<string>()
    const seenDomains = new Set<string>()
    for (const { lane, state, domain } of recipients) {
      const laneState = `${state} ${lane}`
      if (!seenLanes.has(laneState)) {
        seenLanes.add(laneState)
        countLane(lane, state, receivedMs, sign)
      }
      if (seenDomains.has(domain)) countDomain(domain, state, undefined, sign)
      else {
        seenDomains.add(domain)
        countDomain(domain, state, { size, cost, receivedMs, kept }, sign)
        if (client !== undefined && !kept) countShare(shareBucket(domain, client), sign * cost)
      }
    }
  }

  function aged(oldestMs: number, receivedMs: number, sign: 1 | -1, isEmpty: boolean): number {
    if (isEmpty) return never
    if (sign === 1) return Math.min(oldestMs, receivedMs)
    if (receivedMs <= oldestMs) isOldestStale = true
    return oldestMs
  }

  function countLane(name: string, state: RecipientState, receivedMs: number, sign: 1 | -1): void {
    let lane = lanes.get(name)
    if (!lane) {
      lane = { byState: [], oldestMs: never }
      lanes.set(name, lane)
    }
    const number = numberOf[state]
    lane.byState[number] = (lane.byState[number] ?? 0) + sign
    if (lane.byState.every((held) => !held)) lanes.delete(name)
    else if (isGoing(number)) lane.oldestMs = aged(lane.oldestMs, receivedMs, sign, going(lane) === 0)
  }

  function countDomain(
    name: string,
    state: RecipientState,
    message: { size: number; cost: number; receivedMs: number; kept: boolean } | undefined,
    sign: 1 | -1,
  ): void {
    let domain = domains.get(name)
    if (!domain) {
      domain = { messages: 0, bytes: 0, liveCost: 0, oldestMs: never, byState: [] }
      domains.set(name, domain)
    }
    const number = numberOf[state]
    domain.byState[number] = (domain.byState[number] ?? 0) + sign
    if (message) {
      domain.messages += sign
      domain.bytes += sign * message.size
      if (!message.kept) domain.liveCost += sign * message.cost
      domain.oldestMs = aged(domain.oldestMs, message.receivedMs, sign, domain.messages === 0)
    }
    if (domain.byState.every((held) => !held)) domains.delete(name)
  }

  function countShare(bucket: number, change: number): void {
    shares[bucket] = (shares[bucket] ?? 0) + change
  }

  return {
    change(before, after) {
      // Added first, so that what only changes its state does not leave its lane for a moment.
      if (after) count(after, 1)
      if (before) count(before, -1)
    },
    load(counts) {
      const { messages, bytes, cost, keptMessages, keptCost, oldestMs = never } = counts
      totals = { messages, bytes, cost, keptMessages, keptCost, oldestMs }
      shares = counts.shares
      lanes = new Map()
      for (const { lane: name, state, messages: held, oldestMs: first } of counts.lanes) {
        const lane = lanes.get(name) ?? { byState: [], oldestMs: never }
        lane.byState[numberOf[state]] = held
        if (isGoing(numberOf[state])) lane.oldestMs = Math.min(lane.oldestMs, first)
        lanes.set(name, lane)
      }
      domains = new Map()
      for (const { domain, ...held } of counts.domains) domains.set(domain, { ...held, byState: [] })
      for (const { domain, state, recipients } of counts.states) {
        const held = domains.get(domain)
        if (held) held.byState[numberOf[state]] = recipients
      }
      isOldestStale = false
    },
    setOldest(oldest) {
      for (const [name, oldestMs] of oldest.lanes) {
        const lane = lanes.get(name)
        if (lane && going(lane) > 0) lane.oldestMs = oldestMs
      }
      for (const [name, oldestMs] of oldest.domains) {
        const domain = domains.get(name)
        if (domain) domain.oldestMs = oldestMs
      }
      if (totals.messages > 0 && oldest.oldestMs !== undefined) totals.oldestMs = oldest.oldestMs
      isOldestStale = false
    },
    get isOldestStale() {
      return isOldestStale
    },
    liveCost: (domain) => domains.get(domain)?.liveCost ?? 0,
    share: (bucket) => shares[bucket] ?? 0,
    get totals() {
      return { ...totals, oldestMs: defined(totals.oldestMs) }
    },
    inLane: (lane, state) => lanes.get(lane)?.byState[numberOf[state]] ?? 0,
    lanes: () =>
      [...lanes].map(([name, { byState, oldestMs }]) => ({
        lane: name as LaneSummary['lane'],
        ready: byState[ready] ?? 0,
        waiting: byState[waiting] ?? 0,
        unknown: byState[unknown] ?? 0,
        oldestMs: defined(oldestMs),
      })),
    domains: () =>
      [...domains].map(([domain, { messages, bytes, oldestMs, byState }]) => ({
        domain,
        messages,
        bytes,
        oldestMs,
        byState: Object.fromEntries(recipientStates.map((state, number) => [state, byState[number]]).filter(isThere)),
      })),
  }
}

const isThere = ([, recipients]: (string | number | undefined)[]) => recipients !== undefined && recipients !== 0
const isGoing = (state: number) => state === ready || state === waiting || state === unknown
const going = ({ byState }: LaneCount) => (byState[ready] ?? 0) + (byState[waiting] ?? 0) + (byState[unknown] ?? 0)
const defined = (ms: number) => (ms === never ? undefined : ms)
