import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshHealth, type Health, type HealthEvent, healthState, nextHealth, trust } from './health.ts'

const after = (...events: HealthEvent[]): Health => events.reduce(nextHealth, freshHealth)
const failed: HealthEvent = { kind: 'failed', isRefused: false, fault: 'connect: timed out' }
const refused: HealthEvent = { kind: 'failed', isRefused: true, fault: 'connect: refused' }
const opened: HealthEvent = { kind: 'opened' }
const delivered: HealthEvent = { kind: 'delivered' }

test('a fresh endpoint is up and has all of its share', () => {
  assert.equal(healthState(freshHealth, 0), 'up')
  assert.equal(trust(freshHealth), 1)
})

test('one failure makes it suspect, three in a row or one refused connect make it down', () => {
  assert.equal(healthState(after(failed), 0), 'suspect')
  assert.equal(healthState(after(failed, failed), 0), 'suspect')
  assert.equal(healthState(after(failed, failed, failed), 0), 'down')
  assert.equal(healthState(after(refused), 0), 'down')
})

test('a success between failures starts the count anew', () => {
  assert.equal(healthState(after(failed, failed, opened, failed, failed), 0), 'suspect')
})

test('one that was down comes back with a quarter of its share and earns the rest with three messages', () => {
  const back = after(refused, opened)
  assert.equal(healthState(back, 0), 'up')
  assert.deepEqual(
    [back, nextHealth(back, delivered), [delivered, delivered].reduce(nextHealth, back)].map(trust),
    [0.25, 0.5, 0.75],
  )
  assert.equal(trust([delivered, delivered, delivered].reduce(nextHealth, back)), 1)
})

test('one that was only suspect keeps its share', () => {
  assert.equal(trust(after(failed, opened)), 1)
})

test('slow: three dots without an answer for over a minute, and none answered meanwhile', () => {
  const three = after(...[0, 1, 2].map((atMs): HealthEvent => ({ kind: 'dot-sent', atMs })))
  assert.equal(healthState(three, 60_000), 'up')
  assert.equal(healthState(three, 60_003), 'slow')

  const two = after({ kind: 'dot-sent', atMs: 0 }, { kind: 'dot-sent', atMs: 1 })
  assert.equal(healthState(two, 100_000), 'up')

  const answered = [
    { kind: 'dot-sent', atMs: 30_000 } as const,
    { kind: 'dot-over', sentMs: 30_000, atMs: 31_000, isAnswer: true } as const,
  ].reduce(nextHealth, three)
  assert.equal(healthState(answered, 60_003), 'up')
})

test('a dot that we stopped waiting for is no answer, and no longer waits', () => {
  const three = after(...[0, 1, 2].map((atMs): HealthEvent => ({ kind: 'dot-sent', atMs })))
  const given = nextHealth(three, { kind: 'dot-over', sentMs: 0, atMs: 70_000, isAnswer: false })
  assert.deepEqual(given.behindDotMs, [1, 2])
  assert.equal(healthState(given, 70_001), 'up')
})

test('out by hand is out, whatever else it is, until it is put back', () => {
  assert.equal(healthState(after(refused, { kind: 'taken-out' }), 0), 'out')
  assert.equal(healthState(after({ kind: 'taken-out' }, opened), 0), 'out')
  assert.equal(healthState(after({ kind: 'taken-out' }, { kind: 'put-back' }), 0), 'up')
})
