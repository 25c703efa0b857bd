/** A resolver that asks a server of the lab and ends with the test. */
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Random, systemRandom } from '../../src/base/random.ts'
import { type CountingResolver, createResolver } from '../../src/dns/resolver.ts'
import type { ResolverOptions } from '../../src/dns/resolver-options.ts'
import { type ExchangerOptions, type Exchangers, lookupExchangers } from '../../src/routing/exchangers.ts'
import type { DnsLab } from './dns.ts'
import { steadyClock } from './fast-clock.ts'
import { labHost } from './names.ts'

export interface LabResolver extends CountingResolver {
  /** What the domain's exchangers are; addresses of the lab are not public, so `private` is true unless it is said otherwise. */
  exchangers(domain: string, options?: Partial<ExchangerOptions>): Promise<Exchangers>
}

export interface LabResolverSettings {
  readonly options?: Partial<ResolverOptions>
  readonly clock?: Clock
  readonly random?: Random
}

export function labResolver(t: TestContext, labs: readonly DnsLab[], settings: LabResolverSettings = {}): LabResolver {
  const random = settings.random ?? systemRandom
  const resolver = createResolver(
    { servers: labs.map((lab) => lab.server), timeoutMs: 2_000, ...settings.options },
    { clock: settings.clock ?? steadyClock, random, log: silentLog, door: systemDoor },
  )
  t.after(() => resolver.close())
  return {
    counts: resolver.counts,
    resolve: resolver.resolve,
    close: resolver.close,
    exchangers: (domain, options = {}) =>
      lookupExchangers(labHost(domain), { private: true, ...options }, { resolver, random }),
  }
}
