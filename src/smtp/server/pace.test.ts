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

test('a minute is any minute: what came in the last one does not excuse the next', () => {
  const pace = new Pace(options, 0)
  pace.took(30_000)
  assert.equal(pace.nextMs(1 * second), 61 * second)
  // Nothing came for a minute, though each minute from the start has its octets if more comes now.
  assert.equal(pace.nextMs(60 * second), 61 * second)
  assert.equal(pace.nextMs(61 * second), undefined)
})

test('just enough in each minute is enough for a long time, and an octet less in one of them is not', () => {
  const pace = new Pace(options, 0)
  for (let atMs = 10 * second; atMs <= 5 * minute; atMs += 10 * second) {
    pace.took(5_000)
    assert.equal(pace.nextMs(atMs), Math.max(minute, atMs + 10 * second), `at ${atMs}`)
  }
  pace.took(4_999)
  assert.equal(pace.nextMs(5 * minute + 10 * second), undefined)
})

test('octets in drops are counted too, and what is left of a fast beginning is nothing', () => {
  const pace = new Pace(options, 0)
  pace.took(50_000_000)
  let lastMs = 0
  for (let atMs = 100; pace.nextMs(atMs) !== undefined; atMs += 100) {
    pace.took(1)
    lastMs = atMs
  }
  assert.ok(lastMs >= 59 * second && lastMs <= 66 * second, `${lastMs} ms`)
})

test("what the sink made us wait is not the sender's", () => {
  const pace = new Pace(options, 0)
  pace.took(1)
  pace.waited(5 * minute)
  assert.equal(pace.nextMs(5 * minute), 6 * minute)
  pace.waited(10 * second)
  assert.equal(pace.nextMs(6 * minute), 6 * minute + 10 * second)
  assert.equal(pace.nextMs(6 * minute + 10 * second), undefined)
})

test('a block without an octet, and a message that takes longer than it may, are too slow whatever the rate', () => {
  const blocked = new Pace({ ...options, limits: { ...options.limits, minimumRate: 0 } }, 0)
  assert.equal(blocked.nextMs(0), 3 * minute)
  assert.equal(blocked.nextMs(2 * minute), 3 * minute)
  assert.equal(blocked.nextMs(3 * minute), undefined)
  const long = new Pace(options, 0)
  for (let atMs = 0; atMs < 29 * minute; atMs += minute) {
    assert.ok(long.nextMs(atMs))
    long.took(1_000_000)
  }
  long.took(1_000_000)
  assert.equal(long.nextMs(29.5 * minute), 30 * minute)
  long.took(1_000_000)
  assert.equal(long.nextMs(30 * minute), undefined)
})
