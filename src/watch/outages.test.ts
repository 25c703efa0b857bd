import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/random.ts'
import type { DomainSummary } from '../queue/queue.ts'
import { createOutages } from './outages.ts'
import type { OutageRow } from './tables.ts'

const start = (before: readonly OutageRow[] = []) =>
  createOutages(before, (domain) => (domain.endsWith('.sub.example') ? '*.sub.example' : domain), seededRandom(1))

const waiting = (domain: string, oldestMs: number): DomainSummary => ({
  ...{ domain, messages: 1, bytes: 1, oldestMs, byState: { ready: 1 } },
})

test('an outage of a domain tells how many were held, and how long the longest of them', () => {
  const outages = start()
  outages.heldOne('example.com', 1_000, 1_000)
  outages.heldOne('example.com', 500, 2_000)
  outages.held([waiting('example.com', 1_000)], 10_000)
  assert.equal(JSON.parse(outages.changed()[0]?.value ?? '').left, 1)
  outages.drainedOne('example.com', 12_000)
  outages.drainedOne('example.com', 15_000)
  outages.held([], 20_000)
  const [row, ...more] = outages.changed()
  assert.equal(more.length, 0)
  assert.deepEqual([row?.kind, row?.name, row?.beganMs, row?.endedMs], ['domain', 'example.com', 1_000, 20_000])
  assert.deepEqual(JSON.parse(row?.value ?? ''), { held: 2, heldBytes: 1_500, drained: 2, longestMs: 15_000, left: 0 })
  assert.deepEqual(outages.changed(), [])
})

test('what expires is counted, and is not delivered', () => {
  const outages = start()
  outages.heldOne('example.com', 1_000, 1_000)
  outages.expiredOne('example.com')
  outages.expiredOne('elsewhere.example')
  outages.held([], 20_000)
  const [row, ...more] = outages.changed()
  assert.equal(more.length, 0)
  const { held, drained, expired } = JSON.parse(row?.value ?? '')
  assert.deepEqual([held, drained, expired], [1, 0, 1])
})

test('it lasts as long as anything waits, also of a domain that covers subdomains', () => {
  const outages = start()
  outages.heldOne('*.sub.example', 1, 1_000)
  outages.held([waiting('a.sub.example', 1_000)], 61_000)
  assert.equal(outages.changed()[0]?.endedMs, null)
  // What a person keeps back does not wait for a server.
  outages.held([{ ...waiting('a.sub.example', 1_000), byState: { held: 1 } }], 62_000)
  const [row] = outages.changed()
  assert.equal(row?.endedMs, 62_000)
  assert.equal(JSON.parse(row?.value ?? '').longestMs, 60_000)
})

test('one that had not ended when the process did goes on', () => {
  const first = start()
  first.backend('smtp://a:25', false, 5_000)
  first.heldOne('example.com', 10, 5_000)
  const rows = first.changed()
  assert.equal(rows.length, 2)

  const second = start(rows)
  second.heldOne('example.com', 10, 9_000)
  second.backend('smtp://a:25', true, 10_000)
  second.held([], 11_000)
  const after = second.changed()
  assert.deepEqual(
    after.map(({ id, beganMs, endedMs }) => [rows.some((row) => row.id === id), beganMs, endedMs]),
    [
      [true, 5_000, 11_000],
      [true, 5_000, 10_000],
    ],
  )
  assert.equal(JSON.parse(after[0]?.value ?? '').held, 2)
})

test('rows that were not written are given again', () => {
  const outages = start()
  outages.backend('smtp://a:25', false, 5_000)
  const rows = outages.changed()
  outages.notWritten(rows)
  assert.deepEqual(outages.changed(), rows)
})
