import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { ExchangerFacts } from '../../facts.ts'
import { mxTooMany } from './mx-too-many.ts'

const [one] = factsOf().exchangers
const exchangers = (count: number): ExchangerFacts[] => Array.from({ length: count }, () => one ?? assert.fail())

test('more than ten exchangers, and more than twenty addresses', () => {
  assert.match(only(mxTooMany, factsOf({ exchangers: exchangers(11) })).seen, /11 exchangers and has 22 addresses/)
  assert.deepEqual(outcomesOf(mxTooMany, factsOf({ exchangers: exchangers(10) })), [])
})

test('an answer that does not fit into one packet', () => {
  const mx = answer('example.com', [mxData(10, 'mx1.example.com')], { bytes: 1300 })
  assert.match(only(mxTooMany, factsOf({ mx })).seen, /1300 octets/)
})

test('two exchangers are fine, and a failed look-up leaves it open', () => {
  assert.deepEqual(outcomesOf(mxTooMany, factsOf()), [])
  assert.deepEqual(outcomesOf(mxTooMany, factsOf({ mx: failed('example.com') })), [
    'not checked mx-too-many: lookup-failed',
  ])
})
