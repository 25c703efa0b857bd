import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { GatewayEvent } from '../../gateway/events.ts'
import { createCanKeep } from './can-keep.ts'

const notHeld = (why: string): GatewayEvent => ({ kind: 'alert', atMs: 0, event: 'message not held', about: { why } })
const held = { kind: 'held' } as GatewayEvent

test('a message that could not be kept says that nothing is kept, until one is, or nobody has tried for long', () => {
  const clock = createFakeClock()
  let whyNotKept: string | undefined
  const canKeep = createCanKeep(clock, () => whyNotKept)
  assert.equal(canKeep.whyNot(), undefined)
  canKeep.tell(notHeld('hold'))
  assert.equal(canKeep.whyNot(), 'the hold is full')
  canKeep.tell(held)
  assert.equal(canKeep.whyNot(), undefined)
  canKeep.tell(notHeld('SQLITE_READONLY'))
  assert.equal(canKeep.whyNot(), 'the store cannot be written')
  clock.advance(3 * 60_000)
  assert.equal(canKeep.whyNot(), undefined)
  whyNotKept = 'the disk has no room for more'
  assert.equal(canKeep.whyNot(), whyNotKept)
})

test('one domain that has used up its share says nothing of the others', () => {
  const canKeep = createCanKeep(createFakeClock(), () => undefined)
  canKeep.tell(notHeld('domain'))
  assert.equal(canKeep.whyNot(), undefined)
})
