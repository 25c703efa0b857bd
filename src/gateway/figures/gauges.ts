/** What `figures` reads elsewhere, of a running gateway and its hold. For `cli`, which builds both. */
import type { Gateway } from '../gateway.ts'
import type { Holding } from '../hold/holding.ts'
import type { Gauges } from './figures.ts'

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
