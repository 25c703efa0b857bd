import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { Patience } from './patience.ts'

function stage() {
  const clock = createFakeClock()
  const given: string[] = []
  const patience = new Patience(clock, 1_000)
  const waiting = (name: string) => ({ ranOut: () => void given.push(name) })
  return { clock, given, patience, waiting }
}

test('each runs out when its own time is over, and not before', () => {
  const { clock, given, patience, waiting } = stage()
  patience.begin(waiting('one'))
  clock.advance(600)
  patience.begin(waiting('two'))
  clock.advance(398)
  assert.deepEqual(given, [])
  clock.advance(2)
  assert.deepEqual(given, ['one'])
  clock.advance(590)
  assert.deepEqual(given, ['one'])
  clock.advance(20)
  assert.deepEqual(given, ['one', 'two'])
  clock.advance(5_000)
  patience.begin(waiting('three'))
  clock.advance(1_000)
  assert.deepEqual(given, ['one', 'two', 'three'])
})

test('whose wait has ended is left alone, and who begins anew has the whole time again', () => {
  const { clock, given, patience, waiting } = stage()
  const [ended, renewed] = [waiting('ended'), waiting('renewed')]
  patience.begin(ended)
  patience.begin(renewed)
  clock.advance(900)
  patience.end(ended)
  patience.begin(renewed)
  clock.advance(500)
  assert.deepEqual(given, [])
  clock.advance(501)
  assert.deepEqual(given, ['renewed'])
})
