import assert from 'node:assert/strict'
import { test } from 'node:test'
import { section } from '../base/option.ts'
import { holdLimitOptions } from './options.ts'
import { domainLimit, freeLimit, holdLimit, keptLimit } from './quota.ts'

const GiB = 1024 ** 3

test('the hold has limits of its own', () => {
  const limits = section('limits', holdLimitOptions).prefault({})
  assert.deepEqual(limits.parse({}), {})
  assert.deepEqual(limits.parse({ hold: '20GiB', freeSpace: '0' }), { hold: 20 * GiB, freeSpace: 0 })
  for (const wrong of [{ hold: '1KiB' }, { hold: 'much' }]) assert.equal(limits.safeParse(wrong).success, false)
})

test('what is not said follows from the disk', () => {
  const unsaid = { holdBytes: undefined, freeBytes: undefined }
  assert.equal(holdLimit(unsaid, 10 * GiB, 2 * GiB), 6 * GiB)
  assert.equal(holdLimit(unsaid, 10_000 * GiB, 0), 256 * GiB)
  assert.equal(holdLimit({ ...unsaid, holdBytes: 5 }, 10 * GiB, 0), 5)
  assert.equal(freeLimit(unsaid, 1000 * GiB), GiB / 2)
  assert.equal(freeLimit(unsaid, GiB), Math.floor(GiB / 20))
  assert.deepEqual([domainLimit(100), keptLimit(100)], [25, 10])
})
