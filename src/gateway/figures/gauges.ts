/** What `figures` reads elsewhere, of a running gateway and its hold. For `cli`, which builds both. */
import type { ResolverCounts } from '../../dns/resolver.ts'
import type { DomainSummary, LaneSummary } from '../../queue/queue.ts'
import type { BackendReport } from '../backends/report.ts'
import type { Gateway } from '../gateway.ts'
import type { Holding } from '../hold/holding.ts'

/** What is so now, and counted by others. */
export interface Gauges {
  /** Senders that are connected: `Gateway.connections`. */
  readonly connections: number
  /** `Gateway.dns`: answers and the cache. */
  readonly dns?: ResolverCounts | undefined
  /** `Gateway.backends()`. */
  readonly backends: readonly BackendReport[]
  /** Of the hold: `Queue.totals`; undefined where nothing is held. */
  readonly held: HeldTotals | undefined
  /** `Holding.whyNotKept()`. */
  readonly whyNotKept?: string | undefined
  /** `Queue.domains()`, with messages, octets, oldest and states. */
  readonly heldByDomain: readonly DomainSummary[]
  /** `Queue.lanes()`. */
  readonly heldByLane: readonly LaneSummary[]
}

export interface HeldTotals {
  readonly messages: number
  readonly bytes: number
  readonly oldestMs: number | undefined
}

export const gaugesOf = (
  gateway: Pick<Gateway, 'connections' | 'dns' | 'backends'>,
  holding: Pick<Holding, 'queue' | 'whyNotKept'> | undefined,
): Gauges => ({
  connections: gateway.connections,
  dns: gateway.dns,
  backends: gateway.backends(),
  held: holding?.queue.totals,
  whyNotKept: holding?.whyNotKept(),
  // A hundred thousand domains take a while: only for who asks.
  get heldByDomain() {
    return holding?.queue.domains() ?? []
  },
  get heldByLane() {
    return holding?.queue.lanes() ?? []
  },
})
