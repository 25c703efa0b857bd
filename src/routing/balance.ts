/**
 * In which order a message tries the endpoints of its route: tiers by preference, smooth weighted round robin or least connections
 * within a tier, those that are up before those that are suspect. Asked by `gateway/carry/staging.ts`, for one message once or again.
 */
import type { Endpoint } from './backend.ts'
import { type Health, type HealthState, healthState, isServing, trust } from './health.ts'

/** One address in a route, with its place. */
export interface Member {
  readonly endpoint: Endpoint
  /** Lower is tried first; equal ones are a tier. For `mx` it orders by the route's preference, then by the record's. */
  readonly tier: number
  /** Share within the tier: the backend's weight divided by the number of its addresses. */
  readonly weight: number
}

export interface Candidate {
  readonly endpoint: Endpoint
  readonly tier: number
}

export interface BalanceView {
  readonly nowMs: number
  /** Of the client whose message it is: what is slow for it alone is no candidate for it. */
  readonly network?: string
  health(endpoint: Endpoint): Health
  /** Sessions in use now, for least-connections. */
  busy(endpoint: Endpoint): number
}

export interface Balancer {
  /**
   * The candidates for one message, first choice first; empty when the route is out.
   * @param isAgain  for a message that has had its turn: whose turn is next stays as it is
   */
  order(members: readonly Member[], view: BalanceView, isAgain?: boolean): readonly Candidate[]
}

/** A balancer remembers whose turn it is; one a route, kept over reloads. */
export function createBalancer(balance: 'round-robin' | 'least-connections'): Balancer {
  /** Smooth weighted round robin: what each endpoint is ahead or behind of its share. */
  const credit = new Map<string, number>()
  /** What a tier that is coming back is owed, by tier. */
  const owed = new Map<number, number>()

  function order(members: readonly Member[], view: BalanceView, isAgain = false): readonly Candidate[] {
    const only = members[0]
    if (only && members.length === 1) return isCandidate(only, view) ? [only] : []
    const up = tiersOf(thoseIn('up', members, view))
    const suspect = tiersOf(thoseIn('suspect', members, view))
    const ordered = [...failBackSlowly(up, view, isAgain), ...suspect].flatMap((tier) =>
      isAgain ? byTurn(tier, view) : takeTurn(tier, view),
    )
    forgetOthers(members)
    return ordered
  }

  function takeTurn(tier: readonly Member[], view: BalanceView): readonly Member[] {
    if (tier.length < 2) return tier
    const shares = tier.map((member) => ({ member, share: member.weight * trust(view.health(member.endpoint)) }))
    const total = shares.reduce((sum, { share }) => sum + share, 0)
    for (const { member, share } of shares) credit.set(member.endpoint.key, creditOf(member) + share)
    const ordered = byTurn(tier, view)
    const first = ordered[0]
    if (first) credit.set(first.endpoint.key, creditOf(first) - total)
    return ordered
  }

  const byTurn = (tier: readonly Member[], view: BalanceView) =>
    [...tier].sort((a, b) => loadOf(a, view) - loadOf(b, view) || creditOf(b) - creditOf(a))

  /** Only least-connections looks at the load; equal loads fall back to whose turn it is. */
  function loadOf(member: Member, view: BalanceView): number {
    return balance === 'least-connections' ? view.busy(member.endpoint) / member.weight : 0
  }

  /**
   * A better tier that has just come back takes a share that grows over three messages; the others of it go to the next tier first, which has served
   * meanwhile. One that has just come back too is no better than the first.
   */
  function failBackSlowly(
    tiers: readonly (readonly Member[])[],
    view: BalanceView,
    isAgain: boolean,
  ): readonly (readonly Member[])[] {
    const [best, next, ...rest] = tiers
    if (!best?.[0] || !next) return tiers
    const trustOf = (tier: readonly Member[]) => Math.max(...tier.map((member) => trust(view.health(member.endpoint))))
    const share = trustOf(best)
    if (share >= 1 || trustOf(next) <= share) return tiers
    const due = (owed.get(best[0].tier) ?? 0) + share
    if (!isAgain) owed.set(best[0].tier, due >= 1 ? due - 1 : due)
    return due >= 1 ? tiers : [next, best, ...rest]
  }

  const creditOf = (member: Member) => credit.get(member.endpoint.key) ?? 0

  /** What left the route takes no memory. */
  function forgetOthers(members: readonly Member[]): void {
    if (credit.size <= members.length * 2) return
    const keys = new Set(members.map((member) => member.endpoint.key))
    for (const key of credit.keys()) if (!keys.has(key)) credit.delete(key)
  }

  return { order }
}

/** A host of which some addresses are left out keeps its weight: the others share it. */
function thoseIn(wanted: HealthState, members: readonly Member[], view: BalanceView): readonly Member[] {
  const those = members.filter((member) => state(member, view) === wanted)
  // As it mostly is.
  if (those.length === members.length || those.length === 0) return those
  const all = addressesOfHosts(members)
  const left = addressesOfHosts(those)
  const shareOf = (member: Member) => (all.get(hostOf(member)) ?? 1) / (left.get(hostOf(member)) ?? 1)
  return those.map((member) => ({ ...member, weight: member.weight * shareOf(member) }))
}

/** How many there are, by the host. */
function addressesOfHosts(members: readonly Member[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const member of members) counts.set(hostOf(member), (counts.get(hostOf(member)) ?? 0) + 1)
  return counts
}

const hostOf = ({ tier, endpoint: { backend, name } }: Member) => `${tier} ${backend.key} ${name}`

const state = (member: Member, view: BalanceView) => healthState(view.health(member.endpoint), view.nowMs, view.network)

const isCandidate = (member: Member, view: BalanceView) => isServing(state(member, view))

/** Groups by tier, better tiers first. */
function tiersOf(members: readonly Member[]): readonly (readonly Member[])[] {
  const tiers = new Map<number, Member[]>()
  for (const member of members) {
    const tier = tiers.get(member.tier)
    if (tier) tier.push(member)
    else tiers.set(member.tier, [member])
  }
  return [...tiers.entries()].sort(([a], [b]) => a - b).map(([, tier]) => tier)
}
