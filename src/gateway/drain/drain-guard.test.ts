import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { createDrainGuard } from './drain-guard.ts'

const backend = 'smtp://b'
const make = () => createDrainGuard({ clock: createFakeClock(), log: collectLog().log, keep: () => undefined })

test('more than ten recipients and more than a fifth are unknown: stopped, until it is resumed', () => {
  const guard = make()
  for (let number = 0; number < 40; number++) guard.firstAttempt(backend, `good${number}@a.test`, false)
  for (let number = 0; number < 10; number++) guard.firstAttempt(backend, `gone${number}@a.test`, true)
  assert.equal(guard.isStopped(backend), false)
  guard.firstAttempt(backend, 'gone10@a.test', true)
  assert.equal(guard.isStopped(backend), true)
  assert.equal(guard.stopped().get(backend), 'it knows 11 of the first 51 recipients of held mail no more')
  assert.equal(guard.resume(backend), true)
  assert.equal(guard.isStopped(backend), false)
})

test('a recipient counts once, however it is written, and however many messages there are for it', () => {
  const guard = make()
  for (let number = 0; number < 100; number++)
    guard.firstAttempt(backend, number % 2 ? 'gone@a.test' : 'GONE@a.test', true)
  assert.equal(guard.isStopped(backend), false)
})

test('another backend, and the same one before it was away, speak for themselves', () => {
  const guard = make()
  for (let number = 0; number < 10; number++) guard.firstAttempt(backend, `gone${number}@a.test`, true)
  guard.firstAttempt('smtp://c', 'gone10@a.test', true)
  guard.startOver(backend)
  guard.firstAttempt(backend, 'gone10@a.test', true)
  assert.deepEqual([...guard.stopped()], [])
})
