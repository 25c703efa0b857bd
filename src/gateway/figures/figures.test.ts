import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { AttemptEvent, MessageEvent, MessageVerdict } from '../events.ts'
import { createFigures } from './figures.ts'
import type { Gauges } from './gauges.ts'

const nothing: Gauges = {
  connections: 3,
  backends: [],
  held: { messages: 7, bytes: 4096, oldestMs: 1_700_000_000_000 },
  heldByDomain: [],
  heldByLane: [],
}

test('what no backend was asked for is counted by why, and of no route', (t) => {
  const { figures } = start()
  t.after(() => figures.stop())
  for (const why of ['no-room', 'bare-lf', 'no-room'] as const)
    figures.tell({ kind: 'message-stopped', atMs: 0, id: '1', why })
  const { messagesStopped, routes } = figures.snapshot()
  assert.deepEqual(messagesStopped, [
    { why: 'no-room', count: 2 },
    { why: 'bare-lf', count: 1 },
  ])
  assert.deepEqual(routes, [])
})

function start() {
  const clock = createFakeClock()
  const figures = createFigures({ clock, read: () => nothing })
  const message = (kind: MessageVerdict, more: Partial<MessageEvent> = {}) =>
    figures.tell({
      kind,
      atMs: clock.now(),
      id: '1',
      domains: ['example.com'],
      route: 'office',
      backend: 'smtp://10.0.0.1:25',
      endpoint: '10.0.0.1:25',
      bytes: 1000,
      recipients: 1,
      ms: 20,
      code: 250,
      ...more,
    })
  const attempt = (outcome: AttemptEvent['outcome']) =>
    figures.tell({
      kind: 'attempt',
      outcome,
      atMs: clock.now(),
      id: '1',
      domains: ['example.com'],
      route: 'office',
      backend: undefined,
      endpoint: undefined,
      bytes: 1000,
      heldMs: 60_000,
      ms: 5,
      isLate: false,
      possibleDuplicates: outcome === 'delivered' ? 1 : 0,
    })
  return { clock, figures, message, attempt }
}

test('messages are counted by route and verdict, with how long they took', () => {
  const { figures, message, attempt } = start()
  message('delivered', { ms: 3 })
  message('delivered', { ms: 700 })
  message('held')
  message('refused', { code: 550 })
  attempt('delivered')
  attempt('deferred')

  const { routes, domains, held, possibleDuplicates } = figures.snapshot()
  assert.equal(possibleDuplicates, 1)
  assert.equal(routes.length, 1)
  const [office] = routes
  assert.equal(office?.route, 'office')
  assert.deepEqual(office?.messages, { delivered: 2, refused: 1, deferred: 0, held: 1, unknown: 0 })
  assert.deepEqual(office?.attempts, { delivered: 1, refused: 0, deferred: 1, unknown: 0, failed: 0 })
  assert.equal(office?.bytes, 3000)
  assert.equal(office?.latency[0], 1)
  assert.equal(office?.latency[7], 1)
  assert.equal(
    office?.latency.reduce((sum, count) => sum + count),
    2,
  )
  assert.equal(office?.latencySumSeconds, 0.703)
  assert.equal(domains[0]?.drained, 1)
  assert.equal(held?.messages, 7)
})

test('a message for several domains counts for each of them, and once for its route', () => {
  const { figures, message } = start()
  message('delivered', { domains: ['example.com', 'example.org'] })
  message('held', { domains: [] })
  const { routes, domains } = figures.snapshot()
  assert.deepEqual(
    routes.map(({ messages }) => [messages.delivered, messages.held]),
    [[1, 1]],
  )
  assert.deepEqual(
    domains.map(({ domain, messages }) => [domain, messages.delivered, messages.held]),
    [
      ['example.com', 1, 0],
      ['example.org', 1, 0],
    ],
  )
})

test('a flood of names takes no more rows than there may be', () => {
  const { figures, message } = start()
  for (let number = 0; number < 300; number++) message('delivered', { route: `route-${number}` })
  for (let number = 0; number < 11_000; number++)
    message('delivered', { route: `d${number}.example`, domains: [`d${number}.example`] })

  const { routes, domains } = figures.snapshot()
  assert.equal(routes.length, 201)
  assert.equal(routes.find(({ route }) => route === 'other')?.messages.delivered, 100 + 11_000)
  assert.equal(domains.length, 10_001)
})

test('routes without a name of their own are one', () => {
  const { figures, message } = start()
  message('delivered', { route: 'example.com' })
  message('delivered', { route: 'example.org' })
  assert.deepEqual(
    figures.snapshot().routes.map(({ route, messages }) => [route, messages.delivered]),
    [['unnamed', 2]],
  )
})

test('each minute is closed with its rates, its percentiles and what is held', () => {
  const { clock, figures, message, attempt } = start()
  for (let ms = 1; ms <= 100; ms++) message('delivered', { ms })
  attempt('delivered')
  clock.advance(60_000)
  message('held')
  clock.advance(60_000)

  const [first, second, ...more] = figures.minutes()
  assert.equal(more.length, 0)
  assert.equal(first?.delivered, 100)
  assert.equal(first?.drained, 1)
  assert.equal(first?.queueMessages, 7)
  assert.equal(first?.connections, 3)
  assert.ok(Math.abs((first?.p50Ms ?? 0) - 50) <= 8, String(first?.p50Ms))
  assert.ok(Math.abs((first?.p95Ms ?? 0) - 95) <= 15, String(first?.p95Ms))
  assert.equal(second?.held, 1)
  assert.equal(second?.p50Ms, undefined)
})

test('a day of minutes is kept and no more', () => {
  const { clock, figures } = start()
  for (let minute = 0; minute < 3_000; minute++) clock.advance(60_000)
  assert.equal(figures.minutes().length, 1_440)
})

test('seconds are those that have just gone by', () => {
  const { clock, figures, message } = start()
  message('delivered')
  message('held')
  clock.advance(2_000)
  message('refused')
  const seconds = figures.seconds(60)
  assert.equal(seconds.length, 60)
  assert.deepEqual(
    seconds.slice(-2).map(({ delivered, held, refused }) => [delivered, held, refused]),
    [
      [1, 1, 0],
      [0, 0, 0],
    ],
  )
  clock.advance(70_000)
  assert.ok(figures.seconds(60).every(({ delivered, held }) => delivered === 0 && held === 0))
})

test('how long each endpoint took is said of the last minutes, and of each by itself', () => {
  const { clock, figures, message } = start()
  for (let count = 0; count < 20; count++) message('delivered', { ms: 100 })
  message('delivered', { ms: 2, endpoint: '10.0.0.2:25' })
  message('refused', { ms: 9_000 })
  const half = (endpoint: string) => figures.latency('smtp://10.0.0.1:25', endpoint).p50Ms
  assert.ok(Math.abs((half('10.0.0.1:25') ?? 0) - 100) <= 15)
  assert.ok((half('10.0.0.2:25') ?? 0) < 3)
  assert.equal(half('10.0.0.3:25'), undefined)
  clock.advance(4 * 60_000)
  assert.ok(half('10.0.0.1:25') !== undefined)
  clock.advance(11 * 60_000)
  assert.equal(half('10.0.0.1:25'), undefined)
})
