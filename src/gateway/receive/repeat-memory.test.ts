import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { createRepeatMemory, envelopeHash } from './repeat-memory.ts'

test('an entry answers once, for its envelope and its content', () => {
  const memory = createRepeatMemory(createFakeClock())
  memory.remember('e1', 'c1')
  memory.remember('e1', 'c2')
  assert.deepEqual([memory.knows('e1'), memory.knows('e2')], [true, false])
  assert.deepEqual([memory.take('e1', 'c3'), memory.take('e2', 'c1')], [false, false])
  assert.deepEqual([memory.take('e1', 'c1'), memory.take('e1', 'c1')], [true, false])
  assert.equal(memory.knows('e1'), true)
  assert.equal(memory.take('e1', 'c2'), true)
  assert.deepEqual([memory.knows('e1'), memory.size], [false, 0])
})

test('it lasts 24 hours, counted from the last time', () => {
  const clock = createFakeClock()
  const memory = createRepeatMemory(clock)
  memory.remember('e', 'c')
  clock.advance(23 * 3_600_000)
  memory.remember('e', 'c')
  assert.equal(memory.size, 1)
  clock.advance(23 * 3_600_000)
  assert.equal(memory.knows('e'), true)
  clock.advance(2 * 3_600_000)
  assert.equal(memory.knows('e'), false)
  assert.equal(memory.take('e', 'c'), false)
})

test('ten thousand are kept, the oldest go first', () => {
  const memory = createRepeatMemory(createFakeClock())
  for (let number = 0; number <= 10_000; number++) memory.remember(`e${number}`, 'c')
  assert.equal(memory.size, 10_000)
  assert.deepEqual([memory.knows('e0'), memory.knows('e1'), memory.knows('e10000')], [false, true, true])
})

test('the order of the recipients does not matter, and nothing runs into another', () => {
  assert.equal(envelopeHash(null, ['a@x.test', 'b@x.test']), envelopeHash(null, ['b@x.test', 'a@x.test']))
  assert.notEqual(envelopeHash(null, ['a@x.test', 'b@x.test']), envelopeHash(null, ['a@x.testb@x.test']))
})
