import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { cnameData } from '../../../../test/unit/facts/records.ts'
import { direct, response } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { dnsAnswerMalformed } from './dns-answer-malformed.ts'

const malformed = { kind: 'malformed', why: 'a name points behind itself' } as const

test('an answer that cannot be read, over UDP and TCP', () => {
  const finding = only(dnsAnswerMalformed, changeAnswer(factsOf(), 2, 'example.com', 'MX', malformed))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /2 answers of ns2\.example\.com .*MX example\.com over UDP: a name points behind itself/)
})

test('an answer that contradicts itself', () => {
  const two = response('example.com', 'CNAME', [cnameData('example.com')])
  const facts = changeAnswer(factsOf(), 2, 'example.com', 'MX', two)
  assert.deepEqual(outcomesOf(dnsAnswerMalformed, facts), ['warning dns-answer-malformed'])
})

test('all servers: errors', () => {
  const facts = [0, 1, 2, 3, 4, 5].reduce(
    (changed, index) => changeAnswer(changed, index, 'example.com', 'SOA', malformed),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(dnsAnswerMalformed, facts), Array(6).fill('error dns-answer-malformed'))
})

test('good answers are fine, and a server that was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(dnsAnswerMalformed, factsOf()), [])
  const asked = [direct('example.com', 'SOA', notExamined('budget-spent'))]
  assert.deepEqual(outcomesOf(dnsAnswerMalformed, changeServer(factsOf(), 2, { asked })), [
    'not checked dns-answer-malformed: budget-spent',
  ])
})
