/** How much is held, by domain, and when it is tried next. For `queue-operations`. */
import type { HostName } from '../../dns/name.ts'
import type { QueueFilter } from '../../queue/queue.ts'
import { isMeant } from './is-meant.ts'
import type { QueueOperationsDeps } from './queue-operations-deps.ts'
import type { StatsAnswer } from './queue-shapes.ts'
import { createLaneNext } from './running.ts'

const readyLooked = 20
const mostAskedForNext = 50

/** @param most  domains that are named */
export async function stats(deps: QueueOperationsDeps, most: number): Promise<StatsAnswer> {
  const { queue, clock, guard, running } = deps
  const { messages, bytes, oldestMs } = queue.totals
  const domains = queue.domains()
  const largest = domains.toSorted((a, b) => b.messages - a.messages || b.bytes - a.bytes).slice(0, most)
  const wakes = await queue.nextWakes()
  const now = clock.now()
  const domainNext = createDomainNext(deps)
  const next = new Map<string, number | undefined>()
  for (const { domain, byState } of largest)
    next.set(domain, (byState.ready ?? 0) > 0 ? await domainNext(domain) : undefined)
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
}

/** When what is ready of a domain is tried next: by its own way, or by those that a person has sent it, for which the store is asked a few times. */
function createDomainNext({
  queue,
  ways,
  running,
}: QueueOperationsDeps): (domain: string) => Promise<number | undefined> {
  let askable = mostAskedForNext
  const laneNext = createLaneNext(running)
  const ownNext = (domain: string) => {
    const lane = ways?.ofDomain(domain as HostName)
    return lane === undefined ? undefined : laneNext(lane)
  }
  return async (domain) => {
    const own = ownNext(domain)
    if (own !== undefined || askable-- <= 0) return own
    const filter: QueueFilter = { domain, states: ['ready'] }
    const found = await queue.list(filter, readyLooked, undefined)
    const ready = found.messages.flatMap(({ recipients }) => recipients.filter((held) => isMeant(held, filter)))
    const moments = ready.flatMap(({ lane }) => laneNext(lane) ?? [])
    return moments.length === 0 ? undefined : Math.min(...moments)
  }
}

function soonest(laneMs: number | undefined, wakeMs: number | undefined, nowMs: number): number | undefined {
  const moments = [laneMs, wakeMs].filter((ms) => ms !== undefined)
  return moments.length === 0 ? undefined : Math.max(nowMs, Math.min(...moments))
}
