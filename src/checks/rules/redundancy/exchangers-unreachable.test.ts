import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { exchangerUnreachable, firstChoiceNeverAnswers } from './exchangers-unreachable.ts'

const rules = [exchangerUnreachable, firstChoiceNeverAnswers]
const refused = {
  kind: 'failed',
  fault: { kind: 'refused', step: 'connect', reply: undefined, detail: 'ECONNREFUSED' },
  tookMs: 1,
} as const
const silent = {
  kind: 'failed',
  fault: { kind: 'timeout', step: 'connect', reply: undefined, detail: '' },
  tookMs: 10_000,
} as const
const dead = (facts: Facts, ...indexes: number[]) =>
  indexes.reduce((changed, index) => changeSession(changed, index, { connect: refused }), facts)
const see = (facts: Facts, change: Partial<Facts['vantage']>): Facts => ({
  ...facts,
  vantage: { ...facts.vantage, ...change },
})

test('one address of four is a warning: refused and silent have texts of their own', () => {
  const one = only(rules, dead(factsOf(), 1))
  assert.deepEqual([one.id, one.severity], ['exchanger-unreachable', 'warning'])
  assert.match(one.seen, /refuses connections on port 25/)
  const other = only(rules, changeSession(factsOf(), 1, { connect: silent }))
  assert.match(other.seen, /does not answer/)
  assert.match(other.remedy.text, /firewall/)
})

test('all of them: errors', () => {
  assert.deepEqual(outcomesOf(rules, dead(factsOf(), 0, 1, 2, 3)), Array(4).fill('error exchanger-unreachable'))
})

test('a first choice that never answers is told once', () => {
  const finding = only(rules, dead(factsOf(), 0, 1))
  assert.deepEqual([finding.id, finding.severity], ['first-choice-never-answers', 'warning'])
  assert.match(finding.why, /nolisting/)
  assert.deepEqual(outcomesOf(rules, dead(factsOf(), 2, 3)), [
    'warning exchanger-unreachable',
    'warning exchanger-unreachable',
  ])
})

test('a later session that connects is enough', () => {
  const facts = changeAddress(factsOf(), 0, (at) => {
    if (at.smtp.kind !== 'probed') throw new Error('the fixture has sessions')
    const [session] = at.smtp.sessions
    return { ...at, smtp: { ...at.smtp, sessions: [{ ...session, connect: silent }, session] } }
  })
  assert.deepEqual(outcomesOf(rules, facts), [])
})

test('silence that may be ours, and what was not asked, are no fault', () => {
  const quiet = changeSession(factsOf(), 1, { connect: silent })
  assert.deepEqual(outcomesOf(rules, see(quiet, { port25: 'not-examined' })), [
    'not checked exchanger-unreachable: no-answer',
  ])
  assert.deepEqual(outcomesOf(rules, see(dead(factsOf(), 1), { port25: 'not-examined' })), [
    'warning exchanger-unreachable',
  ])
  assert.deepEqual(outcomesOf(rules, changeAddress(factsOf(), 1, { smtp: notExamined('not-wanted') })), [
    'not checked exchanger-unreachable: not-wanted',
  ])
  const forbidden = changeSession(factsOf(), 1, { connect: { kind: 'forbidden', why: 'It is private.' } })
  assert.deepEqual(outcomesOf(rules, forbidden), ['not checked exchanger-unreachable: not-public'])
})

test('addresses that answer are fine', () => {
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
})
