import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host, wire } from '../../../../test/unit/facts/names.ts'
import { failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { providerFormObsolete, providerSetIncomplete, providerSetMixed } from './provider-set.ts'

const rules = [providerSetIncomplete, providerSetMixed, providerFormObsolete]

function withSet(...set: [number, string][]): Facts {
  const facts = factsOf()
  const [like] = facts.exchangers
  if (!like) throw new Error('the fixture has exchangers')
  const exchangers = set.map(([preference, name]) => ({
    ...like,
    name: wire(name),
    host: host(name),
    preferences: [preference],
  }))
  return { ...facts, exchangers }
}

const fastmail: [number, string][] = [
  [10, 'in1-smtp.messagingengine.com'],
  [20, 'in2-smtp.messagingengine.com'],
]

test('a whole set is fine, and so are exchangers that nobody knows', () => {
  assert.deepEqual(outcomesOf(rules, withSet(...fastmail)), [])
  assert.deepEqual(outcomesOf(rules, withSet([1, 'smtp.google.com'])), [])
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
})

test('a part of a set lacks the rest', () => {
  const finding = only(rules, withSet(...fastmail.slice(0, 1)))
  assert.deepEqual([finding.id, finding.severity], ['provider-set-incomplete', 'warning'])
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 20 in2-smtp.messagingengine.com.'])
})

test('two providers beside each other are mixed', () => {
  const finding = only(rules, withSet(...fastmail, [30, 'smtp.google.com']))
  assert.deepEqual([finding.id, finding.severity], ['provider-set-mixed', 'warning'])
  assert.match(finding.seen, /smtp\.google\.com \(Google Workspace\)/)
})

test('a host of one’s own beside a provider may be a backup, so it is a notice', () => {
  assert.deepEqual(outcomesOf(rules, withSet(...fastmail, [30, 'mx.example.com'])), ['notice provider-set-mixed'])
})

test('hosts of two forms of one provider are mixed', () => {
  const finding = only(providerSetMixed, withSet([1, 'smtp.google.com'], [5, 'alt1.aspmx.l.google.com']))
  assert.match(finding.seen, /another set/)
})

test('hosts that are handed out no more', () => {
  const finding = only(providerFormObsolete, withSet([10, 'mail.messaging.microsoft.com']))
  assert.match(finding.seen, /no longer hands out/)
})

test('an old proof of ownership beside a set', () => {
  const facts = withSet([1, 'smtp.google.com'], [15, 'abcdefgh.mx-verification.google.com'])
  const finding = only(rules, facts)
  assert.deepEqual([finding.id, finding.severity], ['provider-form-obsolete', 'notice'])
})

test('a failed look-up leaves all of it open', () => {
  assert.deepEqual(outcomesOf(providerSetMixed, factsOf({ mx: failed('example.com') })), [
    'not checked provider-set-mixed: lookup-failed',
  ])
})
