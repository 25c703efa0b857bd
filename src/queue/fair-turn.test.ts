import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailbox, startMs } from '../../test/unit/held-message.ts'
import { createFairTurns } from './fair-turn.ts'

const at = (domain: string) => mailbox(`joe@${domain}`)
const hourMs = 3_600_000

test('the turn is the time of arrival, but messages of one sender domain are 20 ms apart', () => {
  const turns = createFairTurns()
  assert.equal(turns.next(at('one.test'), startMs), startMs)
  assert.equal(turns.next(at('one.test'), startMs), startMs + 20)
  assert.equal(turns.next(at('one.test'), startMs + 1), startMs + 40)
  assert.equal(turns.next(at('two.test'), startMs + 1), startMs + 1)
  assert.equal(turns.next(null, startMs), startMs)
  assert.equal(turns.next(null, startMs), startMs + 20)
  assert.equal(turns.next(at('one.test'), startMs + 1000), startMs + 1000)
})

test('a flood puts its own mail off by an hour at most, and so does a clock that went back a day', () => {
  const turns = createFairTurns()
  for (let count = 0; count < 200_000; count++) turns.next(at('flood.test'), startMs)
  assert.equal(turns.next(at('flood.test'), startMs), startMs + hourMs)
  turns.next(at('one.test'), startMs)
  assert.equal(turns.next(at('one.test'), startMs - 24 * hourMs), startMs - 23 * hourMs)
})

test('many sender domains are remembered, and the one that was heard of longest ago is forgotten first', () => {
  const turns = createFairTurns()
  turns.next(at('first.test'), startMs)
  for (let number = 0; number < 9_999; number++) turns.next(at(`d${number}.test`), startMs)
  assert.equal(turns.next(at('first.test'), startMs), startMs + 20)
  turns.next(at('one-more.test'), startMs)
  assert.equal(turns.next(at('d0.test'), startMs), startMs)
})
