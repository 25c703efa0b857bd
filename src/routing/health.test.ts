import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  faultNow,
  freshHealth,
  type Health,
  type HealthEvent,
  healthState,
  nextHealth,
  nextSlowMs,
  slowNetwork,
  trust,
} from './health.ts'

const after = (...events: HealthEvent[]): Health => events.reduce(nextHealth, freshHealth)
const failed: HealthEvent = { kind: 'failed', isRefused: false, isRefusingUs: false, fault: 'connect: timed out' }
const refused: HealthEvent = { kind: 'failed', isRefused: true, isRefusingUs: false, fault: 'connect: refused' }
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

/** Dots that left at these moments, each for a client of the network named. */
const sent = (...dots: readonly (readonly [sentMs: number, network: string])[]): readonly HealthEvent[] =>
  dots.map(([sentMs, network]) => ({ kind: 'dot-sent', dot: { sentMs, network } }))

test('slow: three dots of two networks without an answer for over a minute, and none answered meanwhile', () => {
  const three = after(...sent([0, 'a'], [1, 'b'], [2, 'a']))
  assert.equal(healthState(three, 60_000), 'up')
  assert.equal(healthState(three, 60_003), 'slow')
  assert.equal(healthState(three, 60_003, 'c'), 'slow')
  assert.equal(slowNetwork(three, 60_003), undefined)

  assert.equal(healthState(after(...sent([0, 'a'], [1, 'b'])), 100_000), 'up')

  const dot = { sentMs: 30_000, network: 'c' }
  const answered = nextHealth(nextHealth(three, { kind: 'dot-sent', dot }), {
    kind: 'dot-over',
    dot,
    atMs: 31_000,
    isAnswer: true,
  })
  assert.equal(healthState(answered, 60_003), 'up')
})

test('three dots of one network make it slow for that network alone, until one of another is silent too', () => {
  const hostile = after(...sent([0, 'a'], [1, 'a'], [2, 'a'], [3, 'a']))
  assert.equal(healthState(hostile, 60_004, 'a'), 'slow')
  assert.equal(healthState(hostile, 60_004, 'b'), 'up')
  assert.equal(healthState(hostile, 60_004), 'up')
  assert.equal(slowNetwork(hostile, 60_004), 'a')
  assert.equal(slowNetwork(hostile, 60_000), undefined)

  const hung = nextHealth(hostile, { kind: 'dot-sent', dot: { sentMs: 50_000, network: 'b' } })
  assert.equal(healthState(hung, 110_000, 'b'), 'up')
  assert.equal(healthState(hung, 110_001, 'b'), 'slow')
  assert.equal(slowNetwork(hung, 110_001), undefined)
})

test('when time alone may make it slow: a minute behind the third dot, then behind each later one', () => {
  assert.equal(nextSlowMs(after(...sent([0, 'a'], [1, 'a'])), 10), undefined)
  const four = after(...sent([0, 'a'], [1, 'a'], [2, 'a'], [40, 'b']))
  assert.equal(nextSlowMs(four, 50), 60_003)
  assert.equal(nextSlowMs(four, 60_003), 60_041)
  assert.equal(nextSlowMs(four, 60_041), undefined)
})

test('a dot that we stopped waiting for is no answer, and no longer waits', () => {
  const dot = { sentMs: 0, network: 'a' }
  const three = after({ kind: 'dot-sent', dot }, ...sent([1, 'b'], [2, 'c']))
  const given = nextHealth(three, { kind: 'dot-over', dot, atMs: 70_000, isAnswer: false })
  assert.deepEqual(
    given.behindDot.map(({ sentMs }) => sentMs),
    [1, 2],
  )
  assert.equal(healthState(given, 70_001), 'up')
})

test('out by hand is out, whatever else it is, until it is put back', () => {
  assert.equal(healthState(after(refused, { kind: 'taken-out' }), 0), 'out')
  assert.equal(healthState(after({ kind: 'taken-out' }, opened), 0), 'out')
  assert.equal(healthState(after({ kind: 'taken-out' }, { kind: 'put-back' }), 0), 'up')
})

test('whether the last failure was a refusal of us is known until it opens, or fails in another way', () => {
  const unwanted: HealthEvent = { kind: 'failed', isRefused: false, isRefusingUs: true, fault: 'greeting: 554 no' }
  assert.equal(after(unwanted, unwanted, unwanted).isRefusingUs, true)
  assert.equal(after(unwanted, failed).isRefusingUs, false)
  assert.equal(after(unwanted, opened).isRefusingUs, false)
})

test('what is wrong now: the failure until it is back, a trouble of its sessions until it takes a message', () => {
  const out: HealthEvent = { kind: 'taken-out' }
  const troubled: HealthEvent = { kind: 'troubled', what: 'closed the connection at RCPT' }
  assert.equal(faultNow(after(refused)), 'connect: refused')
  assert.equal(faultNow(after(refused, out)), 'connect: refused')
  assert.equal(faultNow(after(refused, opened)), undefined)
  assert.equal(faultNow(after(refused, opened, out)), undefined)
  assert.equal(faultNow(after(troubled, opened)), 'closed the connection at RCPT')
  assert.equal(healthState(after(troubled, troubled, troubled, troubled), 0), 'up')
  assert.equal(faultNow(after(troubled, { kind: 'delivered' })), undefined)
})
