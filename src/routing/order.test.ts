import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../base/random.ts'
import { cutAtSelf, orderExchangers } from './order.ts'

const records = fc.array(fc.record({ preference: fc.nat(5), name: fc.nat(1000), isSelf: fc.boolean() }), {
  maxLength: 20,
})

test('sorted by preference, nothing lost, and the shares of those tried first add up to one', () => {
  fc.assert(
    fc.property(records, fc.nat(), (list, seed) => {
      const ordered = orderExchangers(list, seededRandom(seed))
      assert.deepEqual(new Set(ordered.map(({ record }) => record)), new Set(list))
      assert.equal(ordered.length, list.length)
      for (const [index, { record }] of ordered.entries())
        assert.ok(record.preference >= (ordered[index - 1]?.record.preference ?? 0))
      const sum = ordered.reduce((total, { share }) => total + share, 0)
      assert.ok(list.length === 0 || Math.abs(sum - 1) < 1e-9)
    }),
  )
})

test('the cut: all that is better than our best place, and nothing else', () => {
  fc.assert(
    fc.property(records, (list) => {
      const { self, better, rest } = cutAtSelf(list, (record) => record.isSelf)
      assert.equal(better.length + rest.length, list.length)
      assert.ok(better.every((record) => !record.isSelf && (!self || record.preference < self.preference)))
      assert.ok(rest.every((record) => self && record.preference >= self.preference))
      assert.equal(self === undefined, !list.some((record) => record.isSelf))
    }),
  )
})

test('reasons', () => {
  const reasons = (...preferences: number[]) =>
    orderExchangers(
      preferences.map((preference) => ({ preference })),
      seededRandom(1),
    ).map(({ reason }) => reason)
  assert.deepEqual(reasons(10), ['the only one'])
  assert.deepEqual(reasons(20, 10), ['best preference', 'tried after better ones'])
  assert.deepEqual(reasons(10, 10), ['equal preference, shuffled', 'equal preference, shuffled'])
})
