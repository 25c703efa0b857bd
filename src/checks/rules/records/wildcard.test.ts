import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData, txtData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { wildcardMx, wildcardTxt } from './wildcard.ts'

const name = 'waypost-3c1d.example.com'
const foreign = txtData('v=spf1 -all')

test('a random label with MX is a wildcard', () => {
  const { wildcard } = factsOf()
  const finding = only(
    wildcardMx,
    factsOf({ wildcard: { ...wildcard, mx: answer(name, [mxData(10, 'mx1.example.com')]) } }),
  )
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /mx1\.example\.com\./)
})

test('wildcard TXT is told once, with the places that it covers', () => {
  const facts = factsOf()
  const covered = {
    ...facts,
    wildcard: { ...facts.wildcard, txt: answer(name, [foreign]) },
    mtaSts: { ...facts.mtaSts, txt: answer('_mta-sts.example.com', [foreign]) },
    tlsRpt: { ...facts.tlsRpt, txt: answer('_smtp._tls.example.com', [foreign]) },
  }
  const finding = only([wildcardMx, wildcardTxt], covered)
  assert.deepEqual([finding.id, finding.severity], ['wildcard-txt', 'warning'])
  assert.match(finding.seen, /_mta-sts\.example\.com and _smtp\._tls\.example\.com/)
  assert.doesNotMatch(finding.seen, /_dmarc/)
})

test('a wildcard that covers none of the places, and what it says, does no harm', () => {
  const facts = factsOf()
  const wildcard = { ...facts.wildcard, txt: answer(name, [txtData('\x1b[2Jhello')]) }
  assert.deepEqual(outcomesOf([wildcardMx, wildcardTxt], { ...facts, wildcard }), [])
  const mtaSts = { ...facts.mtaSts, txt: answer('_mta-sts.example.com', [txtData('\x1b[2Jhello')]) }
  assert.doesNotMatch(only(wildcardTxt, { ...facts, wildcard, mtaSts }).seen, /\x1b/)
})

test('no wildcard is fine, and what was not asked is not checked', () => {
  const { wildcard } = factsOf()
  assert.deepEqual(
    outcomesOf([wildcardMx, wildcardTxt], factsOf({ wildcard: { ...wildcard, mx: noData(name), txt: noData(name) } })),
    [],
  )
  const unknown = { ...wildcard, mx: failed(name), txt: notExamined('budget-spent') }
  assert.deepEqual(outcomesOf([wildcardMx, wildcardTxt], factsOf({ wildcard: unknown })), [
    'not checked wildcard-mx: lookup-failed',
    'not checked wildcard-txt: budget-spent',
  ])
})
