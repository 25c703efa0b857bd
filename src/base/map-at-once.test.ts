import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapAtOnce } from './map-at-once.ts'

test('so many at once and no more, and what comes of them in their order', async () => {
  let running = 0
  let most = 0
  const delays = [5, 1, 4, 2, 3]
  const done = await mapAtOnce(delays, 2, async (turns) => {
    most = Math.max(most, ++running)
    for (let at = 0; at < turns; at++) await new Promise((resolve) => setImmediate(resolve))
    running--
    return turns * 10
  })
  assert.deepEqual([done, most], [[50, 10, 40, 20, 30], 2])
  assert.deepEqual(await mapAtOnce([], 3, async () => assert.fail()), [])
})

test('what one throws ends it, and nothing new is begun', async () => {
  const begun: number[] = []
  const work = async (item: number) => {
    begun.push(item)
    await new Promise((resolve) => setImmediate(resolve))
    if (item === 2) throw new Error('two')
  }
  await assert.rejects(mapAtOnce([1, 2, 3, 4, 5, 6], 2, work), /two/)
  assert.ok(!begun.includes(5), begun.join(' '))
})
