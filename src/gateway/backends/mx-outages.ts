/** `mx` backends whose exchangers could not be found when they were looked up last: why, for people. For `endpoints`. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import type { Backend } from '../../routing/backend.ts'

export interface MxOutages {
  failed(backend: Backend, domain: HostName, why: string): void
  answered(backend: Backend): void
  /** As that of `Endpoints`. */
  whyUnknown(backend: Backend): string | undefined
}

const againMs = 30_000

/** @param lookAgain  tells of what it finds by `failed` and `answered` */
export function createMxOutages(
  clock: Clock,
  log: Log,
  lookAgain: (backend: Backend, domain: HostName) => Promise<unknown>,
): MxOutages {
  const outages = new Map<string, Outage>()
  return {
    failed: ({ key }, domain, why) =>
      void outages.set(key, { domain, why, atMs: clock.monotonicMs(), isLookedUp: false }),
    answered: ({ key }) => void outages.delete(key),
    whyUnknown(backend) {
      const outage = outages.get(backend.key)
      if (!outage) return undefined
      const { domain, why, atMs } = outage
      if (!outage.isLookedUp && clock.monotonicMs() - atMs > againMs) {
        outage.isLookedUp = true
        lookAgain(backend, domain).catch((error: unknown) =>
          log.error('exchangers are not looked up', { domain, error }),
        )
      }
      return `the exchangers of ${domain} cannot be found: ${why}`
    },
  }
}

interface Outage {
  readonly domain: HostName
  readonly why: string
  readonly atMs: number
  /** It is being looked up again. */
  isLookedUp: boolean
}
