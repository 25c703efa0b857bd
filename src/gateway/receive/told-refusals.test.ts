import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { createToldRefusals } from './told-refusals.ts'

const stage = () => {
  const [clock, log] = [createFakeClock(), collectLog()]
  return { clock, ...log, told: createToldRefusals({ clock, log: log.log, most: () => 3 }) }
}

test('a flood is told by its first lines, and the rest in one line when its minute is over', () => {
  const { clock, told, find } = stage()
  for (let count = 0; count < 1000; count++) told.tell('192.0.2.1', 'recipient deferred', { to: `${count}@a.test` })
  for (let count = 0; count < 5; count++) told.tell('192.0.2.1', 'recipient refused', { to: `${count}@a.test` })
  told.tell('192.0.2.2', 'recipient deferred', { to: 'you@a.test' })
  assert.equal(find('recipient deferred').length, 4)
  assert.equal(find('recipient refused').length, 3)
  assert.equal(find('more recipients not accepted').length, 0)
  clock.advance(60_000)
  assert.deepEqual(
    find('more recipients not accepted').map(({ fields }) => fields),
    [{ client: '192.0.2.1', refused: 2, deferred: 997, withinSeconds: 60 }],
  )
  clock.advance(600_000)
  assert.equal(find('more recipients not accepted').length, 1)
  told.tell('192.0.2.1', 'recipient deferred', { to: 'you@a.test' })
  assert.equal(find('recipient deferred').length, 5)
})

test('messages and sessions that are refused are bounded alike', () => {
  const { clock, told, find } = stage()
  for (let count = 0; count < 10; count++) told.tell('192.0.2.1', 'message refused', { why: 'nul' })
  for (let count = 0; count < 4; count++) told.tell('192.0.2.1', 'smtp session refused', { why: 'another protocol' })
  told.tell('192.0.2.2', 'smtp session refused', { why: 'early talker' })
  assert.equal(find('message refused').length, 3)
  assert.equal(find('smtp session refused').length, 4)
  clock.advance(60_000)
  assert.deepEqual(
    find('more was refused').map(({ fields }) => fields),
    [{ client: '192.0.2.1', messages: 7, commands: 0, sessions: 1, withinSeconds: 60 }],
  )
  assert.equal(find('more recipients not accepted').length, 0)
})

test('a minute that begins while another runs ends by itself; a stop says what is left', () => {
  const { clock, told, find } = stage()
  const flood = (client: string) => {
    for (let count = 0; count < 4; count++) told.tell(client, 'recipient deferred', {})
  }
  flood('192.0.2.1')
  clock.advance(30_000)
  flood('192.0.2.2')
  clock.advance(30_000)
  const clients = () => find('more recipients not accepted').map(({ fields }) => fields.client)
  assert.deepEqual(clients(), ['192.0.2.1'])
  clock.advance(30_000)
  assert.deepEqual(clients(), ['192.0.2.1', '192.0.2.2'])
  flood('192.0.2.3')
  told.stop()
  assert.deepEqual(clients(), ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
})

test('more clients than can be counted apart are one client more', () => {
  const { clock, told, find } = stage()
  for (let count = 0; count < 10_010; count++) told.tell(`client ${count}`, 'recipient deferred', {})
  assert.equal(find('recipient deferred').length, 10_003)
  clock.advance(60_000)
  assert.deepEqual(
    find('more recipients not accepted').map(({ fields }) => fields),
    [{ client: 'others', refused: 0, deferred: 7, withinSeconds: 60 }],
  )
})
