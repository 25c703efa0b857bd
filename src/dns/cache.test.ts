import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { createCache } from './cache.ts'

test('what is used stays, what is not goes, and the costs are bounded', () => {
  const cache = createCache<number>(100, createFakeClock())
  for (let round = 0; round < 1_000; round++) {
    cache.set(`n${round}`, round, 1000, 1)
    if (round > 0) assert.equal(cache.get('n0'), 0)
    assert.ok(cache.size <= 100)
  }
  assert.equal(cache.get('n999'), 999)
  assert.equal(cache.get('n960'), 960)
  assert.equal(cache.get('n800'), undefined)
  for (let round = 0; round < 100; round++) {
    cache.set(`large${round}`, round, 1000, 20)
    assert.ok(cache.size <= 100)
  }
  assert.ok(cache.size <= 5)
  cache.set('larger', 1, 1000, 51)
  assert.equal(cache.get('larger'), undefined)
})

test('nothing outlives its time; replacing frees the room of the old', () => {
  const clock = createFakeClock()
  const cache = createCache<string>(4, clock)
  cache.set('a', 'A', 1000, 2)
  cache.set('a', 'B', 500, 1)
  cache.set('b', 'C', 1000, 1)
  assert.equal(cache.get('a'), 'B')
  clock.advance(500)
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.get('b'), 'C')
  assert.equal(cache.size, 1)
})
