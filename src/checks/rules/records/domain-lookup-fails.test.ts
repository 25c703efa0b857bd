import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { failed, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { domainLookupFails } from './domain-lookup-fails.ts'

const withoutServers = (reason?: 'servfail' | 'timeout' | 'malformed' | 'cname-loop') =>
  factsOf({ mx: failed('example.com', reason), zones: [] })

test('SERVFAIL from broken servers and silence are errors', () => {
  for (const reason of ['servfail', 'timeout', 'malformed', 'cname-loop'] as const)
    assert.equal(only(domainLookupFails, withoutServers(reason)).severity, 'error')
  assert.match(only(domainLookupFails, withoutServers()).seen, /Without validation \(CD\)/)
})

test('what the resolver could not look up and a server of the zone answers is no fault of the domain', () => {
  for (const reason of ['servfail', 'timeout'] as const)
    assert.deepEqual(outcomesOf(domainLookupFails, factsOf({ mx: failed('example.com', reason) })), [
      'not checked domain-lookup-fails: lookup-failed',
    ])
})

test('failed validation is told by dnssec-bogus', () => {
  assert.deepEqual(outcomesOf(domainLookupFails, factsOf({ mx: failed('example.com', 'servfail', 'bogus') })), [])
})

test('a resolver that does not work for us says nothing of the domain', () => {
  for (const reason of ['unreachable', 'refused'] as const)
    assert.deepEqual(outcomesOf(domainLookupFails, factsOf({ mx: failed('example.com', reason) })), [
      'not checked domain-lookup-fails: lookup-failed',
    ])
})

test('an answer is fine, NXDOMAIN among them; what was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(domainLookupFails, factsOf()), [])
  assert.deepEqual(outcomesOf(domainLookupFails, factsOf({ mx: noSuchName('example.com') })), [])
  assert.deepEqual(outcomesOf(domainLookupFails, factsOf({ mx: notExamined('budget-spent') })), [
    'not checked domain-lookup-fails: budget-spent',
  ])
})
