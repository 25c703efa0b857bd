import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { WaitingPlaces } from './waiting-places.ts'

function stage() {
  const clock = createFakeClock()
  const given: string[] = []
  const waitingPlaces = new WaitingPlaces(clock, 1_000)
  const begin = (name: string) => waitingPlaces.begin({ giveBack: () => void given.push(name) }, clock.monotonicMs())
  return { clock, given, waitingPlaces, begin }
}

test('each runs out when its own time is over, and not before', () => {
  const { clock, given, begin } = stage()
  begin('one')
  clock.advance(600)
  begin('two')
  clock.advance(398)
  assert.deepEqual(given, [])
  clock.advance(2)
  assert.deepEqual(given, ['one'])
  clock.advance(590)
  assert.deepEqual(given, ['one'])
  clock.advance(20)
  assert.deepEqual(given, ['one', 'two'])
  clock.advance(5_000)
  begin('three')
  clock.advance(1_000)
  assert.deepEqual(given, ['one', 'two', 'three'])
})

test('whose wait has ended is left alone, and who begins anew has the whole time again', () => {
  const { clock, given, waitingPlaces, begin } = stage()
  const ended = begin('ended')
  const renewed = begin('renewed')
  clock.advance(900)
  waitingPlaces.end(ended)
  waitingPlaces.end(renewed)
  begin('renewed')
  clock.advance(500)
  assert.deepEqual(given, [])
  clock.advance(501)
  assert.deepEqual(given, ['renewed'])
})
