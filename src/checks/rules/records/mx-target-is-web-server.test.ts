import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { aaaaData, aData } from '../../../../test/unit/facts/records.ts'
import { answer, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { mxTargetIsWebServer } from './mx-target-is-web-server.ts'

/** The website is on the machine of mx1. */
const shared = () =>
  factsOf({ a: answer('example.com', [aData('192.0.2.1')]), aaaa: answer('example.com', [aaaaData('2001:db8:1::1')]) })
const refused = {
  kind: 'failed',
  fault: { kind: 'refused', step: 'connect', reply: undefined, detail: 'ECONNREFUSED' },
  tookMs: 1,
} as const
const closed = (facts: Facts) =>
  [0, 1].reduce((changed, index) => changeSession(changed, index, { connect: refused }), facts)

test('the addresses of the website, and nobody takes mail there', () => {
  const finding = only(mxTargetIsWebServer, closed(shared()))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /192\.0\.2\.1 and 2001:db8:1::1/)
})

test('one machine for both that takes mail is fine, and so are other addresses', () => {
  assert.deepEqual(outcomesOf(mxTargetIsWebServer, shared()), [])
  assert.deepEqual(outcomesOf(mxTargetIsWebServer, closed(factsOf())), [])
})

test('without a session it is not checked', () => {
  const facts = shared()
  const exchangers = facts.exchangers.map((one) => ({
    ...one,
    addresses: one.addresses.map((at) => ({ ...at, smtp: notExamined('not-wanted') })),
  }))
  assert.deepEqual(outcomesOf(mxTargetIsWebServer, { ...facts, exchangers }), [
    'not checked mx-target-is-web-server: not-wanted',
  ])
})
