import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { noMailHost } from './no-mx.ts'
import { nullMx, nullMxMixed, nullMxPreference } from './null-mx.ts'

const rules = [nullMx, nullMxMixed, nullMxPreference]
const withMx = (...records: [number, string][]) =>
  factsOf({
    mx: answer(
      'example.com',
      records.map(([preference, host]) => mxData(preference, host)),
    ),
    exchangers: [],
  })

test('a null MX is a notice, with an address at the domain and without', () => {
  assert.deepEqual(outcomesOf([...rules, noMailHost], withMx([0, '.'])), ['notice null-mx'])
  const bare = { ...withMx([0, '.']), a: noData('example.com'), aaaa: noData('example.com') }
  assert.deepEqual(outcomesOf([...rules, noMailHost], bare), ['notice null-mx'])
})

test('a preference other than 0 is told in its place', () => {
  const finding = only(rules, withMx([10, '.']))
  assert.equal(finding.id, 'null-mx-preference')
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 0 .'])
})

test('beside other records it is an error, whatever its preference; two of its kind are one too', () => {
  assert.deepEqual(outcomesOf(rules, withMx([0, '.'], [10, 'mx1.example.com'])), ['error null-mx-mixed'])
  assert.deepEqual(outcomesOf(rules, withMx([10, '.'], [10, 'mx1.example.com'])), ['error null-mx-mixed'])
  assert.deepEqual(outcomesOf(rules, withMx([0, '.'], [10, '.'])), ['error null-mx-mixed'])
})

test('real exchangers, and none, are none of it', () => {
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
  assert.deepEqual(outcomesOf(rules, factsOf({ mx: noData('example.com') })), [])
  assert.deepEqual(outcomesOf(rules, factsOf({ mx: noSuchName('example.com') })), [])
})

test('a look-up that fails leaves all of it open', () => {
  assert.deepEqual(outcomesOf(rules, factsOf({ mx: failed('example.com') })), [
    'not checked null-mx: lookup-failed',
    'not checked null-mx-mixed: lookup-failed',
    'not checked null-mx-preference: lookup-failed',
  ])
})
