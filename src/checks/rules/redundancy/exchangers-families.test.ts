import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { failed, noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { isIpv6 } from '../../../base/ip.ts'
import type { Facts } from '../../facts.ts'
import { exchangersNoIpv4, exchangersNoIpv6 } from './exchangers-families.ts'

const rules = [exchangersNoIpv4, exchangersNoIpv6]
const without = (type: 'a' | 'aaaa', view: 'none' | 'failed' | 'skipped' = 'none'): Facts =>
  [0, 1].reduce(
    (facts, index) =>
      changeExchanger(facts, index, (one) => ({
        ...one,
        [type]:
          view === 'none'
            ? noData('x.example.com')
            : view === 'failed'
              ? failed('x.example.com')
              : notExamined('not-wanted'),
        addresses: one.addresses.filter(({ address }) => isIpv6(address) === (type === 'a')),
      })),
    factsOf(),
  )

test('no IPv4 is an error, no IPv6 a notice', () => {
  const finding = only(rules, without('a'))
  assert.deepEqual([finding.id, finding.severity], ['exchangers-no-ipv4', 'error'])
  assert.deepEqual(finding.remedy.records, ['mx1.example.com. IN A <address>'])
  assert.deepEqual(outcomesOf(rules, without('aaaa')), ['notice exchangers-no-ipv6'])
})

test('one exchanger with the family is enough', () => {
  assert.deepEqual(
    outcomesOf(
      rules,
      changeExchanger(factsOf(), 0, (one) => ({
        ...one,
        aaaa: noData('x.example.com'),
        addresses: one.addresses.slice(0, 1),
      })),
    ),
    [],
  )
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
})

test('a family that could not be looked up, or was left out, is not checked', () => {
  assert.deepEqual(outcomesOf(rules, without('aaaa', 'failed')), ['not checked exchangers-no-ipv6: lookup-failed'])
  assert.deepEqual(outcomesOf(rules, without('a', 'skipped')), ['not checked exchangers-no-ipv4: not-wanted'])
})

test('without any address there is another fault', () => {
  const facts = [0, 1].reduce((changed, index) => changeExchanger(changed, index, { addresses: [] }), factsOf())
  assert.deepEqual(outcomesOf(rules, facts), [])
})
