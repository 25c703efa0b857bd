import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import type { HealthState } from '../routing/health.ts'
import { createLedger } from './ledger.ts'
import { createObserver } from './observer.ts'
import type { World } from './world.ts'

function watch() {
  const clock = createFakeClock()
  const told: string[] = []
  let sight: { held: number; states: readonly HealthState[] } = { held: 0, states: ['up', 'up', 'up'] }
  const ledger = createLedger(10)
  const mailboxes = [1, 2, 3] as unknown as World['mailboxes']
  const world: World = { mailboxes, ledger, perSecond: 1, domain: 'example.test', look: () => sight }
  const observer = createObserver(world, (_by, text) => told.push(text), clock)
  const becomes = (held: number, ...states: readonly HealthState[]) => {
    sight = { held, states }
  }
  return {
    ledger,
    observer,
    becomes,
    /** @returns what it says of it */
    sees(held: number, ...states: readonly HealthState[]) {
      becomes(held, ...states)
      clock.advance(100)
      return told.splice(0)
    },
    told,
  }
}

test('one backend down, then all: where mail goes, and that it is held', () => {
  const { sees } = watch()
  assert.deepEqual(sees(0, 'up', 'up', 'up'), [])
  assert.deepEqual(sees(0, 'up', 'down', 'up'), [
    'The gateway finds backend 2 down: its mail goes to backends 1 and 3.',
  ])
  assert.deepEqual(sees(0, 'up', 'down', 'up'), [])
  assert.deepEqual(sees(1, 'down', 'down', 'down'), [
    'The gateway finds backends 1 and 3 down: nobody is left, so mail is held, on disk before its sender hears 250.',
  ])
})

test('one comes back with mail held: it drains, and the end of it is told once everything has arrived', () => {
  const { sees, ledger } = watch()
  const id = ledger.next() as number
  ledger.taken(id, 1)
  sees(12, 'down', 'down', 'down')
  assert.deepEqual(sees(12, 'up', 'down', 'down'), [
    'The gateway finds backend 1 up: 12 held messages go there now, oldest first, beside new mail.',
  ])
  assert.deepEqual(sees(0, 'up', 'down', 'down'), [], 'one is missing still')
  ledger.arrived(id)
  assert.deepEqual(sees(0, 'up', 'down', 'down'), ['Nothing is held any more: all 12 have arrived.'])
  assert.deepEqual(sees(0, 'up', 'suspect', 'down'), [
    'The gateway finds backend 2 up: it gets its share again, step by step.',
  ])
})

test('what a person took out is told as such', () => {
  const { sees } = watch()
  assert.deepEqual(sees(0, 'out', 'up', 'up'), [
    'The gateway has taken backend 1 out of service: its mail goes to backends 2 and 3.',
  ])
})

test('at its end it looks once more, and never again', () => {
  const { sees, observer, told, becomes } = watch()
  becomes(0, 'down', 'up', 'up')
  observer.stop()
  assert.deepEqual(told.splice(0), ['The gateway finds backend 1 down: its mail goes to backends 2 and 3.'])
  assert.deepEqual(sees(0, 'up', 'up', 'up'), [])
})
