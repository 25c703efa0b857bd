import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLedger } from './ledger.ts'

test('a message that was taken is missing until it arrives, and arrives once or more often', () => {
  const ledger = createLedger(10)
  const [first, second, third] = [ledger.next(), ledger.next(), ledger.next()] as [number, number, number]
  ledger.taken(first, 5)
  ledger.taken(second, 7)
  assert.deepEqual(ledger.counts, { taken: 2, arrivedOnce: 0, arrivedTwice: 0, missing: 2, turnedAway: 0 })
  ledger.arrived(first)
  ledger.arrived(second)
  ledger.arrived(second)
  assert.deepEqual(ledger.counts, { taken: 2, arrivedOnce: 1, arrivedTwice: 1, missing: 0, turnedAway: 0 })
  // It may be in the mailbox before its sender has heard so.
  ledger.arrived(third)
  assert.equal(ledger.counts.arrivedOnce, 1)
  ledger.taken(third, 9)
  assert.equal(ledger.counts.arrivedOnce, 2)
  assert.equal(ledger.longestWaitMs, 9)
})

test('a message counts as taken once, a number that was never given out not at all', () => {
  const ledger = createLedger(2)
  const id = ledger.next() as number
  ledger.taken(id, 1)
  ledger.taken(id, 1)
  ledger.taken(7, 1)
  ledger.arrived(7)
  ledger.turnedAway()
  assert.deepEqual(ledger.counts, { taken: 1, arrivedOnce: 0, arrivedTwice: 0, missing: 1, turnedAway: 1 })
})

test('no more numbers than the books have pages, and no more arrivals than fit on one', () => {
  const ledger = createLedger(1)
  assert.equal(ledger.next(), 0)
  assert.equal(ledger.next(), undefined)
  ledger.taken(0, 1)
  for (let time = 0; time < 300; time++) ledger.arrived(0)
  assert.deepEqual(ledger.counts, { taken: 1, arrivedOnce: 0, arrivedTwice: 1, missing: 0, turnedAway: 0 })
})
