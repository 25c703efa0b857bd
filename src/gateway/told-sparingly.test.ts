import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { collectLog } from '../../test/lab/log.ts'
import { createToldSparingly } from './told-sparingly.ts'

const stage = () => {
  const [clock, log] = [createFakeClock(), collectLog()]
  return { clock, ...log, sparingly: createToldSparingly({ clock, log: log.log }) }
}

test('what goes on is told at once and then once a minute, with how often and what was met last', () => {
  const { clock, sparingly, find } = stage()
  for (let id = 0; id < 1000; id++) sparingly.tell('alert', 'refused', 'a rcpt', { id })
  const told = () => find('refused').map(({ level, fields }) => ({ level, ...fields }))
  assert.deepEqual(told(), [{ level: 'alert', id: 0 }])
  clock.advance(60_000)
  assert.deepEqual(told()[1], { level: 'alert', id: 999, more: 999, withinSeconds: 60 })
  sparingly.tell('alert', 'refused', 'a rcpt', { id: 1000 })
  assert.equal(told().length, 2)
  clock.advance(60_000)
  assert.deepEqual(told()[2], { level: 'alert', id: 1000, more: 1, withinSeconds: 60 })
  // Nothing for a minute: it is news again.
  clock.advance(120_000)
  assert.equal(told().length, 3)
  sparingly.tell('alert', 'refused', 'a rcpt', { id: 1001 })
  assert.deepEqual(told()[3], { level: 'alert', id: 1001 })
})

test('other things have their own minutes; a stop says what is left, once', () => {
  const { clock, sparingly, find } = stage()
  sparingly.tell('alert', 'refused', 'a rcpt', {})
  clock.advance(30_000)
  for (let count = 0; count < 3; count++) {
    sparingly.tell('alert', 'refused', 'a mail', {})
    sparingly.tell('info', 'unable', 'a rcpt', {})
  }
  assert.deepEqual([find('refused').length, find('unable').length], [2, 1])
  clock.advance(59_000)
  assert.equal(find('refused').length, 2)
  sparingly.stop()
  assert.deepEqual([find('refused')[2]?.fields.more, find('unable')[1]?.fields.more], [2, 2])
  clock.advance(600_000)
  assert.deepEqual([find('refused').length, find('unable').length], [3, 2])
})

test('more things than are counted apart are told as one', () => {
  const { sparingly, find } = stage()
  for (let about = 0; about < 10_100; about++) sparingly.tell('info', 'unable', `${about}`, { about })
  assert.equal(find('unable').length, 10_001)
  sparingly.stop()
  assert.deepEqual(find('unable').at(-1)?.fields, { about: 10_099, more: 99, withinSeconds: 60 })
})
