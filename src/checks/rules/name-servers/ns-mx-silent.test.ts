import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { silence } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { nsMxSilent } from './ns-mx-silent.ts'
import { nsSilent } from './ns-silent.ts'

const rules = [nsSilent, nsMxSilent]

test('SOA answered and MX dropped is one warning that names the server', () => {
  const finding = only(rules, changeAnswer(factsOf(), 2, 'example.com', 'MX', silence, 'udp'))
  assert.deepEqual([finding.id, finding.severity], ['ns-mx-silent', 'warning'])
  assert.match(finding.seen, /ns2\.example\.com \(198\.51\.100\.53\)/)
})

test('a server that drops both is silent, and told as that', () => {
  const facts = changeAnswer(changeAnswer(factsOf(), 2, 'example.com', 'MX', silence), 2, 'example.com', 'SOA', silence)
  assert.deepEqual(outcomesOf(rules, facts), ['warning ns-silent'])
})

test('an answer is fine, and what was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(nsMxSilent, factsOf()), [])
  const skipped = changeAnswer(factsOf(), 0, 'example.com', 'MX', notExamined('rate-limited'))
  assert.deepEqual(outcomesOf(nsMxSilent, skipped), ['not checked ns-mx-silent: rate-limited'])
  assert.deepEqual(outcomesOf(nsMxSilent, changeServer(factsOf(), 0, { asked: [] })), [])
})
