import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { mxDiffersFromDeclared } from './mx-differs-from-declared.ts'

const declaredExchangers = [
  { host: host('mx1.example.com'), preference: 10 },
  { host: host('mx2.example.com'), preference: 20 },
]
const context = { declaredExchangers }

test('the declared set, in any order and case, is fine', () => {
  assert.deepEqual(outcomesOf(mxDiffersFromDeclared, factsOf(), context), [])
  const mx = answer('example.com', [mxData(20, 'MX2.example.com'), mxData(10, 'mx1.Example.com')])
  assert.deepEqual(outcomesOf(mxDiffersFromDeclared, factsOf({ mx }), context), [])
})

test('another preference, a record more and a record less are told', () => {
  const mx = answer('example.com', [
    mxData(10, 'mx1.example.com'),
    mxData(15, 'mx2.example.com'),
    mxData(30, 'mx9.example.net'),
  ])
  const finding = only(mxDiffersFromDeclared, factsOf({ mx }), context)
  assert.match(finding.seen, /lacks 20 mx2\.example\.com and has 15 mx2\.example\.com and 30 mx9\.example\.net, which/)
  assert.deepEqual(finding.remedy.records, [
    'example.com. IN MX 10 mx1.example.com.',
    'example.com. IN MX 20 mx2.example.com.',
  ])
  assert.deepEqual(outcomesOf(mxDiffersFromDeclared, factsOf({ mx: noData('example.com') }), context), [
    'warning mx-differs-from-declared',
  ])
})

test('a declared null MX is compared as any other', () => {
  const nothing = { declaredExchangers: [{ host: host('.'), preference: 0 }] }
  assert.deepEqual(
    outcomesOf(mxDiffersFromDeclared, factsOf({ mx: answer('example.com', [mxData(0, '.')]) }), nothing),
    [],
  )
})

test('without a declaration nothing is compared; a failed look-up leaves it open', () => {
  assert.deepEqual(outcomesOf(mxDiffersFromDeclared, factsOf({ mx: noData('example.com') })), [])
  assert.deepEqual(outcomesOf(mxDiffersFromDeclared, factsOf({ mx: noSuchName('example.com') }), context), [])
  assert.deepEqual(outcomesOf(mxDiffersFromDeclared, factsOf({ mx: failed('example.com') }), context), [
    'not checked mx-differs-from-declared: lookup-failed',
  ])
})
