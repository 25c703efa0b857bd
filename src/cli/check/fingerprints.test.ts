import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFingerprints } from './fingerprints.ts'

test('what was added is there, and nothing else, while it grows', () => {
  const prints = createFingerprints()
  for (let index = 0; index < 20_000; index++) {
    prints.add(`d${index}.example`)
    prints.add(`d${index}.example`)
  }
  assert.equal(prints.size, 20_000)
  for (let index = 0; index < 20_000; index++) assert.ok(prints.has(`d${index}.example`))
  for (let index = 20_000; index < 40_000; index++) assert.ok(!prints.has(`d${index}.example`))
})
