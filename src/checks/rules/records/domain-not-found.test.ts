import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { domainNotFound } from './domain-not-found.ts'

test('NXDOMAIN is an error', () => {
  const finding = only(domainNotFound, factsOf({ mx: noSuchName('example.com'), exchangers: [] }))
  assert.equal(finding.severity, 'error')
  assert.match(finding.seen, /NXDOMAIN/)
})

test('behind an alias it is the target that is missing', () => {
  const mx = noSuchName('example.com', { aliases: ['gone.example.net'] })
  assert.match(only(domainNotFound, factsOf({ mx, exchangers: [] })).seen, /alias of gone\.example\.net/)
})

test('a domain that exists is fine, with MX and without', () => {
  assert.deepEqual(outcomesOf(domainNotFound, factsOf()), [])
  assert.deepEqual(outcomesOf(domainNotFound, factsOf({ mx: noData('example.com') })), [])
})

test('SERVFAIL and silence are not NXDOMAIN', () => {
  for (const reason of ['servfail', 'timeout'] as const)
    assert.deepEqual(outcomesOf(domainNotFound, factsOf({ mx: failed('example.com', reason) })), [
      'not checked domain-not-found: lookup-failed',
    ])
  assert.deepEqual(outcomesOf(domainNotFound, factsOf({ mx: notExamined('budget-spent') })), [
    'not checked domain-not-found: budget-spent',
  ])
})
