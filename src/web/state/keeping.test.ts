import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { GatewayEvent } from '../../gateway/events.ts'
import { createKeeping } from './keeping.ts'

const notHeld = (why: string): GatewayEvent => ({ kind: 'alert', atMs: 0, event: 'message not held', about: { why } })
const held = { kind: 'held' } as GatewayEvent

test('a message that could not be kept says that nothing is kept, until one is, or nobody has tried for long', () => {
  const clock = createFakeClock()
  let whyNotKept: string | undefined
  const keeping = createKeeping(clock, () => whyNotKept)
  assert.equal(keeping.whyNot(), undefined)
  keeping.tell(notHeld('hold'))
  assert.equal(keeping.whyNot(), 'the hold is full')
  keeping.tell(held)
  assert.equal(keeping.whyNot(), undefined)
  keeping.tell(notHeld('SQLITE_READONLY'))
  assert.equal(keeping.whyNot(), 'the store cannot be written')
  clock.advance(3 * 60_000)
  assert.equal(keeping.whyNot(), undefined)
  whyNotKept = 'the disk has no room for more'
  assert.equal(keeping.whyNot(), whyNotKept)
})

test('one domain that has used up its share says nothing of the others', () => {
  const keeping = createKeeping(createFakeClock(), () => undefined)
  keeping.tell(notHeld('domain'))
  assert.equal(keeping.whyNot(), undefined)
})
