import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScans } from './scans.ts'

test('two search at once, ten wait for their turn, and who comes then is asked to come again', async () => {
  const scan = createScans()
  const gate = Promise.withResolvers<void>()
  let running = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++running)
    await gate.promise
    running--
    return { kind: 'ok', value: 1 } as const
  }
  const asked = Array.from({ length: 15 }, () => scan(work))
  gate.resolve()
  const kinds = (await Promise.all(asked)).map(({ kind }) => kind)
  assert.deepEqual([most, kinds.filter((kind) => kind === 'no').length], [2, 3])
  assert.equal((await scan(work)).kind, 'ok')
})

test('a search that fails gives its place back', async () => {
  const scan = createScans()
  for (let times = 0; times < 5; times++) await assert.rejects(scan(() => Promise.reject(new Error('broken'))))
  assert.equal((await scan(async () => ({ kind: 'ok', value: 1 }))).kind, 'ok')
})
