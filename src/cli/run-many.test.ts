import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runMany } from './run-many.ts'

async function* numbers(most: number): AsyncIterable<readonly number[]> {
  for (let from = 0; from < most; from += 7)
    yield Array.from({ length: Math.min(7, most - from) }, (_, at) => from + at)
}

test('all of them, so many at once and never more', async () => {
  let [running, most] = [0, 0]
  const done = new Set<number>()
  await runMany(numbers(100), 5, async (number) => {
    running++
    most = Math.max(most, running)
    await new Promise((resolve) => setImmediate(resolve))
    done.add(number)
    running--
  })
  assert.deepEqual([done.size, most, running], [100, 5, 0])
})

test('what one throws ends the run when the others have ended', async () => {
  let [begun, ended] = [0, 0]
  const work = async (number: number) => {
    begun++
    await new Promise((resolve) => setImmediate(resolve))
    ended++
    if (number === 10) throw new Error('the disk is full')
  }
  await assert.rejects(runMany(numbers(1000), 3, work), /the disk is full/)
  assert.equal(begun, ended)
  assert.ok(begun < 20)
})

test('nothing to do is done', async () => {
  await runMany(numbers(0), 1, () => assert.fail())
})
