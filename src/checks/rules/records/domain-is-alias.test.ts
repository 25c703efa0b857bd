import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { domainIsAlias } from './domain-is-alias.ts'
import { mxTargetIsAlias } from './mx-target-alias.ts'

const aliases = ['other.example.net']

test('an alias with MX at its end is a notice, and no alias of a target', () => {
  const mx = answer('example.com', [mxData(10, 'mx.example.net')], { aliases })
  const finding = only([domainIsAlias, mxTargetIsAlias], factsOf({ mx }))
  assert.deepEqual([finding.id, finding.severity], ['domain-is-alias', 'notice'])
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 10 mx.example.net.'])
})

test('an alias to a name without MX too; to no name at all is another fault', () => {
  assert.deepEqual(outcomesOf(domainIsAlias, factsOf({ mx: noData('example.com', { aliases }) })), [
    'notice domain-is-alias',
  ])
  assert.deepEqual(outcomesOf(domainIsAlias, factsOf({ mx: noSuchName('example.com', { aliases }) })), [])
})

test('no alias is fine, and a failed look-up leaves it open', () => {
  assert.deepEqual(outcomesOf(domainIsAlias, factsOf()), [])
  assert.deepEqual(outcomesOf(domainIsAlias, factsOf({ mx: failed('example.com') })), [
    'not checked domain-is-alias: lookup-failed',
  ])
})
