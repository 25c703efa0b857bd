import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AcceptedDomains } from './accepted-domains.ts'

test('100,000 pairs of backend and domain are remembered, the same one once; one more, and all are forgotten', () => {
  const accepted = new AcceptedDomains()
  for (let pair = 0; pair < 100_000; pair++) accepted.add(`backend${pair % 10}`, `d${pair}.test`)
  accepted.add('backend0', 'd0.test')
  assert.deepEqual([accepted.has('backend0', 'd0.test'), accepted.has('backend9', 'd99999.test')], [true, true])
  assert.equal(accepted.has('backend1', 'd0.test'), false)
  accepted.add('backend0', 'one-more.test')
  assert.deepEqual([accepted.has('backend0', 'd0.test'), accepted.has('backend9', 'd99999.test')], [false, false])
})
