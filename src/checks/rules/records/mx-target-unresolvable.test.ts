import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { aaaaData, tlsaData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { ExchangerFacts } from '../../facts.ts'
import { mxTargetUnresolvable } from './mx-target-unresolvable.ts'

const mx1 = 'mx1.example.com'
const gone = { a: noSuchName(mx1), aaaa: noSuchName(mx1), addresses: [] }
const first = (change: Partial<ExchangerFacts>) => changeExchanger(factsOf(), 0, change)

test('NXDOMAIN and no address are warnings while another exchanger is found, errors when none is', () => {
  assert.match(only(mxTargetUnresolvable, first(gone)).seen, /NXDOMAIN/)
  assert.match(
    only(mxTargetUnresolvable, first({ a: noData(mx1), aaaa: noData(mx1), addresses: [] })).seen,
    /neither A nor AAAA/,
  )
  assert.equal(only(mxTargetUnresolvable, first(gone)).severity, 'warning')
  const both = changeExchanger(first(gone), 1, gone)
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, both), [
    'error mx-target-unresolvable',
    'error mx-target-unresolvable',
  ])
})

test('a TLSA record hides the wildcard above it, and that is said', () => {
  const tlsa = [
    {
      base: factsOf().exchangers[0]?.name ?? assert.fail(),
      place: 'target',
      view: answer(`_25._tcp.${mx1}`, [tlsaData(3, 1, 1, Buffer.alloc(32))]),
    },
  ] as const
  const finding = only(mxTargetUnresolvable, first({ a: noData(mx1), aaaa: noData(mx1), addresses: [], tlsa }))
  assert.match(finding.seen, /wildcard/)
})

test('A and AAAA are judged apart', () => {
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, first({ aaaa: failed(mx1) })), [])
  assert.deepEqual(
    outcomesOf(mxTargetUnresolvable, first({ a: noData(mx1), aaaa: answer(mx1, [aaaaData('2001:db8:1::1')]) })),
    [],
  )
  assert.match(
    only(mxTargetUnresolvable, first({ a: failed(mx1) })).seen,
    /look-up of A .* fails.*IPv6 address is found/,
  )
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, first({ a: noData(mx1), aaaa: failed(mx1), addresses: [] })), [
    'warning mx-target-unresolvable',
  ])
})

test('failed validation is told elsewhere; a resolver that refuses us, and what was not asked, leave it open', () => {
  const bogus = failed(mx1, 'servfail', 'bogus')
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, first({ a: bogus, aaaa: bogus, addresses: [] })), [])
  const ours = failed(mx1, 'unreachable')
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, first({ a: ours, aaaa: ours, addresses: [] })), [
    'not checked mx-target-unresolvable: lookup-failed',
  ])
  const skipped = notExamined('budget-spent')
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, first({ a: skipped, aaaa: skipped, addresses: [] })), [
    'not checked mx-target-unresolvable: budget-spent',
  ])
})

test('exchangers with addresses are fine, and a name that is none is told elsewhere', () => {
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, factsOf()), [])
  const why = notExamined('depends-on-failed')
  assert.deepEqual(outcomesOf(mxTargetUnresolvable, first({ host: undefined, a: why, aaaa: why, addresses: [] })), [])
})
