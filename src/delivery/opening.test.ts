import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { beginLimits, deliverOne, delivery, endpoint, inMs, job, loopback } from '../../test/unit/deliver.ts'
import { type Behaviour, startBackend, until } from '../../test/unit/scripted-backend.ts'
import type { systemDoor } from '../base/door.ts'
import type { Delivery } from './delivery.ts'

const short = { connectMs: 300, greetingMs: 200, helloMs: 200, startTlsMs: 200 }
const withTls = ['PIPELINING', 'STARTTLS']

async function faultOf(out: Delivery, to: ReturnType<typeof endpoint>) {
  const begun = await out.begin(to, job(), beginLimits())
  assert(begun.kind === 'failed', begun.kind)
  return [begun.fault.kind, begun.fault.step, begun.fault.reply?.code]
}

test('nobody listens: refused, and health hears it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : 0
  await new Promise((resolve) => server.close(resolve))
  const { delivery: out, health } = delivery(t)
  assert.deepEqual(await faultOf(out, endpoint({ port })), ['refused', 'connect', undefined])
  assert.deepEqual(await faultOf(out, endpoint({ path: '/nonexistent/lmtp.sock' })), ['refused', 'connect', undefined])
  assert.deepEqual(health, ['refused connect', 'refused connect'])
})

const cases: readonly [string, Behaviour, readonly [string, string, number | undefined]][] = [
  ['greets 421', { greeting: '421 4.3.2 not now' }, ['rejected', 'greeting', 421]],
  ['greets 554', { greeting: '554 no' }, ['rejected', 'greeting', 554]],
  ['greets 250', { greeting: '250 hello' }, ['rejected', 'greeting', 250]],
  ['says nothing', { greeting: 'silence' }, ['timeout', 'greeting', undefined]],
  ['closes at once', { greeting: 'close' }, ['closed', 'greeting', undefined]],
  ['speaks HTTP', { greeting: 'HTTP/1.1 400 Bad Request' }, ['garbage', 'greeting', undefined]],
  ['refuses EHLO', { on: (verb) => (verb === 'EHLO' ? '550 5.7.1 go away' : undefined) }, ['rejected', 'hello', 550]],
  ['is silent to EHLO', { on: (verb) => (verb === 'EHLO' ? 'silence' : undefined) }, ['timeout', 'hello', undefined]],
]
for (const [what, behaviour, fault] of cases) {
  test(`a server that ${what}`, async (t) => {
    const backend = await startBackend(t, behaviour)
    const { delivery: out, health } = delivery(t, { openLimits: short })
    assert.deepEqual(await faultOf(out, endpoint(backend)), fault)
    assert.deepEqual(health, [`${fault[0]} ${fault[1]}`])
    assert.deepEqual(out.sessions(endpoint(backend)), { busy: 0, idle: 0, waiting: 0 })
  })
}

test('readyUntilMs ends what the limits of the steps would allow', async (t) => {
  const backend = await startBackend(t, { greeting: 'silence' })
  const { delivery: out } = delivery(t)
  const began = performance.now()
  const begun = await out.begin(endpoint(backend), job(), { sessionUntilMs: inMs(10), readyUntilMs: inMs(100) })
  assert.equal(begun.kind === 'failed' && begun.fault.kind, 'timeout')
  assert(performance.now() - began < 20_000)
})

test('EHLO 502: HELO, and no extension is used', async (t) => {
  const backend = await startBackend(t, { on: (verb) => (verb === 'EHLO' ? '502 5.5.1 what' : undefined) })
  const { delivery: out } = delivery(t)
  await deliverOne(out, endpoint(backend))
  assert.deepEqual(backend.commands.slice(0, 3), [
    'EHLO mx.example.test',
    'HELO mx.example.test',
    'MAIL FROM:<sender@example.org>',
  ])
})

test('STARTTLS where offered: EHLO again inside, and what was said before does not count', async (t) => {
  const backend = await startBackend(t, { extensions: withTls })
  const { delivery: out, health } = delivery(t)
  await deliverOne(out, endpoint(backend))
  assert.deepEqual(backend.commands.slice(0, 3), ['EHLO mx.example.test', 'STARTTLS', 'EHLO mx.example.test'])
  assert.equal(backend.messages.length, 1)
  assert.deepEqual(health, ['opened'])
  assert.equal('encrypted' in (backend.peers[0]?.socket ?? {}), true)
})

test('octets in clear behind the 220 to STARTTLS are thrown away (RFC 3207 §4.2)', async (t) => {
  const backend = await startBackend(t, {
    extensions: withTls,
    on: (verb) => (verb === 'STARTTLS' ? '220 ready\r\n250-evil.example\r\n250 SIZE 1' : undefined),
  })
  const { delivery: out } = delivery(t)
  await deliverOne(out, endpoint(backend, { tls: 'require' }))
  assert.equal(backend.messages.length, 1)
  assert.equal(backend.commands.filter((line) => line.startsWith('EHLO')).length, 2)
})

for (const tls of ['broken', 'hangs'] as const) {
  test(`a handshake that ${tls === 'broken' ? 'fails' : 'hangs'}: once more in clear, and remembered`, async (t) => {
    const backend = await startBackend(t, { extensions: withTls, tls })
    const { delivery: out, health } = delivery(t, { openLimits: short })
    await deliverOne(out, endpoint(backend))
    assert.deepEqual(health, ['opened'])
    backend.peers.at(-1)?.socket.destroy()
    await until(() => out.sessions(endpoint(backend)).idle === 0)
    await deliverOne(out, endpoint(backend))
    assert.equal(backend.commands.filter((line) => line === 'STARTTLS').length, 1)
    assert.equal(backend.peers.length, 3)
  })
}

test('STARTTLS refused: once more in clear', async (t) => {
  const backend = await startBackend(t, {
    extensions: withTls,
    on: (verb) => (verb === 'STARTTLS' ? '454 4.7.0 not now' : undefined),
  })
  const { delivery: out } = delivery(t)
  await deliverOne(out, endpoint(backend))
  assert.equal(backend.peers.length, 2)
})

test('TLS required: not offered, refused or broken is a fault, never mail in clear', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out, health } = delivery(t, { openLimits: short })
  const to = endpoint(backend, { tls: 'require' })
  assert.deepEqual(await faultOf(out, to), ['tls', 'starttls', undefined])
  backend.behaviour = { extensions: withTls, tls: 'broken' }
  assert.deepEqual(await faultOf(out, to), ['tls', 'starttls', undefined])
  backend.behaviour = { extensions: withTls, on: (verb) => (verb === 'STARTTLS' ? '454 4.7.0 no' : undefined) }
  assert.deepEqual(await faultOf(out, to), ['rejected', 'starttls', 454])
  assert.deepEqual(health, ['tls starttls', 'tls starttls', 'rejected starttls'])
  backend.behaviour = { extensions: withTls }
  await deliverOne(out, to)
})

test('smtps: TLS from the first octet; one that speaks plainly is a fault', async (t) => {
  const backend = await startBackend(t, { tls: 'implicit' })
  const { delivery: out } = delivery(t, { openLimits: short })
  const to = endpoint({ port: backend.port, protocol: 'smtps' })
  await deliverOne(out, to)
  assert.deepEqual(backend.commands[0], 'EHLO mx.example.test')
  const plain = await startBackend(t)
  assert.deepEqual(await faultOf(out, endpoint({ port: plain.port, protocol: 'smtps' })), [
    'tls',
    'starttls',
    undefined,
  ])
})

test('smtps where nobody listens is refused, not a fault of TLS', async (t) => {
  const { delivery: out } = delivery(t)
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const bound = server.address()
  await new Promise((resolve) => server.close(resolve))
  const port = typeof bound === 'object' && bound ? bound.port : 0
  assert.deepEqual(await faultOf(out, endpoint({ port, protocol: 'smtps' })), ['refused', 'connect', undefined])
})

for (const purpose of ['mx', 'included'] as const)
  test(`an address that is private and that DNS gave, or a file that is not trusted (${purpose}): forbidden`, async (t) => {
    const { delivery: out, health } = delivery(t)
    const to = { ...endpoint({ port: 1 }), purpose }
    assert.deepEqual(await faultOf(out, to), ['forbidden', 'connect', undefined])
    assert.deepEqual(health, ['forbidden connect'])
  })

test('what this machine is short of is not told to health', async (t) => {
  const door: typeof systemDoor = {
    open() {
      const socket = connect({ host: loopback, port: 9 })
      socket.destroy(Object.assign(new Error('too many'), { code: 'EMFILE' }))
      return { kind: 'opened', socket }
    },
  }
  const { delivery: out, health } = delivery(t, {}, { door })
  assert.deepEqual(await faultOf(out, endpoint({ port: 9 })), ['unreachable', 'connect', undefined])
  assert.deepEqual(health, [])
})

test('a probe goes to EHLO and says QUIT', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out, health } = delivery(t)
  assert.deepEqual(await out.probe(endpoint(backend), inMs(2_000)), { kind: 'up' })
  await until(() => backend.commands.length === 2)
  assert.deepEqual(backend.commands, ['EHLO mx.example.test', 'QUIT'])
  assert.deepEqual(health, ['opened'])
})

for (const [what, behaviour, options] of [
  ['silent at its greeting', { greeting: 'silence' }, {}],
  ['silent to EHLO', { on: (verb: string) => (verb === 'EHLO' ? 'silence' : undefined) }, {}],
  ['hanging in its TLS handshake', { extensions: withTls, tls: 'hangs' }, { tls: 'require' }],
] as const) {
  test(`cut short by our own deadline, a backend that is ${what} is told to nobody's health`, async (t) => {
    const backend = await startBackend(t, behaviour)
    const { delivery: out, health } = delivery(t)
    const limits = { sessionUntilMs: inMs(100), readyUntilMs: inMs(100) }
    const begun = await out.begin(endpoint(backend, options), job(), limits)
    assert.equal(begun.kind === 'failed' && begun.fault.kind, what.includes('TLS') ? 'tls' : 'timeout')
    assert.deepEqual(health, [])
    // With time enough for the step's own limit the same silence is the backend's.
    const { delivery: patient, health: told } = delivery(t, { openLimits: short })
    await patient.begin(endpoint(backend, options), job(), beginLimits())
    assert.equal(told.length, 1)
  })
}
