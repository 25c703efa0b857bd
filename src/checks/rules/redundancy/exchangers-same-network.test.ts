import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host, ip, wire } from '../../../../test/unit/facts/names.ts'
import { failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { exchangersSameNetwork } from './exchangers-same-network.ts'
import { singleExchanger } from './single-exchanger.ts'

const near = (facts = factsOf()) =>
  changeAddress(changeAddress(facts, 2, { address: ip('192.0.2.9') }), 3, { address: ip('2001:db8:1::9') })
const google = (facts: Facts) =>
  [0, 1].reduce(
    (changed, index) =>
      changeExchanger(changed, index, {
        name: wire(index === 0 ? 'aspmx.l.google.com' : 'alt1.aspmx.l.google.com'),
        host: host(index === 0 ? 'aspmx.l.google.com' : 'alt1.aspmx.l.google.com'),
        zone: wire('google.com'),
      }),
    facts,
  )

test('one /24 with one /48 is a notice', () => {
  const finding = only(exchangersSameNetwork, near())
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /192\.0\.2\.0\/24 and 2001:db8:1::\/48/)
})

test('another network in either family is enough', () => {
  assert.deepEqual(outcomesOf(exchangersSameNetwork, factsOf()), [])
  assert.deepEqual(outcomesOf(exchangersSameNetwork, changeAddress(factsOf(), 2, { address: ip('192.0.2.9') })), [])
})

test('one machine is told once, by another rule', () => {
  const facts = factsOf((all) => ({ ...all, exchangers: all.exchangers.slice(0, 1) }))
  assert.deepEqual(outcomesOf([exchangersSameNetwork, singleExchanger], facts), ['warning single-exchanger'])
})

test('one autonomous system where a table is given, but not at a provider', () => {
  assert.match(only(exchangersSameNetwork, factsOf(), { asNumber: () => 64_500 }).seen, /AS64500/)
  assert.deepEqual(
    outcomesOf(exchangersSameNetwork, factsOf(), {
      asNumber: (address) => (address.startsWith('192') ? 64_500 : 64_501),
    }),
    [],
  )
  assert.deepEqual(outcomesOf(exchangersSameNetwork, google(factsOf()), { asNumber: () => 15_169 }), [])
})

test('all names in one zone of somebody else, but not at a provider nor in the domain’s own zone', () => {
  const hosted = [0, 1].reduce((facts, index) => changeExchanger(facts, index, { zone: wire('hoster.net') }), factsOf())
  assert.match(only(exchangersSameNetwork, hosted).seen, /one zone, hoster\.net/)
  assert.deepEqual(outcomesOf(exchangersSameNetwork, google(factsOf())), [])
})

test('addresses that are not known may be elsewhere', () => {
  assert.deepEqual(outcomesOf(exchangersSameNetwork, changeExchanger(near(), 1, { aaaa: failed('mx2.example.com') })), [
    'not checked exchangers-same-network: lookup-failed',
  ])
})
