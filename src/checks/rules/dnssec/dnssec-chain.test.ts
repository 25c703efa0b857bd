import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger, changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { failed, noData, noSuchName } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts, ZoneFacts } from '../../facts.ts'
import { dnssecIsland, dnssecMissing, dnssecMissingExchanger } from './dnssec-chain.ts'

const rules = [dnssecIsland, dnssecMissing, dnssecMissingExchanger]
const unsigned = { ds: noData('example.com'), dnskey: noData('example.com') }

function elsewhere(change: Partial<ZoneFacts>): Facts {
  const facts = changeExchanger(factsOf(), 1, { zone: wire('provider.net') })
  const own = facts.zones[0] ?? assert.fail()
  return { ...facts, zones: [own, { ...own, apex: wire('provider.net'), ...change }] }
}

test('an unsigned domain is a notice', () => {
  assert.deepEqual(outcomesOf(rules, changeZone(factsOf(), 0, unsigned)), ['notice dnssec-missing'])
})

test('keys without DS count as unsigned, and are told as an island', () => {
  assert.deepEqual(outcomesOf(rules, changeZone(factsOf(), 0, { ds: noData('example.com') })), ['notice dnssec-island'])
})

test('a signed domain with an exchanger in an unsigned zone', () => {
  const finding = only(rules, elsewhere(unsigned))
  assert.equal(finding.id, 'dnssec-missing-exchanger')
  assert.match(finding.seen, /provider\.net with mx2\.example\.com is not/)
  assert.deepEqual(outcomesOf(rules, elsewhere({})), [])
})

test('where the domain is unsigned its exchangers’ zones are not held against it', () => {
  assert.deepEqual(outcomesOf(rules, changeZone(elsewhere(unsigned), 0, unsigned)), ['notice dnssec-missing'])
})

test('a signed domain is fine; what could not be asked is not checked', () => {
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
  assert.deepEqual(
    outcomesOf(rules, changeZone(factsOf(), 0, { ds: failed('example.com'), dnskey: noData('example.com') })),
    ['not checked dnssec-missing: lookup-failed', 'not checked dnssec-missing-exchanger: lookup-failed'],
  )
  assert.deepEqual(outcomesOf(dnssecMissing, factsOf({ zone: undefined, zones: [] })), [
    'not checked dnssec-missing: depends-on-failed',
  ])
  assert.deepEqual(outcomesOf(rules, factsOf({ mx: noSuchName('example.com'), zone: undefined, zones: [] })), [])
})
