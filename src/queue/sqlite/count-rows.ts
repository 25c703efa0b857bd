/** Operations of the hold: the counts that the main side keeps in memory, as the rows say them. Run at the start, and after a doubtful COMMIT. */

import type { IpAddress } from '../../base/ip.ts'
import type { Database } from '../../store/module.ts'
import { emptyShares, shareBucket } from '../network-shares.ts'
import { heldCost } from '../quota.ts'
import { isGoing } from '../state-numbers.ts'
import { laneName } from './lane-names.ts'
import { rowOf } from './message-rows.ts'

export interface Counts {
  readonly messages: number
  readonly bytes: number
  readonly cost: number
  readonly keptMessages: number
  readonly keptCost: number
  /** Messages, not recipients. */
  readonly lanes: readonly (readonly [lane: string, state: number, messages: number, oldest: number])[]
  /** `live` is the cost of messages that are not only kept for a person. */
  readonly domains: readonly (readonly [
    domain: string,
    messages: number,
    bytes: number,
    live: number,
    oldest: number,
  ])[]
  /** Recipients. */
  readonly states: readonly (readonly [domain: string, state: number, recipients: number])[]
  /** What each bucket of a domain and a client network has, as `live`. */
  readonly shares: Float64Array
  readonly oldestMs: number | undefined
  readonly nextWakeMs: number | undefined
}

/**
 * One pass over the recipients in the order of messages, which is how they lie: a million take about a second, where sorting them by lane and by
 * domain takes three.
 */
export function counts(db: Database): Counts {
  const lanes: LaneSums = new Map()
  const domains: DomainSums = new Map()
  const totals = { messages: 0, bytes: 0, cost: 0, keptMessages: 0, keptCost: 0, oldest: Number.POSITIVE_INFINITY }
  const statement = db.sql(
    `SELECT r.message, r.lane, r.state, r.domain, m.size, m.received, m.due IS NULL, json_extract(m.facts, '$.client.address')
     FROM message m CROSS JOIN recipient r ON r.message = m.seq`,
  )
  statement.setReturnArrays(true)
  let current = -1
  let [size, recipients, isKept] = [0, 0, 0]
  let client: IpAddress | null = null
  const shares = emptyShares()
  let seenDomains: string[] = []
  let seenLanes: number[] = []
  /** What a message takes is known behind its last recipient. */
  const endMessage = () => {
    if (current < 0) return
    const cost = heldCost(size, recipients)
    totals.cost += cost
    if (isKept) totals.keptCost += cost
    else for (const domain of seenDomains) countLive(domain, cost)
  }
  const countLive = (domain: string, cost: number) => {
    ;(domains.get(domain) as { live: number }).live += cost
    if (client === null) return
    const bucket = shareBucket(domain, client)
    shares[bucket] = (shares[bucket] ?? 0) + cost
  }
  for (const row of statement.iterate() as unknown as Iterable<
    [number, number, number, string, number, number, number, IpAddress | null]
  >) {
    const [seq, lane, state, domain, , received] = row
    if (seq !== current) {
      endMessage()
      current = seq
      size = row[4]
      isKept = row[6]
      client = row[7]
      recipients = 0
      seenDomains = []
      seenLanes = []
      totals.messages++
      totals.bytes += size
      if (isKept) totals.keptMessages++
      if (received < totals.oldest) totals.oldest = received
    }
    recipients++
    const laneKey = lane * 16 + state
    if (!seenLanes.includes(laneKey)) {
      seenLanes.push(laneKey)
      countLane(lanes, lane, state, received)
    }
    let counted = domains.get(domain)
    if (!counted) {
      counted = { messages: 0, bytes: 0, live: 0, oldest: received, states: [] }
      domains.set(domain, counted)
    }
    if (!seenDomains.includes(domain)) {
      seenDomains.push(domain)
      counted.messages++
      counted.bytes += size
      if (received < counted.oldest) counted.oldest = received
    }
    counted.states[state] = (counted.states[state] ?? 0) + 1
  }
  endMessage()
  const { oldest: oldestMs, ...sums } = totals
  const nextWake = rowOf<[number | null]>(db, 'SELECT min(not_before) FROM recipient WHERE not_before IS NOT NULL')?.[0]
  return {
    ...sums,
    lanes: lanesOf(db, lanes),
    ...domainsOf(domains),
    shares,
    oldestMs: totals.messages > 0 ? oldestMs : undefined,
    nextWakeMs: nextWake ?? undefined,
  }
}

/** By the numbers of lanes and states. */
type LaneSums = Map<number, Map<number, [messages: number, oldest: number]>>
type DomainSums = Map<string, { messages: number; bytes: number; live: number; oldest: number; states: number[] }>

const lanesOf = (db: Database, lanes: LaneSums): Counts['lanes'] =>
  [...lanes].flatMap(([lane, states]) =>
    [...states].map(([state, [messages, oldest]]) => [laneName(db, lane), state, messages, oldest] as const),
  )

const domainsOf = (domains: DomainSums): Pick<Counts, 'domains' | 'states'> => ({
  domains: [...domains].map(([domain, { messages, bytes, live, oldest }]) => [domain, messages, bytes, live, oldest]),
  states: [...domains].flatMap(([domain, { states }]) =>
    Object.entries(states).map(([state, recipients]) => [domain, Number(state), recipients] as const),
  ),
})

function countLane(lanes: LaneSums, lane: number, state: number, received: number): void {
  let states = lanes.get(lane)
  if (!states) {
    states = new Map()
    lanes.set(lane, states)
  }
  const counted = states.get(state)
  if (!counted) states.set(state, [1, received])
  else {
    counted[0]++
    if (received < counted[1]) counted[1] = received
  }
}

export interface OldestMoments {
  readonly lanes: readonly (readonly [lane: string, oldest: number])[]
  readonly domains: readonly (readonly [domain: string, oldest: number])[]
  readonly oldestMs: number | undefined
}

/** The oldest of each lane (of what is on its way) and domain. */
export function oldestMoments(db: Database): OldestMoments {
  const lanes = new Map<number, number>()
  const domains = new Map<string, number>()
  const statement = db.sql('SELECT lane, state, domain, received FROM recipient')
  statement.setReturnArrays(true)
  for (const [lane, state, domain, received] of statement.iterate() as unknown as Iterable<
    [number, number, string, number]
  >) {
    if (received < (domains.get(domain) ?? Number.POSITIVE_INFINITY)) domains.set(domain, received)
    if (isGoing(state) && received < (lanes.get(lane) ?? Number.POSITIVE_INFINITY)) lanes.set(lane, received)
  }
  let oldestMs: number | undefined
  for (const first of domains.values()) if (oldestMs === undefined || first < oldestMs) oldestMs = first
  return { lanes: [...lanes].map(([lane, first]) => [laneName(db, lane), first]), domains: [...domains], oldestMs }
}
