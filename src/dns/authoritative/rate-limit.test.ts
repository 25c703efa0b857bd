import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { createRateLimiter, type Limited, networkHash } from './rate-limit.ts'

const times = (count: number, what: () => Limited) => {
  const seen = { send: 0, truncate: 0, drop: 0 }
  for (let index = 0; index < count; index++) seen[what()]++
  return seen
}

test('so many a second, and every second one beyond them as TC', () => {
  const clock = createFakeClock()
  const limiter = createRateLimiter({ perSecond: 10, slip: 2 }, 1, clock)
  const ask = () => limiter.count('192.0.2.7', 'positive')
  assert.deepEqual(times(30, ask), { send: 10, truncate: 10, drop: 10 })
  clock.advance(500)
  assert.equal(times(30, ask).send, 5)
  clock.advance(60_000)
  assert.equal(times(30, ask).send, 10, 'what was not used is not saved up')
})

test('networks and kinds are counted apart', () => {
  const limiter = createRateLimiter({ perSecond: 5, slip: 0 }, 1, createFakeClock())
  assert.deepEqual(
    times(9, () => limiter.count('192.0.2.7', 'positive')),
    { send: 5, truncate: 0, drop: 4 },
  )
  assert.equal(limiter.count('192.0.2.250', 'positive'), 'drop')
  assert.equal(limiter.count('192.0.3.7', 'positive'), 'send')
  assert.equal(limiter.count('192.0.2.7', 'no-such-name'), 'send')
  assert.deepEqual(times(9, () => limiter.count('2001:db8:0:100::1', 'positive')).send, 5)
  assert.equal(limiter.count('2001:db8:0:1ff:1::2', 'positive'), 'drop')
  assert.equal(limiter.count('2001:db8:0:200::1', 'positive'), 'send')
  const all = createRateLimiter({ perSecond: 1, slip: 1 }, 1, createFakeClock())
  assert.deepEqual(
    times(5, () => all.count('192.0.2.7', 'error')),
    { send: 1, truncate: 4, drop: 0 },
  )
  const none = createRateLimiter({ perSecond: 0, slip: 1 }, 1, createFakeClock())
  assert.equal(times(1000, () => none.count('192.0.2.7', 'error')).send, 1000)
})

test('a flood from everywhere does not free the one who is limited', () => {
  const clock = createFakeClock()
  const limiter = createRateLimiter({ perSecond: 5, slip: 0 }, 7, clock)
  let sent = 0
  for (let round = 0; round < 200_000; round++) {
    limiter.count(`10.${round & 255}.${(round >> 8) & 255}.1`, 'positive')
    if (round % 10 === 0 && limiter.count('192.0.2.7', 'positive') === 'send') sent++
    clock.advance(0.001)
  }
  assert.ok(sent <= 10, `${sent} were sent in 0.2 s`)
})

test('what the text of an address says, and not how it is written', () => {
  assert.equal(networkHash('2001:db8::1', 3), networkHash('2001:db8:0:0:ffff::1', 3))
  assert.equal(networkHash('::1', 3), networkHash('0:0:0:0:1::', 3))
  assert.notEqual(networkHash('2001:db8::1', 3), networkHash('2001:db9::1', 3))
  assert.notEqual(networkHash('1:2:3:4:5:6:7:8', 3), networkHash('1:2:3:ff04:5:6:7:8', 3))
})
