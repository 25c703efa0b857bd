import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { routeUnsigned } from './route-unsigned.ts'

test('an invalid route is a warning, one without ROA a notice; name servers count as well', () => {
  const routeOrigin = (address: string) =>
    address === '192.0.2.1' ? 'invalid' : address === '203.0.113.53' ? 'not-found' : ('valid' as const)
  assert.deepEqual(outcomesOf(routeUnsigned, factsOf(), { routeOrigin }), [
    'warning route-unsigned',
    'notice route-unsigned',
  ])
  assert.match(
    only(routeUnsigned, factsOf(), { routeOrigin: (address) => (address === '203.0.113.53' ? 'not-found' : 'valid') })
      .seen,
    /203\.0\.113\.53 \(ns3\.example\.com\)/,
  )
})

test('valid routes are fine; without a table, or where it knows nothing, nothing is said', () => {
  assert.deepEqual(outcomesOf(routeUnsigned, factsOf(), { routeOrigin: () => 'valid' }), [])
  assert.deepEqual(outcomesOf(routeUnsigned, factsOf(), { routeOrigin: () => undefined }), [])
  assert.deepEqual(outcomesOf(routeUnsigned, factsOf()), [])
})
