import assert from 'node:assert/strict'
import { test } from 'node:test'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import {
  begin,
  beginLimits,
  deliverOne,
  delivery,
  endpoint,
  inMs,
  job,
  mailbox,
  message,
  stepLimits,
} from '../../test/unit/deliver.ts'
import { startBackend, until } from '../../test/unit/scripted-backend.ts'
import { Cancel } from '../base/cancel.ts'
import type { Clock } from '../base/clock.ts'
import type { Endpoint } from '../routing/backend.ts'
import type { Begun, Delivery, Transaction } from './delivery.ts'
import type { Fault } from './outcome.ts'
import { Pool } from './pool.ts'
import { createTurns } from './turns.ts'

test('turns: keys in turn, each in its own order', () => {
  const turns = createTurns<string>()
  for (const each of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) turns.add(each[0] ?? '', each)
  assert.equal(turns.remove('a', 'a2'), true)
  assert.equal(turns.remove('a', 'a2'), false)
  assert.equal(turns.size, 5)
  assert.deepEqual(
    Array.from({ length: 6 }, () => turns.next()),
    ['a1', 'b1', 'c1', 'a3', 'b2', undefined],
  )
  assert.equal(turns.size, 0)
})

test('no more sessions than allowed; who waits is served by key in turn when one is free', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  const first = await begin(out, to, job({ fairnessKey: 'x' }))
  const order: string[] = []
  const waiting = ['a', 'a', 'a', 'b', 'c'].map(async (fairnessKey) => {
    const transaction = await begin(out, to, job({ fairnessKey }))
    order.push(fairnessKey)
    transaction.abandon()
  })
  await until(() => out.sessions(to).waiting === 5)
  assert.deepEqual(out.sessions(to), { busy: 1, idle: 0, waiting: 5 })
  first.abandon()
  await Promise.all(waiting)
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'a'])
  assert.equal(backend.peers.length, 1)
})

test('what is held has half of the sessions, at least one, and passes by no live mail that waits', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const held = (to: ReturnType<typeof endpoint>) => out.begin(to, { ...job(), isFromHold: true }, beginLimits())
  const four = endpoint(backend, { connections: 4 })
  const first = await held(four)
  assert.deepEqual([first.kind, (await held(four)).kind], ['begun', 'begun'])
  assert.deepEqual(await held(four), { kind: 'busy' })
  const live = [await begin(out, four), await begin(out, four, job({ fairnessKey: 'b' }))]
  // All four are taken: who comes now waits, and is served before anything that is held.
  const waiting = begin(out, four)
  await until(() => out.sessions(four).waiting === 1)
  if (first.kind === 'begun') first.transaction.abandon()
  live.push(await waiting)
  // One of a key waits; of the others it is known at once that they would.
  const next = held(four)
  assert.deepEqual(await held(four), { kind: 'busy' })
  live.pop()?.abandon()
  const served = await next
  assert.equal(served.kind, 'begun')
  if (served.kind === 'begun') live.push(served.transaction)
  for (const transaction of live) transaction.abandon()
  await until(() => out.sessions(four).idle === 3)
  assert.equal((await held(four)).kind, 'begun')

  const one = endpoint(await startBackend(t), { connections: 1 })
  assert.equal((await held(one)).kind, 'begun')
  assert.deepEqual(await held(one), { kind: 'busy' })
})

test('live and held mail both wait all the time: every fifth session that comes free is for what is held', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  const first = await begin(out, to)
  const order: string[] = []
  let isOver = false
  const again = async (who: string, isFromHold: boolean) => {
    while (!isOver) {
      const begun = await out.begin(to, { ...job({ fairnessKey: who }), isFromHold }, beginLimits())
      assert.equal(begun.kind, 'begun')
      order.push(who)
      isOver ||= order.length >= 40
      if (begun.kind === 'begun') begun.transaction.abandon()
    }
  }
  const all = [again('live', false), again('live', false), again('held', true)]
  await until(() => out.sessions(to).waiting === 3)
  first.abandon()
  await Promise.all(all)
  const fifth = ['live', 'live', 'live', 'live', 'held']
  assert.deepEqual(order.slice(0, 40), Array(8).fill(fifth).flat())
})

/** A message behind whose dot the backend is silent. @returns what may be listened to, where it may */
async function silent(out: Delivery, to: Endpoint, isFromHold = false, beforeData?: () => void) {
  const begun = await out.begin(to, { ...job(), isFromHold }, beginLimits())
  assert(begun.kind === 'begun')
  await begun.transaction.askRecipients([mailbox('you@example.test')], stepLimits())
  beforeData?.()
  const sent = await begun.transaction.data(message('x\r\n'), { ...stepLimits(), untilMs: inMs(150) })
  assert(sent.kind === 'unknown')
  return sent.late
}

const silentAtTheDot = { on: (verb: string) => (verb === '.' ? ('silence' as const) : undefined) }

for (const isFromHold of [false, true])
  test(`one session at most: it listens until somebody waits, and serves then (${isFromHold ? 'held' : 'live'} mail)`, async (t) => {
    const backend = await startBackend(t, silentAtTheDot)
    const { delivery: out, health } = delivery(t)
    const to = endpoint(backend, { connections: 1 })
    const late = await silent(out, to, isFromHold)
    const heard = late?.wait(inMs(60_000))
    assert.deepEqual(out.sessions(to), { busy: 1, idle: 0, waiting: 0 })
    const next = await out.begin(to, { ...job(), isFromHold }, beginLimits())
    assert.equal(next.kind, 'begun')
    assert.deepEqual([heard !== undefined, await heard, backend.peers.length], [true, undefined, 2])
    assert.deepEqual(health, ['opened', 'opened'])
  })

test('let go before anybody listened: that is heard at once', async (t) => {
  const { delivery: out } = delivery(t)
  const to = endpoint(await startBackend(t, silentAtTheDot), { connections: 2 })
  const late = await silent(out, to)
  await begin(out, to)
  await begin(out, to)
  assert.equal(await late?.wait(inMs(60_000)), undefined)
})

test('one session at most, and somebody waits already: nobody listens', async (t) => {
  const { delivery: out } = delivery(t)
  const to = endpoint(await startBackend(t, silentAtTheDot), { connections: 1 })
  const others: Promise<Transaction>[] = []
  assert.equal(await silent(out, to, false, () => others.push(begin(out, to))), undefined)
  await others[0]
})

test('the server itself has no room for another one: what listens makes it', async (t) => {
  const backend = await startBackend(t, silentAtTheDot)
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend)
  const late = await silent(out, to)
  backend.behaviour = { greeting: '421 4.7.0 Too many connections from you' }
  const heard = late?.wait(inMs(60_000)).then(() => (backend.behaviour = {}))
  await begin(out, to)
  assert.ok(heard && (await heard))
  assert.deepEqual([health, backend.peers.length], [['opened', 'opened'], 3])
})

test('of eight sessions two listen, not a third, and who waits takes the place of none of them', async (t) => {
  const { delivery: out } = delivery(t)
  const to = endpoint(await startBackend(t, silentAtTheDot), { connections: 8 })
  const late = [await silent(out, to), await silent(out, to), await silent(out, to)]
  assert.deepEqual(
    late.map((each) => each !== undefined),
    [true, true, false],
  )
  await Promise.all(Array.from({ length: 6 }, () => begin(out, to, job({ fairnessKey: 'b' }))))
  const limits = { sessionUntilMs: inMs(50), readyUntilMs: inMs(5_000) }
  assert.deepEqual(await out.begin(to, job(), limits), { kind: 'busy' })
  assert.equal(out.sessions(to).busy, 8)
})

test('waiting ends at sessionUntilMs: busy, and nothing is left behind', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  const first = await begin(out, to)
  const begun = await out.begin(to, job(), { sessionUntilMs: inMs(50), readyUntilMs: inMs(5_000) })
  assert.deepEqual(begun, { kind: 'busy' })
  assert.deepEqual(out.sessions(to), { busy: 1, idle: 0, waiting: 0 })
  first.abandon()
  assert.deepEqual(out.sessions(to), { busy: 0, idle: 1, waiting: 0 })
  assert.deepEqual(health, ['opened'])
})

test('a session that is lost makes room for who waits', async (t) => {
  const backend = await startBackend(t, { on: (verb) => (verb === 'RCPT' ? 'close' : undefined) })
  const { delivery: out } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  const first = await begin(out, to)
  const second = begin(out, to)
  await until(() => out.sessions(to).waiting === 1)
  await first.askRecipients([mailbox('you@example.test')], stepLimits())
  await second
  assert.equal(backend.peers.length, 2)
})

test('who waits behind an opening that fails hears of it, and does not try the same again', async (t) => {
  const backend = await startBackend(t, { greeting: '554 no' })
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  const begun = await Promise.all([1, 2, 3].map(() => out.begin(to, job(), beginLimits())))
  assert.deepEqual(
    begun.map((each) => each.kind === 'failed' && each.fault.reply?.code),
    [554, 554, 554],
  )
  assert.deepEqual(health, ['rejected greeting'])
  assert.equal(backend.peers.length, 1)
})

test('mail that comes while a server for one session is looked at waits for that session, and nobody calls it ill', async (t) => {
  const hello = Promise.withResolvers<undefined>()
  const on = (verb: string) => (verb === 'EHLO' ? hello.promise : undefined)
  const backend = await startBackend(t, { on })
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend)
  const looked = out.probe(to, inMs(60_000))
  await until(() => backend.commands.length === 1)
  backend.behaviour = { on, greeting: '421 4.7.0 one at a time' }
  const begun = begin(out, to)
  await until(() => out.sessions(to).waiting === 1)
  hello.resolve(undefined)
  assert.deepEqual(await looked, { kind: 'up' })
  ;(await begun).abandon()
  assert.equal(backend.peers.length, 2)
  assert.deepEqual(health, ['opened'])
})

test('an opening that ends in a bug of ours makes room for who waits', async () => {
  const broken = Promise.withResolvers<never>()
  const fault: Fault = { kind: 'closed', step: 'greeting', reply: undefined, detail: 'closed' }
  let opened = 0
  const open = async () => (++opened === 1 ? broken.promise : ({ kind: 'failed', fault } as const))
  let isEmpty = false
  const pool = new Pool(1, open, steadyClock, () => (isEmpty = true))
  const wish = { key: 'a', fresh: false, isFromHold: false, sessionUntilMs: inMs(60_000), readyUntilMs: inMs(60_000) }
  const [first, second] = [pool.take(wish), pool.take(wish)]
  assert.deepEqual(pool.counts, { busy: 1, idle: 0, waiting: 1 })
  broken.reject(new TypeError('a bug'))
  await assert.rejects(async () => first, TypeError)
  assert.deepEqual(await second, { kind: 'failed', fault })
  assert.deepEqual([pool.counts, isEmpty], [{ busy: 0, idle: 0, waiting: 0 }, true])
})

test('a fresh session is one that served nobody, also where an idle one has to make room', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  await deliverOne(out, to)
  const fresh = await begin(out, to, job(), true)
  assert.equal(backend.peers.length, 2)
  const next = begin(out, to, job(), true)
  await until(() => out.sessions(to).waiting === 1)
  await fresh.askRecipients([mailbox('you@example.test')], stepLimits())
  fresh.abandon()
  await next
  assert.equal(backend.peers.length, 3)
  await until(() => backend.commands.filter((line) => line === 'QUIT').length === 2)
})

/** The machine's clock, whose `after` is told when to run. */
function steppedClock(): Clock & { pass(ms: number): void } {
  let aheadMs = 0
  const timers = new Set<{ dueMs: number; run: () => void }>()
  const clock = {
    now: () => steadyClock.now() + aheadMs,
    monotonicMs: () => steadyClock.monotonicMs() + aheadMs,
    after(delayMs: number, run: () => void) {
      const timer = { dueMs: clock.monotonicMs() + delayMs, run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    pass(ms: number) {
      aheadMs += ms
      for (const timer of [...timers]) {
        if (timer.dueMs > clock.monotonicMs()) continue
        timers.delete(timer)
        timer.run()
      }
    },
  }
  return clock
}

test('an idle session is closed after 5 s, and the timer starts again for the younger one', async (t) => {
  const backend = await startBackend(t)
  const clock = steppedClock()
  const { delivery: out } = delivery(t, {}, { clock })
  const to = endpoint(backend)
  const far = () => ({ sessionUntilMs: clock.monotonicMs() + 1e6, readyUntilMs: clock.monotonicMs() + 1e6 })
  const [first, second] = await Promise.all([out.begin(to, job(), far()), out.begin(to, job(), far())])
  assert(first.kind === 'begun' && second.kind === 'begun')
  first.transaction.abandon()
  clock.pass(3_000)
  second.transaction.abandon()
  assert.equal(out.sessions(to).idle, 2)
  clock.pass(2_500)
  assert.equal(out.sessions(to).idle, 1)
  clock.pass(3_000)
  assert.equal(out.sessions(to).idle, 0)
  await until(() => backend.commands.filter((line) => line === 'QUIT').length === 2)
})

test('closed: idle sessions get QUIT, those in use are broken off, waiters and later ones fail', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const to = endpoint(backend, { connections: 2 })
  const busy = await begin(out, to)
  await deliverOne(out, to)
  assert.deepEqual(out.sessions(to), { busy: 1, idle: 1, waiting: 0 })
  await out.close()
  await until(() => backend.commands.filter((line) => line === 'QUIT').length === 1)
  const later = await out.begin(to, job(), beginLimits())
  assert.equal(later.kind === 'failed' && later.fault.kind, 'abandoned')
  const asked = await busy.askRecipients([mailbox('you@example.test')], stepLimits())
  assert.deepEqual([asked.kind, asked.kind === 'lost' && asked.fault.kind], ['lost', 'abandoned'])
  assert.deepEqual(out.sessions(to), { busy: 0, idle: 0, waiting: 0 })
})

test('we talk to ourselves only where both ends are those of a session: one port may lead to several places', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out } = delivery(t)
  const to = endpoint(backend)
  const transaction = await begin(out, to, job())
  const port = backend.peers[0]?.socket.remotePort ?? 0
  const seen = (local: number) =>
    out.isOurs({ address: '127.0.0.1', port, local: { address: '127.0.0.1', port: local } })
  assert.equal(seen(backend.port), true)
  assert.equal(seen(backend.port + 1), false)
  transaction.abandon()
  assert.equal(seen(backend.port), true)
  await out.close()
  await until(() => !seen(backend.port))
})

const abandoned = (begun: Begun) => begun.kind === 'failed' && begun.fault.kind

test('given up while it waits its turn: heard at once, and the turn goes to the next', async (t) => {
  const backend = await startBackend(t)
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  const first = await begin(out, to)
  const cancel = new Cancel()
  const given = out.begin(to, job(), { sessionUntilMs: inMs(60_000), readyUntilMs: inMs(60_000), cancel })
  const next = begin(out, to)
  assert.equal(out.sessions(to).waiting, 2)
  cancel.cancel()
  assert.equal(abandoned(await given), 'abandoned')
  assert.equal(out.sessions(to).waiting, 1)
  first.abandon()
  await next
  assert.equal(backend.peers.length, 1)
  assert.deepEqual(health, ['opened'])
})

test('given up while its connection opens: heard at once, broken off, and nothing is told to health', async (t) => {
  const backend = await startBackend(t, { greeting: 'silence' })
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend)
  const cancel = new Cancel()
  const given = out.begin(to, job(), { sessionUntilMs: inMs(60_000), readyUntilMs: inMs(60_000), cancel })
  await until(() => backend.peers.length === 1)
  assert.deepEqual(out.sessions(to), { busy: 1, idle: 0, waiting: 0 })
  cancel.cancel()
  assert.equal(abandoned(await given), 'abandoned')
  await until(() => out.sessions(to).busy === 0)
  await until(() => backend.peers[0]?.socket.destroyed !== false || backend.peers[0].socket.readableEnded)
  assert.deepEqual(health, [])
  const late = await out.begin(to, job(), { ...beginLimits(), cancel })
  assert.deepEqual([abandoned(late), backend.peers.length], ['abandoned', 1])
})

test('given up while its connection opens and others wait: they get the connection', async (t) => {
  const ready = Promise.withResolvers<void>()
  const backend = await startBackend(t, {
    on: (verb) => (verb === 'EHLO' ? ready.promise.then(() => undefined) : undefined),
  })
  const { delivery: out, health } = delivery(t)
  const to = endpoint(backend, { connections: 1 })
  const cancel = new Cancel()
  const given = out.begin(to, job(), { ...beginLimits(), cancel })
  await until(() => backend.commands.length === 1)
  const next = begin(out, to)
  cancel.cancel()
  assert.equal(abandoned(await given), 'abandoned')
  ready.resolve()
  const transaction = await next
  assert.deepEqual(out.sessions(to), { busy: 1, idle: 0, waiting: 0 })
  transaction.abandon()
  assert.deepEqual([out.sessions(to).idle, backend.peers.length], [1, 1])
  assert.deepEqual(health, ['opened'])
})
