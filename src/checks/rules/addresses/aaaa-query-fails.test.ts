import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { response, silence } from '../../../../test/unit/facts/servers.ts'
import { failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { rcodes } from '../../../dns/types.ts'
import { aaaaQueryFails } from './aaaa-query-fails.ts'

const mx1 = 'mx1.example.com'
const withView = (aaaa: ReturnType<typeof failed> | ReturnType<typeof noSuchName> | ReturnType<typeof notExamined>) =>
  changeExchanger(factsOf(), 0, { aaaa })

test('SERVFAIL, silence and NXDOMAIN for AAAA beside a good A', () => {
  assert.deepEqual(outcomesOf(aaaaQueryFails, withView(failed(mx1))), ['warning aaaa-query-fails'])
  assert.deepEqual(outcomesOf(aaaaQueryFails, withView(failed(mx1, 'timeout'))), ['warning aaaa-query-fails'])
  assert.match(only(aaaaQueryFails, withView(noSuchName(mx1))).seen, /NXDOMAIN/)
})

test('one server alone, while the resolver had luck', () => {
  assert.match(
    only(aaaaQueryFails, changeAnswer(factsOf(), 2, mx1, 'AAAA', silence)).seen,
    /ns2\.example\.com \(198\.51\.100\.53\) gives no answer/,
  )
  const nx = response(mx1, 'AAAA', [], { message: { rcode: rcodes.nxDomain } })
  assert.deepEqual(outcomesOf(aaaaQueryFails, changeAnswer(factsOf(), 2, mx1, 'AAAA', nx)), [
    'warning aaaa-query-fails',
  ])
})

test('no AAAA is fine; failed validation, and a host whose A fails too, are told elsewhere', () => {
  assert.deepEqual(outcomesOf(aaaaQueryFails, factsOf()), [])
  const none = [0, 1, 2, 3, 4, 5].reduce(
    (facts, index) => changeAnswer(facts, index, mx1, 'AAAA', response(mx1, 'AAAA', [])),
    changeExchanger(factsOf(), 0, { aaaa: noData(mx1) }),
  )
  assert.deepEqual(outcomesOf(aaaaQueryFails, none), [])
  assert.deepEqual(outcomesOf(aaaaQueryFails, withView(failed(mx1, 'servfail', 'bogus'))), [])
  assert.deepEqual(outcomesOf(aaaaQueryFails, changeExchanger(factsOf(), 0, { a: failed(mx1), aaaa: failed(mx1) })), [])
})

test('our own resolver, and what was not asked, are no fault', () => {
  assert.deepEqual(outcomesOf(aaaaQueryFails, withView(failed(mx1, 'unreachable'))), [
    'not checked aaaa-query-fails: lookup-failed',
  ])
  assert.deepEqual(outcomesOf(aaaaQueryFails, withView(notExamined('not-wanted'))), [
    'not checked aaaa-query-fails: not-wanted',
  ])
})
