/** The built-in authoritative server on loopback, for the length of a test. */

import type { TestContext } from 'node:test'
import type { IpAddress } from '../../src/base/ip.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import {
  type Authority,
  type AuthorityDeps,
  type AuthorityOptions,
  createAuthority,
} from '../../src/dns/authoritative/authority.ts'
import type { KeptSerial, SerialStore } from '../../src/dns/authoritative/serials.ts'
import type { ZoneSource } from '../../src/dns/authoritative/zone.ts'
import { steadyClock } from './fast-clock.ts'
import { freeAddress } from './loopback.ts'

export interface LabAuthority {
  readonly authority: Authority
  readonly address: string
  readonly port: number
}

export const authorityDefaults: Omit<AuthorityOptions, 'listen'> = {
  rateLimit: { perSecond: 0, slip: 2, exempt: [] },
  cookies: { policy: 'on', secrets: [] },
  udpBytes: 1232,
  tcp: { connections: 100, connectionsPerClient: 100, questionsPerSecond: 0, idleMs: 10_000 },
  secondaries: [],
  healthyTtlSeconds: 60,
}

/** Serials in memory. What is saved is there for the next one that has the same map. */
export function memorySerials(kept = new Map<string, KeptSerial>()): SerialStore {
  return {
    load: async () => [...kept.values()],
    async save(serials) {
      for (const one of serials) kept.set(one.origin, one)
    },
  }
}

/** @param zones  served when it starts. Stops with the test. */
export async function startAuthority(
  t: Pick<TestContext, 'after'>,
  zones: readonly ZoneSource[],
  options: Partial<AuthorityOptions> = {},
  deps: Partial<AuthorityDeps> & { log?: Log } = {},
): Promise<LabAuthority> {
  const address = freeAddress()
  const listen = options.listen ?? [{ address: address as IpAddress, port: 0 }]
  const authority = createAuthority(
    { ...authorityDefaults, ...options, listen },
    {
      ...{ clock: steadyClock, random: systemRandom, log: silentLog },
      ...{ serials: memorySerials(), isDown: () => false },
      ...deps,
    },
  )
  const { rejected } = await authority.replaceZones(zones)
  if (rejected.length > 0) throw new Error(`rejected: ${rejected.map(({ why }) => why).join('; ')}`)
  await authority.start()
  t.after(() => authority.stop())
  const [bound] = authority.bound
  if (!bound) throw new Error('bound nowhere')
  return { authority, address: bound.address, port: bound.port }
}
