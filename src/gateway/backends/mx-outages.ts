/** `mx` backends whose exchangers could not be found when they were looked up last: why, for people. For `endpoints`. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'
import type { Backend } from '../../routing/backend.ts'

export interface MxOutages {
  failed(backend: Backend, domain: HostName, why: WhyUnknown): void
  answered(backend: Backend, domain: HostName): void
  /** As that of `Endpoints`. */
  whyUnknown(backend: Backend): WhyUnknown | undefined
}

export interface WhyUnknown {
  readonly why: string
  /** What a person can do, where that is known. */
  readonly remedy?: string
}

const againMs = 30_000

/** Domains of `mx` routes that are remembered; of the others nobody is told when their exchangers are found. */
const mostDomains = 10_000

export interface MxOutagesListeners {
  /** Tells of what it finds by `failed` and `answered`. */
  readonly lookAgain: (backend: Backend, domain: HostName) => Promise<unknown>
  /** The exchangers of a domain, which could not be found, are. */
  readonly onOver: (backend: Backend, domain: HostName) => void
}

export function createMxOutages(clock: Clock, log: Log, { lookAgain, onOver }: MxOutagesListeners): MxOutages {
  /** Where the last look-up brought none. */
  const outages = new Map<string, Outage>()
  /** Backends, each with a domain whose last look-up brought none. */
  const out = new Set<string>()
  return {
    failed({ key }, domain, { why, remedy }) {
      outages.set(key, { domain, why, remedy, atMs: clock.monotonicMs(), isLookedUp: false })
      if (out.size < mostDomains) out.add(`${key} ${domain}`)
    },
    answered(backend, domain) {
      outages.delete(backend.key)
      if (out.size > 0 && out.delete(`${backend.key} ${domain}`)) onOver(backend, domain)
    },
    whyUnknown(backend) {
      const outage = outages.get(backend.key)
      if (!outage) return undefined
      const { domain, why, remedy, atMs } = outage
      if (!outage.isLookedUp && clock.monotonicMs() - atMs > againMs) {
        outage.isLookedUp = true
        lookAgain(backend, domain).catch((error: unknown) =>
          log.error('exchangers are not looked up', { domain, error }),
        )
      }
      return { why: `the exchangers of ${domain} cannot be found: ${why}`, ...(remedy && { remedy }) }
    },
  }
}

interface Outage {
  readonly domain: HostName
  readonly why: string
  readonly remedy: string | undefined
  readonly atMs: number
  /** It is being looked up again. */
  isLookedUp: boolean
}
