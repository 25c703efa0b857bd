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
  const pass = new CountingPass()
  const statement = db.sql(
    `SELECT r.message, r.lane, r.state, r.domain, m.size, m.received, m.due IS NULL, json_extract(m.facts, '$.client.address')
     FROM message m CROSS JOIN recipient r ON r.message = m.seq`,
  )
  statement.setReturnArrays(true)
  for (const row of statement.iterate() as unknown as Iterable<CountedRow>) pass.count(row)
  pass.end()
  const { oldest, ...sums } = pass.totals
  const nextWake = rowOf<[number | null]>(db, 'SELECT min(not_before) FROM recipient WHERE not_before IS NOT NULL')?.[0]
  return {
    ...sums,
    lanes: lanesOf(db, pass.lanes),
    ...domainsOf(pass.domains),
    shares: pass.shares,
    oldestMs: sums.messages > 0 ? oldest : undefined,
    nextWakeMs: nextWake ?? undefined,
  }
}

/** A recipient, and what is known of its message. */
type CountedRow = readonly [
  seq: number,
  lane: number,
  state: number,
  domain: string,
  size: number,
  received: number,
  isKept: number,
  client: IpAddress | null,
]

/** The message whose recipients are gone through: each lane (with its state) and domain counts it once. */
interface Current {
  readonly row: CountedRow
  recipients: number
  readonly lanes: number[]
  readonly domains: DomainSum[]
}

class CountingPass {
  readonly lanes: LaneSums = new Map()
  readonly domains: DomainSums = new Map()
  readonly shares = emptyShares()
  readonly totals = { messages: 0, bytes: 0, cost: 0, keptMessages: 0, keptCost: 0, oldest: Number.POSITIVE_INFINITY }
  #message: Current | undefined

  count(row: CountedRow): void {
    const [seq, lane, state, domain, size, received] = row
    const message = this.#message?.row[0] === seq ? this.#message : this.#begin(row)
    message.recipients++
    const laneState = lane * 16 + state
    if (!message.lanes.includes(laneState)) {
      message.lanes.push(laneState)
      countLane(this.lanes, lane, state, received)
    }
    const sum = this.#domain(domain, received)
    if (!message.domains.includes(sum)) {
      message.domains.push(sum)
      sum.messages++
      sum.bytes += size
      if (received < sum.oldest) sum.oldest = received
    }
    sum.states[state] = (sum.states[state] ?? 0) + 1
  }

  /** What a message takes is known behind its last recipient. */
  end(): void {
    if (!this.#message) return
    const { row, recipients, domains } = this.#message
    const [, , , , size, , isKept, client] = row
    const cost = heldCost(size, recipients)
    this.totals.cost += cost
    if (isKept) this.totals.keptCost += cost
    else for (const sum of domains) this.#countLive(sum, client, cost)
  }

  #begin(row: CountedRow): Current {
    this.end()
    const [, , , , size, received, isKept] = row
    this.totals.messages++
    this.totals.bytes += size
    if (isKept) this.totals.keptMessages++
    if (received < this.totals.oldest) this.totals.oldest = received
    this.#message = { row, recipients: 0, lanes: [], domains: [] }
    return this.#message
  }

  #domain(domain: string, received: number): DomainSum {
    const known = this.domains.get(domain)
    if (known) return known
    const sum = { domain, messages: 0, bytes: 0, live: 0, oldest: received, states: [] }
    this.domains.set(domain, sum)
    return sum
  }

  #countLive(sum: DomainSum, client: IpAddress | null, cost: number): void {
    sum.live += cost
    if (client === null) return
    const bucket = shareBucket(sum.domain, client)
    this.shares[bucket] = (this.shares[bucket] ?? 0) + cost
  }
}

interface DomainSum {
  readonly domain: string
  messages: number
  bytes: number
  live: number
  oldest: number
  readonly states: number[]
}
type DomainSums = Map<string, DomainSum>

/** By the numbers of lanes and states. */
type LaneSums = Map<number, Map<number, [messages: number, oldest: number]>>

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
