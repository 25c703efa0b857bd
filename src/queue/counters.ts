/**
 * The counts of what is held, in memory: totals, lanes, domains. Loaded at the start, then told of each message before and after a change, in the
 * order of commits. Engines keep one each.
 *
 * `oldestMs` of a lane or domain stands until its oldest is gone; then it is too old until `setOldest` brings the next one.
 */
import type { IpAddress } from '../base/ip.ts'
import { DomainCounts, type LoadedDomain, type LoadedState } from './domain-counts.ts'
import { LaneCounts, type LoadedLane } from './lane-counts.ts'
import { emptyShares, shareBucket } from './network-shares.ts'
import { never, Oldest, orUndefined } from './oldest.ts'
import type { DomainSummary, LaneSummary, RecipientState } from './queue.ts'
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
  readonly lanes: Iterable<LoadedLane>
  readonly domains: Iterable<LoadedDomain>
  readonly states: Iterable<LoadedState>
  /** By `shareBucket`. */
  readonly shares: Float64Array
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

export const isOnlyKept = (counted: Counted): boolean =>
  counted.recipients.every(({ state }) => state === 'refused' || state === 'expired')

export function createCounters(): Counters {
  let totals = { messages: 0, bytes: 0, cost: 0, keptMessages: 0, keptCost: 0 }
  let shares = emptyShares()
  const oldest = new Oldest()
  const lanes = new LaneCounts(oldest)
  const domains = new DomainCounts(oldest)
  let oldestMs = never

  function count(counted: Counted, sign: 1 | -1): void {
    const { size, receivedMs, client, recipients } = counted
    const kept = isOnlyKept(counted)
    const cost = heldCost(size, recipients.length)
    totals.messages += sign
    totals.bytes += sign * size
    totals.cost += sign * cost
    if (kept) totals.keptMessages += sign
    if (kept) totals.keptCost += sign * cost
    oldestMs = oldest.behind(oldestMs, receivedMs, sign, totals.messages === 0)
    const seenLanes = new Set<string>()
    const seenDomains = new Set<string>()
    for (const { lane, state, domain } of recipients) {
      const laneState = `${state} ${lane}`
      if (!seenLanes.has(laneState)) {
        seenLanes.add(laneState)
        lanes.count(lane, state, receivedMs, sign)
      }
      if (seenDomains.has(domain)) domains.count(domain, state, undefined, sign)
      else {
        seenDomains.add(domain)
        domains.count(domain, state, { size, cost, receivedMs, kept }, sign)
        if (client !== undefined && !kept) countShare(shareBucket(domain, client), sign * cost)
      }
    }
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
      const { messages, bytes, cost, keptMessages, keptCost } = counts
      totals = { messages, bytes, cost, keptMessages, keptCost }
      oldestMs = counts.oldestMs ?? never
      shares = counts.shares
      lanes.load(counts.lanes)
      domains.load(counts.domains, counts.states)
      oldest.isStale = false
    },
    setOldest(found) {
      lanes.setOldest(found.lanes)
      domains.setOldest(found.domains)
      if (totals.messages > 0 && found.oldestMs !== undefined) oldestMs = found.oldestMs
      oldest.isStale = false
    },
    get isOldestStale() {
      return oldest.isStale
    },
    liveCost: (domain) => domains.liveCost(domain),
    share: (bucket) => shares[bucket] ?? 0,
    get totals() {
      return { ...totals, oldestMs: orUndefined(oldestMs) }
    },
    inLane: (lane, state) => lanes.messages(lane, state),
    lanes: () => lanes.summaries(),
    domains: () => domains.summaries(),
  }
}
