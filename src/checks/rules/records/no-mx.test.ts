import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { aaaaData, mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { mxMissing, noMailHost } from './no-mx.ts'

const both = [mxMissing, noMailHost]
const noMx = { mx: noData('example.com') }
const absent = noData('example.com')

test('without MX the address is the implicit exchanger', () => {
  const finding = only(both, factsOf(noMx))
  assert.equal(finding.id, 'mx-missing')
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /203\.0\.113\.80/)
})

test('AAAA alone is enough for it', () => {
  const facts = factsOf({ ...noMx, a: absent, aaaa: answer('example.com', [aaaaData('2001:db8::80')]) })
  assert.equal(only(both, facts).id, 'mx-missing')
})

test('neither MX nor address: nowhere to go', () => {
  assert.deepEqual(outcomesOf(both, factsOf({ ...noMx, a: absent, aaaa: absent })), ['error no-mail-host'])
})

test('an address that could not be looked up may be there', () => {
  assert.deepEqual(outcomesOf(both, factsOf({ ...noMx, a: failed('example.com'), aaaa: absent })), [
    'not checked no-mail-host: lookup-failed',
  ])
})

test('only NODATA means this: not NXDOMAIN, not SERVFAIL, and MX records that are all dead do not', () => {
  assert.deepEqual(outcomesOf(both, factsOf()), [])
  assert.deepEqual(outcomesOf(both, factsOf({ mx: noSuchName('example.com') })), [])
  assert.deepEqual(outcomesOf(both, factsOf({ mx: answer('example.com', [mxData(10, 'dead.example.com')]) })), [])
  assert.deepEqual(outcomesOf(both, factsOf({ mx: failed('example.com') })), [
    'not checked mx-missing: lookup-failed',
    'not checked no-mail-host: lookup-failed',
  ])
  assert.deepEqual(outcomesOf(mxMissing, factsOf({ mx: notExamined('budget-spent') })), [
    'not checked mx-missing: budget-spent',
  ])
})
