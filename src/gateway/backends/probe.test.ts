import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { Clock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { type Random, seededRandom } from '../../base/random.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import type { Endpoint } from '../../routing/backend.ts'
import { createBackend, defaultBackendOptions } from '../../routing/parse-backend.ts'
import { createProbe } from './probe.ts'

const backend = createBackend({ protocol: 'maildir', path: '/m' }, defaultBackendOptions)
const endpoint = (key: string): Endpoint => ({
  key,
  backend,
  target: { kind: 'maildir' },
  name: key,
  purpose: 'backend',
})
const [one, other] = [endpoint('one'), endpoint('other')]
const secondsMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 30_000]

/** A probe whose clock is set by hand, with every pause that it asked for and every endpoint that it tried. */
function stage(random: Random) {
  const fake = createFakeClock()
  const pauses: number[] = []
  const timers = new Set<object>()
  const tried: { readonly key: string; readonly withinMs: number }[] = []
  const forgotten: string[] = []
  const world = { isUp: false, isBroken: false, unwanted: new Set<string>() }
  let answered: Promise<unknown> = Promise.resolve()
  const clock: Clock = {
    now: fake.now,
    monotonicMs: fake.monotonicMs,
    after(delayMs, run) {
      pauses.push(delayMs)
      const waiting = {}
      timers.add(waiting)
      const timer = fake.after(delayMs, () => {
        timers.delete(waiting)
        run()
      })
      return {
        cancel() {
          timers.delete(waiting)
          timer.cancel()
        },
      }
    },
  }
  const delivery: Delivery = {
    async probe({ key }, readyUntilMs) {
      tried.push({ key, withinMs: readyUntilMs - fake.monotonicMs() })
      await answered
      if (world.isBroken) throw new TypeError('a bug')
      if (world.isUp) return { kind: 'up' }
      return { kind: 'failed', fault: { kind: 'refused', step: 'connect', reply: undefined, detail: 'refused' } }
    },
    begin: () => assert.fail('a probe sends no mail'),
    sessions: () => ({ busy: 0, idle: 0, waiting: 0 }),
    isOurs: () => false,
    close: async () => {},
  }
  const probe = createProbe(({ key }) => !world.unwanted.has(key), {
    clock,
    random,
    log: silentLog,
    delivery,
    forget: ({ key }) => void forgotten.push(key),
  })
  const pass = async (ms: number) => {
    fake.advance(ms)
    await settled()
  }
  /** The next attempts answer when the promise does. */
  const answerAt = (promise: Promise<unknown>) => {
    answered = promise
  }
  return {
    probe,
    pauses,
    tried,
    forgotten,
    world,
    pass,
    answerAt,
    keys: () => tried.map(({ key }) => key),
    waiting: () => timers.size,
  }
}

/** Lets each pause pass to its last millisecond, and sees that nothing was tried before. */
async function seven(random: Random): Promise<readonly number[]> {
  const at = stage(random)
  at.probe.watch(one)
  for (let attempt = 1; attempt <= secondsMs.length; attempt++) {
    const pause = at.pauses.at(-1) ?? assert.fail()
    await at.pass(pause - 0.5)
    assert.equal(at.tried.length, attempt - 1, 'tried before its pause was over')
    await at.pass(1)
    assert.equal(at.tried.length, attempt, 'not tried when its pause was over')
  }
  assert.ok(at.tried.every(({ withinMs }) => withinMs === 25_000))
  return at.pauses.slice(0, secondsMs.length)
}

test('what is down is tried after 1, 2, 4, 8, 15, 30, 30 s, each 20 % sooner at the least and 20 % later at the most', async () => {
  const constant = (number: number): Random => ({ number: () => number, bytes: (count) => Buffer.alloc(count) })
  const rounded = (pauses: readonly number[]) => pauses.map(Math.round)
  assert.deepEqual(rounded(await seven(constant(0.5))), secondsMs)
  assert.deepEqual(rounded(await seven(constant(0))), [800, 1_600, 3_200, 6_400, 12_000, 24_000, 24_000])
  assert.deepEqual(
    rounded(await seven(constant(1 - Number.EPSILON))),
    [1_200, 2_400, 4_800, 9_600, 18_000, 36_000, 36_000],
  )
})

test('chance spreads the pauses, so that a thousand gateways do not come at once', async () => {
  const parts = new Set<number>()
  for (const seed of [1, 2, 3]) {
    const pauses = await seven(seededRandom(seed))
    pauses.forEach((pause, index) => {
      const part = pause / (secondsMs[index] ?? 0)
      assert.ok(part >= 0.8 && part <= 1.2, String(part))
      parts.add(part)
    })
  }
  assert.equal(parts.size, 21)
})

test('one that is up is tried no more; when it goes down again, the pauses begin again', async () => {
  const at = stage(seededRandom(4))
  at.probe.watch(one)
  await at.pass(1_300)
  assert.equal(at.tried.length, 1)
  at.world.isUp = true
  await at.pass(2_500)
  assert.equal(at.tried.length, 2)
  await at.pass(3_600_000)
  assert.equal(at.tried.length, 2)

  at.world.isUp = false
  at.probe.watch(one)
  await at.pass(1_300)
  assert.equal(at.tried.length, 3)
})

test('an endpoint that is watched already is not watched twice, also while it is being tried', async () => {
  const at = stage(seededRandom(5))
  const answer = Promise.withResolvers<void>()
  at.answerAt(answer.promise)
  at.probe.watch(one)
  at.probe.watch(one)
  await at.pass(1_300)
  at.probe.watch(one)
  await at.pass(60_000)
  assert.deepEqual(at.keys(), ['one'])
  answer.resolve()
  await settled()
  await at.pass(2_500)
  assert.deepEqual(at.keys(), ['one', 'one'])
})

test('what has left the configuration is forgotten, and the others are not', async () => {
  const at = stage(seededRandom(6))
  at.probe.watch(one)
  at.probe.watch(other)
  at.world.unwanted.add('one')
  for (let second = 0; second < 30; second++) await at.pass(1_000)
  assert.ok(at.tried.length >= 3)
  assert.ok(at.keys().every((key) => key === 'other'))
  // It comes back to the configuration, and is down: watched anew, from the first pause on.
  at.world.unwanted.clear()
  at.probe.watch(one)
  await at.pass(1_300)
  assert.ok(at.keys().includes('one'))
})

test('stop: nothing is tried any more, neither what waits, nor what was being tried, nor what goes down later', async () => {
  const at = stage(seededRandom(7))
  const answer = Promise.withResolvers<void>()
  at.answerAt(answer.promise)
  at.probe.watch(one)
  await at.pass(1_300)
  at.probe.watch(other)
  assert.equal(at.waiting(), 1)
  at.probe.stop()
  assert.equal(at.waiting(), 0)
  answer.resolve()
  await settled()
  assert.equal(at.waiting(), 0)
  at.probe.watch(endpoint('third'))
  assert.equal(at.waiting(), 0)
  await at.pass(3_600_000)
  assert.deepEqual(at.keys(), ['one'])
})

test('an exchanger that DNS once named is tried for about an hour, then forgotten; a configured backend is not', async () => {
  const at = stage({ number: () => 0.5, bytes: (count) => Buffer.alloc(count) })
  at.probe.watch({ ...one, key: 'from dns', purpose: 'mx' })
  at.probe.watch(one)
  for (let seconds = 0; seconds < 5_000; seconds += 5) await at.pass(5_000)
  assert.deepEqual(at.forgotten, ['from dns'])
  assert.equal(at.waiting(), 1)
})

test('in a hurry, what is meant is tried at once, and its pauses begin anew', async () => {
  const at = stage({ number: () => 0.5, bytes: (count) => Buffer.alloc(count) })
  at.probe.watch(one)
  at.probe.watch(other)
  for (const pause of [1_000, 2_000, 4_000]) await at.pass(pause)
  const before = at.tried.length
  at.probe.hurry(({ key }) => key === one.key)
  assert.deepEqual(at.keys().slice(before), [one.key])
  // It is being tried: nobody tries it twice at once.
  at.probe.hurry(({ key }) => key === one.key)
  assert.equal(at.tried.length, before + 1)
  await at.pass(0)
  assert.equal(at.pauses.at(-1), 1_000)
  assert.equal(at.waiting(), 2)
})

test('in a hurry while it is being tried: when that fails, its pauses begin anew', async () => {
  const at = stage({ number: () => 0.5, bytes: (count) => Buffer.alloc(count) })
  at.probe.watch(one)
  for (const pause of [1_000, 2_000, 4_000]) await at.pass(pause)
  const answer = Promise.withResolvers<void>()
  at.answerAt(answer.promise)
  await at.pass(8_000)
  at.probe.hurry(() => true)
  assert.equal(at.tried.length, 4)
  answer.resolve()
  await settled()
  assert.equal(at.pauses.at(-1), 1_000)
})

test('a try that ends in a fault of ours is followed by the next one', async () => {
  const at = stage({ number: () => 0.5, bytes: (count) => Buffer.alloc(count) })
  at.world.isBroken = true
  at.probe.watch(one)
  for (const pause of [1_000, 2_000, 4_000]) await at.pass(pause)
  assert.equal(at.tried.length, 3)
})
