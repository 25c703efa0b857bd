import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type TestContext, test } from 'node:test'
import { type DnsFault, startDns } from '../../test/lab/dns.ts'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { labAddress, labName } from '../../test/lab/names.ts'
import { labResolver } from '../../test/lab/resolver.ts'
import { until } from '../../test/lab/until.ts'
import { type Door, systemDoor } from '../base/door.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { createResolver } from './resolver.ts'

const name = labName('example.test')
const zone = {
  'example.test': { MX: [[10, 'mx.example.test']], ttl: 600 },
  'mx.example.test': { A: ['192.0.2.1'] },
  'big.test': { MX: Array.from({ length: 200 }, (_, index) => [index, `exchanger-${index}.big.test`] as const) },
} as const
const quick = { timeoutMs: 60, attempts: 1 }

test('answer, no data and no such name are told apart', async (t) => {
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns])

  const answer = await resolver.resolve(name, 'MX')
  assert.ok(answer.kind === 'answer')
  assert.deepEqual(
    answer.records.map(({ data }) => data),
    [{ type: 'MX', preference: 10, exchange: labName('mx.example.test') }],
  )
  assert.equal(answer.ttlSeconds, 600)
  assert.equal(answer.canonicalName, name)
  assert.equal((await resolver.resolve(name, 'AAAA')).kind, 'no-data')
  assert.equal((await resolver.resolve(labName('gone.test'), 'MX')).kind, 'no-such-name')
})

test('the same question at once is asked once, also of a server that is asked over TCP and has UDP alone', async (t) => {
  const udp = createSocket('udp4')
  t.after(() => udp.close())
  let asked = 0
  udp.on('message', (bytes, from) => {
    asked++
    // No such name, and the question as it came.
    bytes.writeUInt16BE(0x8183, 2)
    udp.send(bytes, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
  const server = { address: labAddress('127.0.0.1'), port: udp.address().port }
  const resolver = createResolver(
    { servers: [server], timeoutMs: 10_000, pipelines: true, cacheEntries: 0 },
    { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor },
  )
  t.after(() => resolver.close())
  const answers = await Promise.all(Array.from({ length: 50 }, () => resolver.resolve(name, 'MX')))
  assert.ok(answers.every(({ kind }) => kind === 'no-such-name'))
  assert.equal(asked, 1)
  // Nothing of it stays.
  assert.equal((await resolver.resolve(name, 'MX')).kind, 'no-such-name')
  assert.equal(asked, 2)
})

for (const [fault, reason] of [
  ['servfail', 'servfail'],
  ['refused', 'refused'],
  ['silence', 'timeout'],
  ['wrong-id', 'timeout'],
  ['wrong-question', 'timeout'],
  ['wrong-source', 'timeout'],
  ['garbage', 'malformed'],
  ['truncate-then-silence', 'timeout'],
] as const satisfies readonly (readonly [DnsFault, string])[]) {
  test(`${fault}: failed, ${reason}`, async (t) => {
    const dns = await startDns(t, zone)
    dns.fault('*', fault)
    // What is told at once has all the time that it takes here; only silence is waited for.
    const clock = reason === 'timeout' ? steadyClock : createFakeClock()
    const answer = await labResolver(t, [dns], { options: quick, clock }).resolve(name, 'MX')
    assert.ok(answer.kind === 'failed')
    assert.equal(answer.reason, reason)
  })

  test(`${fault} at the first server: the second answers, and the first is asked last from then on where it was silent`, async (t) => {
    const first = await startDns(t, zone)
    const second = await startDns(t, zone)
    first.fault('*', fault)
    const clock = createFakeClock()
    const resolver = labResolver(t, [first, second], { options: quick, clock })
    const answer = resolver.resolve(name, 'MX')
    const questions = fault === 'truncate-then-silence' ? 2 : 1
    await until(() => first.asked.length === questions, 60_000, 'the first server has been asked')
    if (reason === 'timeout') clock.advance(quick.timeoutMs)
    assert.equal((await answer).kind, 'answer')
    const before = first.asked.length
    assert.equal((await resolver.resolve(labName('mx.example.test'), 'A')).kind, 'answer')
    assert.equal(first.asked.length > before, reason !== 'timeout')
  })
}

test('nobody listens: failed at once, without waiting for the time to pass', async (t) => {
  const dns = await startDns(t, zone)
  await dns.stop()
  const resolver = labResolver(t, [dns], { options: { timeoutMs: 10_000, attempts: 2 }, clock: createFakeClock() })
  const answer = await resolver.resolve(name, 'MX')
  assert.ok(answer.kind === 'failed')
  assert.equal(answer.reason, 'unreachable')
})

test('truncated over UDP: the whole comes over TCP', async (t) => {
  const dns = await startDns(t, zone)
  const answer = await labResolver(t, [dns]).resolve(labName('big.test'), 'MX')
  assert.ok(answer.kind === 'answer')
  assert.equal(answer.records.length, 200)
  assert.deepEqual(dns.asked, ['udp MX big.test.', 'tcp MX big.test.'])
})

test('a server without EDNS is asked without, and remembered', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'no-edns')
  const resolver = labResolver(t, [dns])
  assert.equal((await resolver.resolve(name, 'MX')).kind, 'answer')
  assert.equal(dns.asked.length, 2)
  assert.equal((await resolver.resolve(name, 'A')).kind, 'no-data')
  assert.equal(dns.asked.length, 3)
})

test('the question comes back in another case: it is the same question', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'upper-case')
  assert.equal((await labResolver(t, [dns], { clock: createFakeClock() }).resolve(name, 'MX')).kind, 'answer')
})

test('AD of a resolver on loopback is believed, and asked for', async (t) => {
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns])
  const plain = await resolver.resolve(name, 'MX')
  dns.fault('*', 'authentic')
  const secure = await resolver.resolve(name, 'A')
  assert.deepEqual(
    [plain, secure].map((answer) => answer.kind !== 'failed' && answer.authenticated),
    [false, true],
  )
})

test('AD of a resolver elsewhere is not: whoever stands between could have said it', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'authentic')
  const door: Door = {
    open: (purpose, _, isPrivate) => systemDoor.open(purpose, { kind: 'tcp', ...dns.server }, isPrivate),
  }
  const resolver = createResolver(
    { servers: [{ address: labAddress('192.0.2.53'), port: 53 }], pipelines: true },
    { clock: steadyClock, random: systemRandom, log: silentLog, door },
  )
  t.after(() => resolver.close())
  const answer = await resolver.resolve(name, 'MX')
  assert.equal(answer.kind === 'answer' && answer.authenticated, false)
  assert.deepEqual([answer.kind, dns.asked], ['answer', ['tcp MX example.test.']])
})

test('equal questions in progress are asked once; others are not joined', async (t) => {
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns])
  const answers = await Promise.all([
    ...Array.from({ length: 50 }, () => resolver.resolve(name, 'MX')),
    resolver.resolve(labName('EXAMPLE.test'), 'MX'),
    resolver.resolve(name, 'A'),
  ])
  assert.ok(answers.slice(0, 51).every((answer) => answer.kind === 'answer'))
  assert.deepEqual([...dns.asked].sort(), ['udp A example.test.', 'udp MX example.test.'])
})

test('the cache: counts down, ends with the TTL, and is bounded', async (t) => {
  const clock = createFakeClock()
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns], { clock, options: { cacheEntries: 2 } })
  await resolver.resolve(name, 'MX')
  clock.advance(100_000)
  const cached = await resolver.resolve(name, 'MX')
  assert.ok(cached.kind === 'answer' && cached.ttlSeconds === 500)
  assert.equal(dns.asked.length, 1)
  clock.advance(500_000)
  await resolver.resolve(name, 'MX')
  assert.equal(dns.asked.length, 2)

  for (const other of ['a.test', 'b.test', 'c.test']) await resolver.resolve(labName(other), 'MX')
  await resolver.resolve(name, 'MX')
  assert.equal(dns.asked.length, 6, 'the oldest was dropped')
})

test('the caps on TTLs', async (t) => {
  const clock = createFakeClock()
  const dns = await startDns(t, { 'long.test': { A: ['192.0.2.1'], ttl: 1_000_000 } })
  const resolver = labResolver(t, [dns], { clock, options: { maxTtlSeconds: 1000, maxNegativeTtlSeconds: 10 } })
  const answer = await resolver.resolve(labName('long.test'), 'A')
  assert.ok(answer.kind === 'answer' && answer.ttlSeconds === 1000)
  const none = await resolver.resolve(labName('long.test'), 'MX')
  assert.ok(none.kind === 'no-data' && none.ttlSeconds === 10)
})

test('negative answers are remembered for their SOA; a name that does not exist has no data of any type', async (t) => {
  const clock = createFakeClock()
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns], { clock })
  await resolver.resolve(labName('gone.test'), 'MX')
  assert.equal((await resolver.resolve(labName('gone.test'), 'A')).kind, 'no-such-name')
  assert.equal(dns.asked.length, 1)
  clock.advance(300_000)
  dns.set({ 'gone.test': { A: ['192.0.2.1'] } })
  assert.equal((await resolver.resolve(labName('gone.test'), 'A')).kind, 'answer')
})

for (const [fault, kind] of [
  ['bare-nxdomain', 'no-such-name'],
  ['bare-no-data', 'no-data'],
] as const) {
  // RFC 2308 §2.1, §2.2: that is what it means, whatever stands in the authority section. §5: it is kept for nobody else.
  test(`${kind} without SOA: believed, never kept, and the last good answer outlives it`, async (t) => {
    const clock = createFakeClock()
    const dns = await startDns(t, zone)
    const resolver = labResolver(t, [dns], { clock })
    await resolver.resolve(name, 'MX')
    clock.advance(700_000)
    dns.fault('*', fault)
    for (const asked of [2, 3]) {
      assert.equal((await resolver.resolve(name, 'MX')).kind, kind)
      assert.equal(dns.asked.length, asked)
    }
    dns.fault('*', 'servfail')
    const answer = await resolver.resolve(name, 'MX')
    assert.ok(answer.kind === 'answer' && answer.stale)
    dns.fault('*', undefined)
    clock.advance(10_000)
    assert.equal((await resolver.resolve(name, 'MX')).kind, 'answer')
  })
}

test('a failure is remembered for seconds, so that an outage costs each question one wait', async (t) => {
  const clock = createFakeClock()
  const dns = await startDns(t, zone)
  dns.fault('*', 'servfail')
  const resolver = labResolver(t, [dns], { clock })
  await resolver.resolve(name, 'MX')
  dns.fault('*', undefined)
  assert.equal((await resolver.resolve(name, 'MX')).kind, 'failed')
  clock.advance(5_000)
  assert.equal((await resolver.resolve(name, 'MX')).kind, 'answer')
})

test('an answer that comes late, to a question that was given up, harms nobody', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('MX example.test', 'late')
  const clock = createFakeClock()
  const resolver = labResolver(t, [dns], { options: quick, clock })
  const answer = resolver.resolve(name, 'MX')
  await until(() => dns.asked.length === 1, 60_000, 'the server has been asked')
  clock.advance(quick.timeoutMs)
  assert.equal((await answer).kind, 'failed')
  dns.release()
  assert.equal((await resolver.resolve(name, 'A')).kind, 'no-data')
})

test('ids are random, and ports change', async (t: TestContext) => {
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns])
  const names = Array.from({ length: 3_000 }, (_, index) => labName(`n${index}.test`))
  for (let at = 0; at < names.length; at += 100)
    await Promise.all(names.slice(at, at + 100).map((one) => resolver.resolve(one, 'MX')))
  assert.equal(dns.ids.length, 3_000)
  // Of 3,000 drawn from 65,536, about 67 are drawn twice.
  assert.ok(new Set(dns.ids).size > 2_800)
  assert.ok(new Set(dns.ports).size >= 7, `${new Set(dns.ports).size} ports`)
  const inOrder = dns.ids.filter((id, index) => id === ((dns.ids[index - 1] ?? 0) + 1) % 65_536).length
  assert.ok(inOrder < 10)
})

test('the deadline holds over all servers and rounds', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'silence')
  const resolver = labResolver(t, [dns, dns, dns], { options: { timeoutMs: 100, attempts: 10, deadlineMs: 250 } })
  const started = steadyClock.monotonicMs()
  assert.equal((await resolver.resolve(name, 'MX')).kind, 'failed')
  assert.ok(steadyClock.monotonicMs() - started < 1_500)
})

for (const fault of ['silence', 'truncate-then-silence'] as const) {
  test(`closed during ${fault}: questions in progress fail at once, and no other server is asked`, async (t) => {
    const dns = await startDns(t, zone)
    dns.fault('*', fault)
    const resolver = labResolver(t, [dns, dns], { options: { timeoutMs: 30_000, attempts: 5, deadlineMs: 60_000 } })
    const waiting = resolver.resolve(name, 'MX')
    const wanted = fault === 'silence' ? 1 : 2
    while (dns.asked.length < wanted) await new Promise((resolve) => setImmediate(resolve))
    resolver.close()
    const answer = await waiting
    assert.ok(answer.kind === 'failed' && answer.reason === 'unreachable')
    assert.equal(dns.asked.length, wanted)
  })
}

test('what was asked, what the cache answered and what is old is counted', async (t) => {
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns], { clock: createFakeClock() })
  await resolver.resolve(name, 'MX')
  await resolver.resolve(name, 'MX')
  await resolver.resolve(labName('gone.test'), 'MX')
  dns.fault('*', 'servfail')
  await resolver.resolve(labName('mx.example.test'), 'A')
  assert.deepEqual(resolver.counts, {
    asked: { answer: 1, 'no-data': 0, 'no-such-name': 1, failed: 1 },
    fromCache: 1,
    stale: 0,
  })
})

test('a server may be written as text; what is no server, and what is not handed in, is told when it is made', async (t) => {
  const dns = await startDns(t, zone)
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [`${dns.server.address}:${dns.server.port}`] }, deps)
  t.after(() => resolver.close())
  assert.equal((await resolver.resolve(name, 'MX')).kind, 'answer')

  for (const server of ['localhost', '192.0.2.1:0', { address: '192.0.2.300', port: 53 }, { port: 53 }, null, 53])
    assert.throws(
      () => createResolver({ servers: [server as never] }, deps),
      /^TypeError: resolver option servers: .* is no name server/,
    )
  assert.throws(() => createResolver({ servers: '192.0.2.1' as never }, deps), /^TypeError: resolver option servers: /)
  assert.throws(() => createResolver({}, undefined as never), /^TypeError: createResolver wants deps\.clock/)
  const { door: _, ...doorless } = deps
  assert.throws(() => createResolver({}, doorless as never), /^TypeError: createResolver wants deps\.door/)
})
