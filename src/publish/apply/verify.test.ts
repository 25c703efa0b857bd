import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startAuthority } from '../../../test/lab/authority.ts'
import { startDns } from '../../../test/lab/dns.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import { systemDoor } from '../../base/door.ts'
import { parseIp } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { ZoneRecord } from '../../dns/authoritative/zone.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { createResolver, type Resolver } from '../../dns/resolver.ts'
import type { NameServer } from '../../dns/servers.ts'
import { createTransport, type Exchanged, type Transport } from '../../dns/transport.ts'
import { typeCodes } from '../../dns/types.ts'
import { nameText, type WireName } from '../../dns/wire-name.ts'
import { loadCachedSets } from '../plan/cached-sets.ts'
import { askSerial, isFromWildcard } from '../sets/ask-server.ts'
import { type Verified, verifyChanges } from './verify.ts'

const zone = labName('example.test')
const mx = (preference: number): Rdata => ({ type: 'MX', preference, exchange: labName('mx.example.test') })
const head: readonly ZoneRecord[] = [
  {
    name: zone,
    ttlSeconds: 60,
    data: {
      ...{ type: 'SOA', primary: labName('ns.example.test'), mailbox: labName('h.example.test'), serial: 7 },
      ...{ refreshSeconds: 1, retrySeconds: 1, expireSeconds: 1, minimumSeconds: 60 },
    },
  },
  { name: zone, ttlSeconds: 60, data: { type: 'NS', target: labName('ns.example.test') } },
]
const record = (preference: number, ttlSeconds = 60): ZoneRecord => ({ name: zone, ttlSeconds, data: mx(preference) })
const change = { name: zone, code: typeCodes.MX, before: undefined, after: { ttlSeconds: 60, data: [mx(10)] } }

async function stage(t: TestContext) {
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const transport = createTransport(deps)
  t.after(() => transport.close())
  const start = async (records: readonly ZoneRecord[]) => {
    const { authority, address, port } = await startAuthority(t, [{ origin: zone, records: [...head, ...records] }])
    const parsed = parseIp(address) ?? assert.fail()
    return { authority, server: { address: parsed, port } satisfies NameServer }
  }
  const { server } = await startDns(t, {})
  const resolver = createResolver({ servers: [server], timeoutMs: 300, deadlineMs: 500 }, deps)
  t.after(() => resolver.close())
  const counts: string[] = []
  const verify = (servers: readonly NameServer[], limitMs: number, asksZone = false) =>
    verifyChanges(
      zone,
      [change],
      {
        ...{ limitMs, timeoutMs: 200, servers, asksZone, isPrivate: false, healthy: new Set<never>() },
        progress: (views) => void counts.push(views.map(({ state }) => state.kind).join(' ')),
      },
      { clock: steadyClock, transport, resolver },
    )
  return { transport, resolver, start, verify, counts }
}

test('a server that follows later is waited for, and each step is told', async (t) => {
  const { start, verify, counts } = await stage(t)
  const [first, second] = [await start([record(10)]), await start([record(20)])]
  const verified = verify([first.server, second.server, first.server], 5_000)
  while (counts.length === 0) await new Promise((done) => setImmediate(done))
  await second.authority.replaceZones([{ origin: zone, records: [...head, record(10)] }])
  const { servers } = await verified
  assert.deepEqual(
    servers.map(({ state }) => state.kind),
    ['right', 'right'],
  )
  assert.deepEqual(counts, ['right other', 'right right'])
})

test('what does not come is told after the limit: other data, another TTL, another zone, silence', async (t) => {
  const { start, verify } = await stage(t)
  const elsewhere = await startAuthority(t, [])
  const address = parseIp(elsewhere.address) ?? assert.fail()
  const servers = [(await start([record(20)])).server, (await start([record(10, 61)])).server]
  const { servers: views } = await verify([...servers, { address, port: elsewhere.port }, { address, port: 9 }], 50)
  assert.deepEqual(
    views.map(({ state }) => state.kind),
    ['other', 'other', 'not-its-zone', 'silent'],
  )
})

test('many sets at a slow server: some are asked for at once, and the look ends when the time is up', async () => {
  const changes = Array.from({ length: 100 }, (_, index) => ({ ...change, name: labName(`d${index}.example.test`) }))
  const clock = createFakeClock()
  let [open, most] = [0, 0]
  const slow: Transport = {
    exchange(_server, name) {
      most = Math.max(most, ++open)
      const record = { name, class: 1, ttlSeconds: 60, data: mx(10) }
      const message = { rcode: 0, authoritative: true, answers: [record] }
      return new Promise((resolve) => {
        clock.after(1_000, () => {
          open--
          resolve({ kind: 'response', message, bytes: 100 } as unknown as Exchanged)
        })
      })
    },
    close() {},
  }
  const look = async (limitMs: number) => {
    const startMs = clock.monotonicMs()
    const server = { address: parseIp('192.0.2.1') ?? assert.fail(), port: 53 }
    const options = {
      limitMs,
      timeoutMs: 2_000,
      servers: [server],
      asksZone: false,
      isPrivate: false,
      healthy: new Set<never>(),
    }
    let verified: Verified | undefined
    const tools = { clock, transport: slow, resolver: undefined as unknown as Resolver }
    void verifyChanges(zone, changes, { ...options, progress: () => undefined }, tools).then((now) => {
      verified = now
    })
    while (!verified) {
      await new Promise((resolve) => setImmediate(resolve))
      if (!verified) clock.advance(100)
    }
    return { states: verified.servers.map(({ state }) => state), tookMs: clock.monotonicMs() - startMs }
  }
  const whole = await look(20_000)
  assert.deepEqual(whole.states, [{ kind: 'right' }])
  assert.ok(whole.tookMs <= 11_000, `${whole.tookMs} ms`)
  assert.equal(most, 10)
  const cut = await look(5_000)
  assert.deepEqual(cut.states, [{ kind: 'silent', why: 'the time was up before it had answered everything' }])
  assert.ok(cut.tookMs <= 7_000, `${cut.tookMs} ms`)
})

test('name servers whose addresses nobody finds in time are told, and not waited for', async () => {
  const clock = createFakeClock()
  const resolver = {
    async resolve(name: WireName, type: string) {
      if (type !== 'NS') return new Promise(() => undefined)
      const hosts = ['a', 'b'].map((host) => ({ type: 'NS', target: labName(`${host}.example.test`) }))
      return { kind: 'answer', canonicalName: name, records: hosts.map((data) => ({ name, ttlSeconds: 60, data })) }
    },
  } as unknown as Resolver
  const options = {
    limitMs: 1_000,
    timeoutMs: 200,
    servers: [],
    asksZone: true,
    isPrivate: false,
    healthy: new Set<never>(),
  }
  let verified: Verified | undefined
  const tools = { clock, transport: undefined as unknown as Transport, resolver }
  void verifyChanges(zone, [change], { ...options, progress: () => undefined }, tools).then((now) => {
    verified = now
  })
  while (!verified) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!verified) clock.advance(100)
  }
  assert.equal(verified.unfound, 'no address for a.example.test, b.example.test')
  assert.ok(clock.monotonicMs() <= 1_200, `${clock.monotonicMs()} ms`)
})

test('a host whose addresses are left out while they are down is right with some of them, kept no longer, and nothing else', async (t) => {
  const { start, transport, resolver } = await stage(t)
  const name = labName('mx.example.test')
  const a = (text: string): Rdata => ({ type: 'A', address: parseIp(text) ?? assert.fail() })
  const host = (data: Rdata, ttlSeconds: number): ZoneRecord => ({ name, ttlSeconds, data })
  const after = { ttlSeconds: 60, data: [a('192.0.2.1'), a('192.0.2.2')] }
  const wanted = { name, code: typeCodes.A, before: undefined, after }
  const answers = [
    [host(a('192.0.2.1'), 7)],
    [host(a('192.0.2.1'), 61)],
    [host(a('192.0.2.1'), 7), host(a('192.0.2.9'), 7)],
    [],
  ]
  const servers: NameServer[] = []
  for (const records of answers) servers.push((await start(records)).server)
  const look = async (healthy: ReadonlySet<WireName>) => {
    const options = {
      ...{ limitMs: 50, timeoutMs: 5_000, servers, asksZone: false, isPrivate: false, healthy },
      progress: () => undefined,
    }
    const verified = await verifyChanges(zone, [wanted], options, { clock: steadyClock, transport, resolver })
    return verified.servers.map(({ state }) => state.kind)
  }
  assert.deepEqual(await look(new Set([name])), ['right', 'other', 'other', 'other'])
  assert.deepEqual(await look(new Set()), ['other', 'other', 'other', 'other'])
})

test('a zone whose servers nobody finds is said to be one', async (t) => {
  const { verify } = await stage(t)
  const { servers, unfound } = await verify([], 50, true)
  assert.deepEqual([servers.length, unfound], [0, 'DNS names no servers for the zone'])
})

test('servers that a delegation places inside of private networks are asked only where somebody here says so', async () => {
  const world: Readonly<Record<string, readonly Rdata[]>> = {
    'NS example.test.': ['inside', 'loop', 'gone'].map((host) => ({
      type: 'NS',
      target: labName(`${host}.example.test`),
    })),
    'A inside.example.test.': [{ type: 'A', address: parseIp('10.11.12.13') ?? assert.fail() }],
    'A loop.example.test.': [{ type: 'A', address: parseIp('127.0.0.1') ?? assert.fail() }],
  }
  const resolver = {
    async resolve(name: WireName, type: string) {
      const records = (world[`${type} ${nameText(name)}`] ?? []).map((data) => ({ name, ttlSeconds: 60, data }))
      return { kind: records.length > 0 ? 'answer' : 'no-data', canonicalName: name, records }
    },
    close() {},
  } as unknown as Resolver
  const asked: string[] = []
  const listening: Transport = {
    async exchange({ address, port }) {
      asked.push(`${address}:${port}`)
      return { kind: 'timeout', why: 'no answer' }
    },
    close() {},
  }
  const verify = async (servers: readonly NameServer[], isPrivate: boolean) => {
    asked.length = 0
    const { unfound } = await verifyChanges(
      zone,
      [change],
      {
        ...{ limitMs: 0, timeoutMs: 200, servers, asksZone: true, isPrivate, healthy: new Set<never>() },
        progress: () => undefined,
      },
      { clock: steadyClock, transport: listening, resolver },
    )
    return { asked: asked.toSorted(), unfound }
  }
  const primary = { address: parseIp('10.11.12.13') ?? assert.fail(), port: 5353 }
  assert.deepEqual(await verify([primary], false), {
    asked: ['10.11.12.13:5353'],
    unfound:
      'no address for gone.example.test; loop.example.test at 127.0.0.1, which is loopback: say --private, or name them by "servers:"',
  })
  assert.deepEqual((await verify([], false)).asked, [])
  assert.deepEqual((await verify([], true)).asked, ['10.11.12.13:53', '127.0.0.1:53'])
})

test('an answer made from a wildcard is told from one of the name itself', async (t) => {
  const { start, transport } = await stage(t)
  const a = (text: string): Rdata => ({ type: 'A', address: parseIp(text) ?? assert.fail() })
  const { server } = await start([
    { name: labName('*.example.test'), ttlSeconds: 60, data: a('192.0.2.1') },
    { name: labName('own.example.test'), ttlSeconds: 60, data: a('192.0.2.1') },
  ])
  const set = (host: string) => ({ name: labName(host), code: typeCodes.A, ttlSeconds: 60, data: [a('192.0.2.1')] })
  assert.equal(await isFromWildcard(transport, server, set('made.example.test'), 1_000), true)
  assert.equal(await isFromWildcard(transport, server, set('own.example.test'), 1_000), false)
  assert.equal(await askSerial(transport, server, zone, 1_000), 7)
})

test('cached sets outlive the process, what has passed holds nothing, and what is damaged says so', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-cached-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'state', 'published.json')
  const cached = await loadCachedSets(path, 1_000)
  await cached.add([{ ...change, untilMs: 5_000 }])
  await cached.add([{ ...change, untilMs: 3_000 }])
  assert.equal((await loadCachedSets(path, 1_000)).untilMs(change), 5_000)
  assert.equal((await loadCachedSets(path, 6_000)).untilMs(change), undefined)
  assert.equal((await loadCachedSets(path, 1_000)).unread, undefined)
  await writeFile(path, '{')
  const damaged = await loadCachedSets(path, 1_000)
  assert.equal(damaged.untilMs(change), undefined)
  assert.equal(damaged.unread, `${path} is damaged`)
  assert.equal((await loadCachedSets(folder, 1_000)).unread, `${folder} cannot be read (EISDIR)`)
  assert.equal((await loadCachedSets(join(folder, 'none'), 1_000)).unread, undefined)
})
