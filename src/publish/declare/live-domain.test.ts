import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startAuthority } from '../../../test/lab/authority.ts'
import { startDns } from '../../../test/lab/dns.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import { until } from '../../../test/lab/until.ts'
import { systemDoor } from '../../base/door.ts'
import { parseIp } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import type { Resolution } from '../../dns/resolution.ts'
import { createResolver, type Resolver } from '../../dns/resolver.ts'
import { createTransport, type Transport } from '../../dns/transport.ts'
import { nameText, type WireName } from '../../dns/wire-name.ts'
import { lookAtDomain } from './live-domain.ts'

test('a server that is named is asked also for a domain that the world does not know yet', async (t) => {
  const zone = labName('example.test')
  const soa: Rdata = {
    ...{ type: 'SOA', primary: labName('ns.example.test'), mailbox: labName('h.example.test'), serial: 7 },
    ...{ refreshSeconds: 1, retrySeconds: 1, expireSeconds: 1, minimumSeconds: 60 },
  } as const
  const mx: Rdata = { type: 'MX', preference: 10, exchange: labName('mx.example.net') }
  const dotless: Rdata = { type: 'MX', preference: 20, exchange: labName('mx2') }
  const ns: Rdata = { type: 'NS', target: labName('ns.example.test') }
  const records = [soa, ns, mx, dotless].map((data) => ({ name: zone, ttlSeconds: 900, data }))
  const { address, port } = await startAuthority(t, [{ origin: zone, records }])
  const world = await startDns(t, {})
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [world.server], timeoutMs: 1_000, deadlineMs: 5_000 }, deps)
  const transport = createTransport(deps)
  t.after(() => {
    resolver.close()
    transport.close()
  })
  const lookAt = { clock: steadyClock, resolver, transport, isPrivate: true }
  const server = { address: parseIp(address) ?? assert.fail(), port }

  const seen = await lookAtDomain('example.test' as HostName, lookAt, [server])
  assert.ok(seen.kind === 'live')
  assert.deepEqual(seen.live.mx, {
    ttlSeconds: 900,
    exchangers: [{ preference: 10, host: 'mx.example.net', addresses: undefined }],
  })
  assert.match(seen.live.notes.join('\n'), /"mx2" has no dot.*is left out/)
  assert.equal((await lookAtDomain('example.test' as HostName, lookAt)).kind, 'no-such-domain')
  // A name that this server does not have either.
  assert.equal((await lookAtDomain('no.example.test' as HostName, lookAt, [server])).kind, 'no-such-domain')
})

/** A domain whose owner means no good: many name servers, many exchangers of its own, and none of its servers answers. */
function hostile(isPrivate: boolean, nameServers: readonly string[]) {
  const clock = createFakeClock()
  const asked = { resolver: 0, addresses: 0, servers: new Map<string, number>() }
  const known = { aliases: [], ttlSeconds: 60, authenticated: false, stale: false }
  const dataOf = (name: WireName, type: string): Rdata[] => {
    const index = Number(/^ns(\d+)/.exec(nameText(name))?.[1] ?? 0)
    if (type === 'NS') return nameServers.map((_, at) => ({ type, target: labName(`ns${at}.example.test`) }))
    if (type === 'MX')
      return Array.from({ length: 2_000 }, (_, at) => ({
        type,
        preference: at,
        exchange: labName(`mx${at}.example.test`),
      }))
    return type === 'A' ? [{ type, address: parseIp(nameServers[index] ?? '192.0.2.1') ?? assert.fail() }] : []
  }
  const resolver = {
    async resolve(name: WireName, type: string) {
      asked.resolver++
      if (type === 'A') asked.addresses++
      clock.advance(2_000)
      const server = { address: parseIp('192.0.2.53') ?? assert.fail(), port: 53 }
      const records = dataOf(name, type).map((data) => ({ name, class: 1, ttlSeconds: 60, data }))
      const kind = records.length > 0 ? 'answer' : 'no-data'
      return { ...known, kind, canonicalName: name, server, records } as Resolution
    },
    close() {},
  } as Resolver
  const transport: Transport = {
    async exchange({ address }) {
      asked.servers.set(address, (asked.servers.get(address) ?? 0) + 1)
      clock.advance(3_000)
      return { kind: 'timeout', why: 'no answer' }
    },
    close() {},
  }
  const look = () => lookAtDomain('example.test' as HostName, { clock, resolver, transport, isPrivate })
  return { asked, clock, look }
}

test('a domain with 2,000 exchangers and silent servers keeps nobody for long', async () => {
  const { asked, clock, look } = hostile(false, ['198.41.0.4', '199.9.14.201'])
  const startMs = clock.monotonicMs()
  const looked = await look()
  assert.ok(looked.kind === 'live')
  assert.ok(looked.live.notes.includes('the addresses of 1950 more of its own exchangers were not read'))
  assert.deepEqual([...asked.servers.values()], [2, 2], 'who is silent is not asked again and again')
  assert.ok(clock.monotonicMs() - startMs < 120_000)
  assert.ok(asked.resolver < 60, String(asked.resolver))
})

test('of 1,500 name servers a few are looked up', async () => {
  const { asked, look } = hostile(
    false,
    Array.from({ length: 1_500 }, () => '198.41.0.4'),
  )
  await look()
  assert.ok(asked.addresses < 13 + 60, String(asked.addresses))
})

for (const isPrivate of [false, true])
  test(`name servers inside a private network are ${isPrivate ? '' : 'not '}asked`, async () => {
    const { asked, look } = hostile(isPrivate, ['10.0.0.1', '127.0.0.1', '198.41.0.4'])
    await look()
    assert.deepEqual([...asked.servers.keys()], isPrivate ? ['10.0.0.1', '127.0.0.1', '198.41.0.4'] : ['198.41.0.4'])
  })

test('a domain whose every look-up hangs is given up after a minute, the first ones too', async () => {
  const clock = createFakeClock()
  let asked = 0
  const hanging = <T>(): Promise<T> => {
    asked++
    return new Promise(() => undefined)
  }
  const resolver = { resolve: hanging, close() {} } as Resolver
  const transport = { exchange: hanging, close() {} } as Transport
  const looked = lookAtDomain('example.test' as HostName, { clock, resolver, transport, isPrivate: false }, [
    { address: parseIp('192.0.2.53') ?? assert.fail(), port: 53 },
  ])
  await until(() => asked === 1)
  clock.advance(60_000)
  // Nothing was asked behind the end of its time, and nothing hangs.
  assert.deepEqual(await looked, {
    kind: 'failed',
    why: '192.0.2.53:53 does not answer for it: it took longer than 60 s',
  })
})
