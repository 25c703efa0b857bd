import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host, wire } from '../../../../test/unit/facts/names.ts'
import { failed, noData, noSuchName } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { mxTargetMisspelt } from './mx-target-misspelt.ts'

const alone = (facts: Facts): Facts => ({ ...facts, exchangers: facts.exchangers.slice(0, 1) })
const target = (name: string) => ({
  name: wire(name),
  host: host(name),
  a: noSuchName(name),
  aaaa: noSuchName(name),
  addresses: [],
})

test('one letter wrong in a known host is asked about', () => {
  const finding = only(mxTargetMisspelt, alone(changeExchanger(factsOf(), 0, target('aspmx.l.gogle.com'))))
  assert.equal(finding.severity, 'error')
  assert.match(finding.seen, /Is aspmx\.l\.google\.com of Google Workspace meant\?/)
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 10 aspmx.l.google.com.'])
})

test('a missing final dot, of a known host and of our own', () => {
  assert.match(
    only(mxTargetMisspelt, changeExchanger(factsOf(), 0, target('aspmx.l.google.com.example.com'))).seen,
    /final dot/,
  )
  const own = only(mxTargetMisspelt, changeExchanger(factsOf(), 0, target('mx1.example.com.example.com')))
  assert.deepEqual(own.remedy.records, ['example.com. IN MX 10 mx1.example.com.'])
})

test('a likeness that has an address is a warning; known hosts and strangers are fine', () => {
  const { a, aaaa } = factsOf().exchangers[0] ?? assert.fail()
  assert.deepEqual(
    outcomesOf(mxTargetMisspelt, alone(changeExchanger(factsOf(), 0, { ...target('aspmx.l.gogle.com'), a, aaaa }))),
    ['warning mx-target-misspelt'],
  )
  for (const name of ['aspmx.l.google.com', 'mx.example.net', 'mail.example.com'])
    assert.deepEqual(outcomesOf(mxTargetMisspelt, changeExchanger(factsOf(), 0, target(name))), [], name)
})

test('a failed look-up leaves it open', () => {
  assert.deepEqual(outcomesOf(mxTargetMisspelt, factsOf({ mx: failed('example.com') })), [
    'not checked mx-target-misspelt: lookup-failed',
  ])
  assert.deepEqual(outcomesOf(mxTargetMisspelt, factsOf({ mx: noData('example.com') })), [])
})
