import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { aData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { NameServerName } from '../../facts.ts'
import { nsNameIsAlias } from './ns-name-is-alias.ts'

const first = (change: Partial<NameServerName>) =>
  changeZone(factsOf(), 0, (zone) => ({
    ...zone,
    nameServers: zone.nameServers.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
  }))
const aliases = ['host.example.net']

test('a name server that is an alias', () => {
  const a = answer('ns1.example.com', [aData('192.0.2.53')], { aliases })
  const finding = only(nsNameIsAlias, first({ a, aaaa: noData('ns1.example.com', { aliases }) }))
  assert.equal(finding.severity, 'error')
  assert.deepEqual(finding.remedy.records, ['example.com. IN NS host.example.net.'])
})

test('names with addresses are fine, and what was not found out is not checked', () => {
  assert.deepEqual(outcomesOf(nsNameIsAlias, factsOf()), [])
  assert.deepEqual(outcomesOf(nsNameIsAlias, first({ aaaa: failed('ns1.example.com') })), [])
  assert.deepEqual(
    outcomesOf(nsNameIsAlias, first({ a: failed('ns1.example.com'), aaaa: failed('ns1.example.com') })),
    ['not checked ns-name-is-alias: lookup-failed'],
  )
  assert.deepEqual(
    outcomesOf(nsNameIsAlias, first({ a: notExamined('budget-spent'), aaaa: notExamined('budget-spent') })),
    ['not checked ns-name-is-alias: budget-spent'],
  )
})
