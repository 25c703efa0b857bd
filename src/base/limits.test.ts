import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { createRateCounter, createTokenBuckets } from './limits.ts'

test('a bucket begins full, is empty after its burst, and fills at its rate', () => {
  const clock = createFakeClock()
  const buckets = createTokenBuckets(clock, () => 2, 5)
  const takes = (count: number) => Array.from({ length: count }, () => buckets.take('a')).filter(Boolean).length
  assert.equal(takes(20), 10)
  clock.advance(499)
  assert.equal(takes(1), 0)
  clock.advance(1)
  assert.equal(takes(5), 1)
  clock.advance(3_600_000)
  assert.equal(takes(20), 10)
})

test('each key has its own, and a rate that changes counts from then on', () => {
  const clock = createFakeClock()
  let rate = 1
  const buckets = createTokenBuckets(clock, () => rate, 1)
  assert.deepEqual([buckets.take('a'), buckets.take('a'), buckets.take('b')], [true, false, true])
  rate = 10
  clock.advance(1_000)
  assert.equal(Array.from({ length: 20 }, () => buckets.take('a')).filter(Boolean).length, 10)
})

test('a flood from ever new keys is bounded in memory, and what is full again is forgotten', () => {
  const clock = createFakeClock()
  const buckets = createTokenBuckets(clock, () => 1, 10, 100)
  for (let key = 0; key < 1_000; key++) buckets.take(String(key))
  assert.equal(buckets.size, 100)
  clock.advance(10_000)
  buckets.take('later')
  assert.equal(buckets.size, 1)
})

test('property: over any pattern of takes, no key gets more than burst + rate × time', () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(2_000), key: fc.constantFrom('a', 'b', 'c') }), { maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50 }), (takes, rate) => {
      const clock = createFakeClock()
      const buckets = createTokenBuckets(clock, () => rate, 3)
      const got = new Map<string, number>()
      for (const { waitMs, key } of takes) {
        clock.advance(waitMs)
        if (buckets.take(key)) got.set(key, (got.get(key) ?? 0) + 1)
      }
      for (const count of got.values()) assert.ok(count <= 3 * rate + (clock.monotonicMs() / 1000) * rate + 1e-6)
    }),
  )
})

test('a rate counter counts so many keys a window, and a flood of others neither grows it nor stops them', () => {
  const clock = createFakeClock()
  const counter = createRateCounter(clock, 1_000, 3)
  for (const key of ['a', 'b', 'c', 'd', 'a']) counter.count(key)
  const recent = () => ['a', 'b', 'c', 'd'].map((key) => counter.recent(key))
  assert.deepEqual(recent(), [2, 1, 1, 0])
  clock.advance(2_000)
  counter.count('d')
  assert.deepEqual(recent(), [0, 0, 0, 1])
})
