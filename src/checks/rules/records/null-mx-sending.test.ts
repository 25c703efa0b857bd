import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData, txtData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { nullMxAdvised, nullMxButSends } from './null-mx-sending.ts'

const rules = [nullMxButSends, nullMxAdvised]
const spf = (...records: string[]): Pick<Facts, 'spf'> => ({
  spf: {
    txt: answer(
      'example.com',
      records.map((text) => txtData(text)),
    ),
    lookups: [],
    cost: undefined,
  },
})
const nullMx = { mx: answer('example.com', [mxData(0, '.')]), exchangers: [] }
const noMx = { mx: noData('example.com') }

test('a null MX and an SPF record that lets somebody send contradict each other', () => {
  const finding = only(rules, factsOf({ ...nullMx, ...spf('v=spf1 ip4:192.0.2.1 -all') }))
  assert.equal(finding.id, 'null-mx-but-sends')
  assert.match(finding.seen, /ip4:192\.0\.2\.1/)
  for (const text of [
    'v=spf1 include:_spf.example.net -all',
    'v=spf1 redirect=example.net',
    'V=SPF1 A:mail.example.com -all',
    'v=spf1 +all',
  ])
    assert.deepEqual(outcomesOf(rules, factsOf({ ...nullMx, ...spf(text) })), ['warning null-mx-but-sends'])
})

test('a null MX and a domain that sends nothing agree', () => {
  for (const text of ['v=spf1 -all', 'v=spf1 -ip4:192.0.2.1 ~all', 'v=spf1 exp=why.example.com -all', 'v=spf10 +all'])
    assert.deepEqual(outcomesOf(rules, factsOf({ ...nullMx, ...spf(text) })), [])
})

test('without MX and with "-all" alone, a null MX is advised', () => {
  const finding = only(rules, factsOf({ ...noMx, ...spf('v=spf1 -all', 'google-site-verification=x') }))
  assert.equal(finding.id, 'null-mx-advised')
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 0 .'])
})

test('it is not advised where SPF names senders, where there are two records, or where there is no address', () => {
  assert.deepEqual(outcomesOf(rules, factsOf({ ...noMx, ...spf('v=spf1 ip4:192.0.2.1 -all') })), [])
  assert.deepEqual(outcomesOf(rules, factsOf({ ...noMx, ...spf('v=spf1 -all', 'v=spf1 -all') })), [])
  assert.deepEqual(outcomesOf(rules, factsOf({ ...noMx, a: noData('example.com'), ...spf('v=spf1 -all') })), [])
})

test('SPF that could not be looked up leaves it open; terminal codes in it are not repeated', () => {
  const unknown = { spf: { txt: failed('example.com'), lookups: [], cost: undefined } }
  assert.deepEqual(outcomesOf(rules, factsOf({ ...nullMx, ...unknown })), [
    'not checked null-mx-but-sends: lookup-failed',
  ])
  assert.deepEqual(
    outcomesOf(rules, factsOf({ ...noMx, spf: { txt: notExamined('not-wanted'), lookups: [], cost: undefined } })),
    ['not checked null-mx-advised: not-wanted'],
  )
  const finding = only(rules, factsOf({ ...nullMx, ...spf('v=spf1 a:\x1b[31mx -all +mx') }))
  assert.doesNotMatch(finding.seen, /\x1b/)
})
