import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding } from '../../../../test/unit/policies.ts'
import { txtAt } from '../../../../test/unit/senders.ts'
import type { Facts, View } from '../../facts.ts'
import { stsMissing, stsRecordAmbiguous, stsRecordMalformed } from './record.ts'

const all = [stsMissing, stsRecordAmbiguous, stsRecordMalformed]
const withTxt = (txt: View<'TXT'>, facts = factsOf()): Facts => ({ ...facts, mtaSts: { ...facts.mtaSts, txt } })
const at = (...texts: string[]) => withTxt(txtAt('_mta-sts.example.com', ...texts))
const ids = (facts: Facts) => all.filter((rule) => told(rule, facts).length > 0).map(({ id }) => id)

test('one record is fine, with foreign TXT beside it, unknown fields and a semicolon at its end', () => {
  assert.deepEqual(ids(factsOf()), [])
  assert.deepEqual(ids(at('v=STSv1; id=20260101;', 'v=spf1 -all')), [])
  assert.deepEqual(ids(at('v=STSv1; id=a1; future=x')), [])
  assert.deepEqual(ids(at('v=STSv1; id=a1; id=b_2')), [])
})

test('a record that was reached by an alias, and one in several strings, is one', () => {
  assert.deepEqual(
    ids(
      withTxt(
        answer('_mta-sts.example.com', [{ type: 'TXT', strings: [Buffer.from('v=STSv1; i'), Buffer.from('d=77')] }], {
          aliases: ['sts.example.net'],
        }),
      ),
    ),
    [],
  )
})

test('no record is a notice with the record and the policy to publish, unless DANE covers all, or no mail is taken', () => {
  const missing = demanding(factsOf(), { sts: 'absent', tlsa: 'absent' })
  const finding = findingOf(stsMissing, missing)
  assert.equal(finding.severity, 'notice')
  assert.deepEqual(finding.remedy.records, ['_mta-sts.example.com. IN TXT "v=STSv1; id=20260301"'])
  assert.ok(finding.remedy.settings?.includes('mx: mx1.example.com'))
  assert.deepEqual(told(stsMissing, at()), [])
  assert.deepEqual(told(stsMissing, { ...missing, mx: answer('example.com', [mxData(0, '.')]), exchangers: [] }), [])
})

test('without a resolver that validates it is not known whether DANE covers all', () => {
  const facts = at()
  assert.deepEqual(told(stsMissing, { ...facts, vantage: { ...facts.vantage, validation: 'none' } }), [
    'not-checked not-validating domain',
  ])
})

test('two records are ambiguous, and so is a blank before the semicolon', () => {
  assert.deepEqual(ids(at('v=STSv1; id=1', 'v=STSv1; id=2')), ['sts-record-ambiguous'])
  assert.deepEqual(ids(at('v=STSv1 ; id=1')), ['sts-record-ambiguous'])
  assert.deepEqual(ids(demanding(at('v=STSv1 ; id=1', 'other'), { sts: 'enforce', tlsa: 'absent' })), [
    'sts-record-ambiguous',
  ])
})

test('a record without a valid id, or in another case, is malformed', () => {
  for (const text of [
    'v=STSv1;',
    'v=STSv1; id=2026-01-01',
    `v=STSv1; id=${'a'.repeat(33)}`,
    'v=stsv1; id=1',
    'V=STSv1; id=1',
    'v=STSv1',
  ])
    assert.deepEqual(ids(at(text)), ['sts-record-malformed'], text)
  assert.match(findingOf(stsRecordMalformed, at('v=STSv1; id=\u001b[2J')).seen, /\\x1b/)
})

test('foreign TXT alone is no record', () => {
  assert.deepEqual(told(stsRecordMalformed, at('v=spf1 -all')), [])
})

test('a look-up that failed, or was not made, is not checked', () => {
  for (const rule of all) {
    assert.deepEqual(told(rule, withTxt(failed('_mta-sts.example.com'))), [
      'not-checked lookup-failed _mta-sts.example.com TXT',
    ])
    assert.deepEqual(told(rule, withTxt(notExamined('not-wanted'))), [
      'not-checked not-wanted _mta-sts.example.com TXT',
    ])
  }
})
