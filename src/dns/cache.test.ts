import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { createCache } from './cache.ts'

test('the least recently used goes first, and costs are summed', () => {
  const cache = createCache<string>(3, createFakeClock())
  cache.set('a', 'A', 1000, 1)
  cache.set('b', 'B', 1000, 1)
  cache.set('c', 'C', 1000, 1)
  assert.equal(cache.get('a'), 'A')
  cache.set('d', 'D', 1000, 1)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => cache.get(key)),
    ['A', undefined, 'C', 'D'],
  )
  cache.set('large', 'L', 1000, 2)
  assert.equal(cache.size, 2)
  cache.set('larger', 'X', 1000, 4)
  assert.equal(cache.get('larger'), undefined)
  assert.equal(cache.get('large'), 'L')
})

test('nothing outlives its time; replacing frees the room of the old', () => {
  const clock = createFakeClock()
  const cache = createCache<string>(2, clock)
  cache.set('a', 'A', 1000, 2)
  cache.set('a', 'B', 500, 1)
  cache.set('b', 'C', 1000, 1)
  assert.equal(cache.get('a'), 'B')
  clock.advance(500)
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.get('b'), 'C')
  assert.equal(cache.size, 1)
})
