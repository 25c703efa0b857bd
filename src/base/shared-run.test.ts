import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSharedRun } from './shared-run.ts'

test('who asks while it runs gets the next run, all of them the same one', async () => {
  const ends: (() => void)[] = []
  let runs = 0
  const ask = createSharedRun(() => {
    const run = ++runs
    return new Promise<number>((resolve) => ends.push(() => resolve(run)))
  })
  const first = ask()
  const others = [ask(), ask(), ask()]
  assert.equal(runs, 1)
  ends[0]?.()
  assert.equal(await first, 1)
  await new Promise((done) => setImmediate(done))
  assert.equal(runs, 2)
  // This one comes while the second run is on its way already.
  const late = ask()
  ends[1]?.()
  assert.deepEqual(await Promise.all(others), [2, 2, 2])
  await new Promise((done) => setImmediate(done))
  ends[2]?.()
  assert.equal(await late, 3)
  assert.equal(runs, 3)
})

test('a run that fails fails for those who asked for it, and for nobody else', async () => {
  let runs = 0
  const ask = createSharedRun(async () => {
    if (++runs === 1) throw new Error('once')
    return runs
  })
  const [first, second] = await Promise.allSettled([ask(), ask()])
  assert.equal(first.status, 'rejected')
  assert.deepEqual(second, { status: 'fulfilled', value: 2 })
  assert.equal(await ask(), 3)
})
