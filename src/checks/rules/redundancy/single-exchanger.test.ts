import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { contextOf, factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noSuchName } from '../../../../test/unit/facts/views.ts'
import type { Facts } from '../../facts.ts'
import { runRules } from '../../run-rules.ts'
import { singleExchanger } from './single-exchanger.ts'

const run = (facts: Facts) => runRules([singleExchanger], facts, contextOf())
const alone = (facts: Facts) => ({ ...facts, exchangers: facts.exchangers.slice(0, 1) })

test('two exchangers are fine', () => {
  assert.deepEqual(run(factsOf()), [])
})

test('one exchanger with an address a family is one machine', () => {
  const [finding, ...more] = run(factsOf(alone))
  assert.deepEqual(more, [])
  assert.ok(finding?.kind === 'finding')
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /192\.0\.2\.1 and 2001:db8:1::1\./)
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 20 mx2.example.com.'])
})

test('one name with two addresses of a family is more than one machine', () => {
  const facts = factsOf(alone)
  const [first, second] = factsOf().exchangers.map(({ addresses }) => addresses)
  assert.deepEqual(run(changeExchanger(facts, 0, { addresses: [...(first ?? []), ...(second ?? [])] })), [])
})

test('an exchanger whose addresses are not known may be a second machine', () => {
  const facts = changeExchanger(factsOf(), 1, { a: failed('mx2.example.com'), addresses: [] })
  const [outcome, ...more] = run(facts)
  assert.deepEqual(more, [])
  assert.ok(outcome?.kind === 'not-checked')
  assert.match(outcome.why, /mx2\.example\.com/)
})

test('a domain that takes no mail, or does not exist, is left alone', () => {
  assert.deepEqual(run({ ...factsOf(alone), mx: answer('example.com', [mxData(0, '.')]), exchangers: [] }), [])
  assert.deepEqual(run(factsOf({ mx: noSuchName('example.com'), exchangers: [] })), [])
})
