import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { ip } from '../../../../test/unit/facts/names.ts'
import { failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { exchangersSameAddress } from './exchangers-same-address.ts'

test('two names of one IPv4 address', () => {
  const finding = only(exchangersSameAddress, changeAddress(factsOf(), 2, { address: ip('192.0.2.1') }))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /mx1\.example\.com and mx2\.example\.com have the same address 192\.0\.2\.1/)
})

test('IPv4 and IPv6 are told apart', () => {
  const facts = changeAddress(changeAddress(factsOf(), 2, { address: ip('192.0.2.1') }), 3, {
    address: ip('2001:db8:1::1'),
  })
  assert.deepEqual(outcomesOf(exchangersSameAddress, facts), [
    'warning exchangers-same-address',
    'warning exchangers-same-address',
  ])
})

test('different addresses are fine, and addresses that are not known leave it open', () => {
  assert.deepEqual(outcomesOf(exchangersSameAddress, factsOf()), [])
  const unknown = changeExchanger(factsOf(), 1, { a: failed('mx2.example.com'), addresses: [] })
  assert.deepEqual(outcomesOf(exchangersSameAddress, unknown), ['not checked exchangers-same-address: lookup-failed'])
})
