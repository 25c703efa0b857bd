import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { Cancel } from './cancel.ts'
import { within } from './clock.ts'

test('who listens is called once; who stopped listening is not; who comes late is called at once', () => {
  const heard: string[] = []
  const cancel = new Cancel()
  cancel.whenCancelled(() => heard.push('stays'))
  const leave = cancel.whenCancelled(() => heard.push('left'))
  leave()
  assert.equal(cancel.isCancelled, false)
  cancel.cancel()
  cancel.cancel()
  assert.equal(cancel.isCancelled, true)
  cancel.whenCancelled(() => heard.push('late'))
  assert.deepEqual(heard, ['stays', 'late'])
})

test('waiting with a deadline ends at once when it is cancelled, and leaves nothing behind', async () => {
  const clock = createFakeClock()
  const cancel = new Cancel()
  const waited = within(new Promise<string>(() => {}), 60_000, clock, cancel)
  cancel.cancel()
  assert.equal(await waited, undefined)
  assert.equal(await within(Promise.resolve('in time'), 60_000, clock, new Cancel()), 'in time')
})
