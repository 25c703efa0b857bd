import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { mxTargetTwice } from './mx-target-twice.ts'

test('one host in several records is a notice that says which to remove', () => {
  const finding = only(mxTargetTwice, changeExchanger(factsOf(), 0, { preferences: [10, 30, 40] }))
  assert.equal(finding.severity, 'notice')
  assert.match(finding.remedy.text, /Keep "example\.com\. IN MX 10 mx1\.example\.com\."/)
  assert.match(finding.remedy.text, /MX 30 .* and .*MX 40/)
})

test('each host once is fine, and a failed look-up leaves it open', () => {
  assert.deepEqual(outcomesOf(mxTargetTwice, factsOf()), [])
  assert.deepEqual(outcomesOf(mxTargetTwice, factsOf({ mx: failed('example.com') })), [
    'not checked mx-target-twice: lookup-failed',
  ])
})
