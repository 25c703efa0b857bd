import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addTo, HourlySums } from './hourly-sums.ts'

const hourMs = 3_600_000

test('what could not be written is added to what has come since', () => {
  const sums = new HourlySums()
  addTo(sums.of('example.test', hourMs + 1), 'delivered', 2)
  sums.of('example.test', hourMs + 1).latency.push(1)
  sums.addAvailable('backend', 'smtp://one.test', 10, 20, hourMs)
  const taken = sums.take()
  addTo(sums.of('example.test', 2 * hourMs - 1), 'delivered')
  addTo(sums.of('example.test', 2 * hourMs), 'delivered')
  sums.of('example.test', 2 * hourMs - 1).latency.push(1, 1)
  sums.addAvailable('backend', 'smtp://one.test', 5, 5, hourMs)
  sums.putBack(taken)
  assert.deepEqual(sums.take(), {
    hours: [
      { atMs: hourMs, domain: 'example.test', counts: { delivered: 3 }, latency: [2, 1] },
      { atMs: 2 * hourMs, domain: 'example.test', counts: { delivered: 1 }, latency: [] },
    ],
    available: [{ atMs: hourMs, kind: 'backend', name: 'smtp://one.test', up: 15, known: 25 }],
  })
  assert.deepEqual(sums.take(), { hours: [], available: [] })
})

test('the hour of more domains than are told apart counts them together', () => {
  const sums = new HourlySums()
  for (let number = 0; number < 10_002; number++) addTo(sums.of(`${number}.test`, 0), 'held')
  const { hours } = sums.take()
  assert.equal(hours.length, 10_001)
  assert.deepEqual(hours.at(-1), { atMs: 0, domain: 'other', counts: { held: 2 }, latency: [] })
})
