import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import type { Backend, Endpoint } from '../../routing/backend.ts'
import { freshHealth, type Health } from '../../routing/health.ts'
import { createBackend, defaultBackendOptions, parseBackend } from '../../routing/parse-backend.ts'
import { createKnocks } from './knocks.ts'

function backend(url: string): Backend {
  const parsed = parseBackend(url, '/')
  return createBackend(parsed.kind === 'invalid' ? assert.fail(parsed.why) : parsed.address, defaultBackendOptions)
}

const minuteMs = 60_000

/** Knocks whose clock is set by hand, at backends of one address each unless it is said which. */
function stage(configured: readonly Backend[], addresses: Readonly<Record<string, readonly string[]>> = {}) {
  const clock = createFakeClock()
  const knocked: { readonly key: string; readonly atMs: number }[] = []
  const asked: string[] = []
  const world = {
    configured,
    out: new Set<string>(),
    health: new Map<string, Health>(),
    heardMs: new Map<string, number>(),
    sessions: new Map<string, number>(),
    answered: Promise.resolve() as Promise<unknown>,
    mostAtOnce: 0,
  }
  let atOnce = 0
  const knocks = createKnocks({
    ...{ clock, random: seededRandom(1), log: silentLog },
    backends: {
      health: ({ key }) => world.health.get(key) ?? freshHealth,
      heardMs: ({ key }) => world.heardMs.get(key) ?? Number.NEGATIVE_INFINITY,
      out: world.out,
    },
    endpoints: {
      async of(one) {
        asked.push(one.url)
        return (addresses[one.url] ?? [one.url]).map(
          (key) => ({ key, backend: one, target: { kind: 'maildir' }, name: key, purpose: 'backend' }) as Endpoint,
        )
      },
    },
    delivery: {
      async probe({ key }) {
        knocked.push({ key, atMs: clock.monotonicMs() })
        world.mostAtOnce = Math.max(world.mostAtOnce, ++atOnce)
        await world.answered
        atOnce--
        world.heardMs.set(key, clock.monotonicMs())
        return { kind: 'up' }
      },
      sessions: ({ key }) => ({ busy: world.sessions.get(key) ?? 0, idle: 0, waiting: 0 }),
    },
    configured: () => world.configured,
  })
  /** In steps shorter than those between two backends. */
  async function pass(ms: number, stepMs = 100) {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(stepMs)
      await settled()
    }
  }
  const keys = () => knocked.map(({ key }) => key)
  return { knocks, world, knocked, asked, keys, pass, clock }
}

const [one, other] = [backend('smtp://10.0.0.1:25'), backend('lmtp://10.0.0.2:24')]

test('a backend that no mail asks for is knocked at about a minute after the start, and about every five minutes from then on', async () => {
  const at = stage([one])
  await at.pass(60 * minuteMs, 1_000)
  assert.deepEqual(at.knocked, [], 'before the start')
  at.knocks.begin()
  const startMs = at.clock.monotonicMs()
  await at.pass(60 * minuteMs, 1_000)
  const moments = at.knocked.map(({ atMs }) => atMs - startMs)
  const [first = 0] = moments
  assert.ok(first >= 48_000 && first <= 73_000, String(first))
  const pauses = moments.slice(1).map((atMs, index) => atMs - (moments[index] ?? 0))
  assert.ok(
    pauses.every((pauseMs) => pauseMs >= 4 * minuteMs && pauseMs <= 6 * minuteMs + 1_000),
    pauses.join(),
  )
  assert.ok(new Set(pauses).size > 3, 'the pauses are of various lengths')
})

test('whoever was heard of lately, or has a session of ours, is left alone', async () => {
  const at = stage([one, other])
  at.world.heardMs.set(one.url, 0)
  at.world.sessions.set(other.url, 1)
  at.knocks.begin()
  await at.pass(1.5 * minuteMs)
  assert.deepEqual(at.keys(), [])
  at.world.sessions.clear()
  await at.pass(7 * minuteMs)
  assert.deepEqual(new Set(at.keys()), new Set([one.url, other.url]))
})

test('what is out of service is left alone, and what is not up is the probe’s', async () => {
  const at = stage([one, other])
  at.world.out.add(one.url)
  at.world.health.set(other.url, { ...freshHealth, failures: 1 })
  at.knocks.begin()
  await at.pass(20 * minuteMs, 1_000)
  at.world.health.set(other.url, { ...freshHealth, isDown: true })
  await at.pass(20 * minuteMs, 1_000)
  assert.deepEqual(at.keys(), [])
  assert.ok(!at.asked.includes(one.url), 'nor is its name looked up')

  at.world.out.clear()
  at.world.health.clear()
  await at.pass(7 * minuteMs, 1_000)
  assert.deepEqual(new Set(at.keys()), new Set([one.url, other.url]))
})

test('a thousand backends come one after the other, five a second at the most, each once in a round', async () => {
  const many = Array.from({ length: 1_000 }, (_, number) => backend(`smtp://10.0.${number >> 8}.${number & 255}:25`))
  const at = stage(many)
  at.knocks.begin()
  await at.pass(5 * minuteMs)
  assert.equal(new Set(at.keys()).size, 1_000)
  assert.equal(at.knocked.length, 1_000)
  for (const { atMs } of at.knocked)
    assert.ok(at.knocked.filter((each) => each.atMs >= atMs && each.atMs < atMs + 1_000).length <= 5)
})

test('few at once, and one that hangs is asked once', async () => {
  const many = Array.from({ length: 10 }, (_, number) => backend(`smtp://10.0.0.${number}:25`))
  const at = stage(many)
  const answer = Promise.withResolvers<void>()
  at.world.answered = answer.promise
  at.knocks.begin()
  await at.pass(20 * minuteMs, 1_000)
  assert.equal(at.knocked.length, 4)
  answer.resolve()
  await at.pass(10_000)
  assert.deepEqual([new Set(at.keys()).size, at.knocked.length, at.world.mostAtOnce], [10, 10, 4])
})

test('the addresses of one backend are knocked at one after the other', async () => {
  const at = stage([one], { [one.url]: ['a', 'b', 'c'] })
  at.knocks.begin()
  await at.pass(2 * minuteMs)
  assert.deepEqual([at.keys(), at.world.mostAtOnce], [['a', 'b', 'c'], 1])
})

test('a backend that a reload brings is knocked at within about a minute, however often one comes', async () => {
  const at = stage([one])
  at.knocks.begin()
  await at.pass(2 * minuteMs)
  assert.deepEqual(at.keys(), [one.url])
  at.world.configured = [one, other]
  at.world.heardMs.set(one.url, at.clock.monotonicMs())
  for (let reload = 0; reload < 15; reload++) {
    at.knocks.backendsChanged()
    await at.pass(5_000)
  }
  assert.deepEqual(at.keys(), [one.url, other.url])
})

test('stop: nobody is knocked at any more', async () => {
  const at = stage([one, other])
  at.knocks.begin()
  await at.pass(2 * minuteMs)
  at.knocks.stop()
  at.knocks.backendsChanged()
  await at.pass(20 * minuteMs, 1_000)
  assert.equal(at.knocked.length, 2)
})
