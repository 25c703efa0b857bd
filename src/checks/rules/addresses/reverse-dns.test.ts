import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { aData, ptrData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { ReverseFacts } from '../../facts.ts'
import { ptrMissing, ptrNotConfirmed } from './reverse-dns.ts'

const rules = [ptrMissing, ptrNotConfirmed]
const owner = '1.2.0.192.in-addr.arpa'
const withReverse = (reverse: ReverseFacts | ReturnType<typeof notExamined>) => changeAddress(factsOf(), 0, { reverse })
const name = 'host.example.net'

test('no PTR record, by NXDOMAIN and by NODATA', () => {
  const finding = only(rules, withReverse({ ptr: noSuchName(owner), forward: [] }))
  assert.deepEqual([finding.id, finding.severity], ['ptr-missing', 'notice'])
  assert.deepEqual(finding.remedy.records, ['1.2.0.192.in-addr.arpa. IN PTR mx1.example.com.'])
  assert.deepEqual(outcomesOf(rules, withReverse({ ptr: noData(owner), forward: [] })), ['notice ptr-missing'])
})

test('a name that does not lead back', () => {
  const forward = [{ name: wire(name), view: answer(name, [aData('198.51.100.99')]) }]
  const finding = only(rules, withReverse({ ptr: answer(owner, [ptrData(name)]), forward }))
  assert.equal(finding.id, 'ptr-not-confirmed')
  assert.match(finding.seen, /host\.example\.net; that has the address 198\.51\.100\.99/)
  assert.deepEqual(finding.remedy.records, [
    'host.example.net. IN A 192.0.2.1',
    '1.2.0.192.in-addr.arpa. IN PTR mx1.example.com.',
  ])
})

test('any one of several names will do, and a CNAME in the reverse zone is followed', () => {
  const forward = [
    { name: wire(name), view: noData(name) },
    { name: wire('b.example.net'), view: answer('b.example.net', [aData('192.0.2.1')]) },
  ]
  const ptr = answer(owner, [ptrData(name), ptrData('b.example.net')], { aliases: ['1.0-63.2.0.192.in-addr.arpa'] })
  assert.deepEqual(outcomesOf(rules, withReverse({ ptr, forward })), [])
})

test('names that were not looked up may be the right ones', () => {
  const forward = [{ name: wire(name), view: noData(name) }]
  const ptr = answer(owner, [ptrData(name), ptrData('b.example.net')])
  assert.deepEqual(outcomesOf(rules, withReverse({ ptr, forward })), ['not checked ptr-not-confirmed: budget-spent'])
  const unknown = [{ name: wire(name), view: failed(name) }]
  assert.deepEqual(outcomesOf(rules, withReverse({ ptr: answer(owner, [ptrData(name)]), forward: unknown })), [
    'not checked ptr-not-confirmed: lookup-failed',
  ])
})

test('reverse names that lead back are fine, and what was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
  assert.deepEqual(outcomesOf(rules, withReverse({ ptr: failed(owner), forward: [] })), [
    'not checked ptr-missing: lookup-failed',
    'not checked ptr-not-confirmed: lookup-failed',
  ])
  assert.deepEqual(outcomesOf(rules, withReverse(notExamined('budget-spent'))), [
    'not checked ptr-missing: budget-spent',
    'not checked ptr-not-confirmed: budget-spent',
  ])
})
