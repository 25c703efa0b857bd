import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerBudgets, ServerLimits } from './options.ts'
import { Pace } from './pace.ts'

const second = 1_000
const minute = 60 * second
const options = {
  budgets: { blockMs: 3 * minute, messageMs: 30 * minute } as ServerBudgets,
  limits: { minimumRate: 500 } as ServerLimits,
}

test('a minute with less than its octets is too slow, though each block came in time', () => {
  const pace = new Pace(options, 0)
  for (let atMs = 0; atMs < minute; atMs += 29 * second) {
    assert.equal(pace.nextMs(atMs), minute)
    pace.took(1)
  }
  assert.equal(pace.nextMs(minute), undefined)
})

test('a minute with enough begins another, and that is judged by itself', () => {
  const pace = new Pace(options, 0)
  assert.equal(pace.nextMs(0), minute)
  pace.took(30_000)
  assert.equal(pace.nextMs(10 * second), minute)
  assert.equal(pace.nextMs(minute), 2 * minute)
  pace.took(29_999)
  assert.equal(pace.nextMs(2 * minute), undefined)
})

test("what the sink made us wait is not the sender's", () => {
  const pace = new Pace(options, 0)
  pace.took(1)
  pace.waited(5 * minute)
  assert.equal(pace.nextMs(5 * minute), 6 * minute)
  assert.equal(pace.nextMs(6 * minute), undefined)
})

test('a block without an octet, and a message that takes longer than it may, are too slow whatever the rate', () => {
  const blocked = new Pace({ ...options, limits: { ...options.limits, minimumRate: 0 } }, 0)
  assert.equal(blocked.nextMs(0), minute)
  assert.equal(blocked.nextMs(minute), 2 * minute)
  assert.equal(blocked.nextMs(2 * minute), 3 * minute)
  assert.equal(blocked.nextMs(3 * minute), undefined)
  const long = new Pace(options, 0)
  for (let atMs = 0; atMs < 29 * minute; atMs += minute) {
    assert.ok(long.nextMs(atMs))
    long.took(1_000_000)
  }
  assert.equal(long.nextMs(29.5 * minute), 30 * minute)
  long.took(1_000_000)
  assert.equal(long.nextMs(30 * minute), undefined)
})
