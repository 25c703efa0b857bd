import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gate } from '../../test/lab/until.ts'
import { createQueueByKey } from './queue-by-key.ts'

test('one at a time of a key, in order; other keys do not wait; a failure hands the turn on', async () => {
  const turns = createQueueByKey()
  const [first, second] = [gate(), gate()]
  const told: string[] = []
  const work = (name: string, until: Promise<void>) => async () => {
    told.push(`${name} begins`)
    await until
    told.push(`${name} ends`)
  }
  const running = [
    turns('a', work('1', first.promise)),
    turns('a', async () => {
      await work('2', second.promise)()
      throw new Error('of no use')
    }),
    turns('a', work('3', Promise.resolve())),
    turns('b', work('4', Promise.resolve())),
  ]
  await running[3]
  assert.deepEqual(told, ['1 begins', '4 begins', '4 ends'])
  first.open()
  await running[0]
  second.open()
  await assert.rejects(running[1] ?? Promise.resolve(), /of no use/)
  await running[2]
  assert.deepEqual(told.slice(3), ['1 ends', '2 begins', '2 ends', '3 begins', '3 ends'])
})

test('so many at once', async () => {
  const turns = createQueueByKey(3)
  let [now, most] = [0, 0]
  const work = async () => {
    most = Math.max(most, ++now)
    await new Promise((resolve) => setImmediate(resolve))
    now--
  }
  await Promise.all(Array.from({ length: 20 }, () => turns('a', work)))
  assert.equal(most, 3)
})
