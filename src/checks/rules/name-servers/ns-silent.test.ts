import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeServer, changeZone } from '../../../../test/unit/facts/change.ts'
import { contextOf, factsOf } from '../../../../test/unit/facts/facts.ts'
import { silence } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import type { Facts } from '../../facts.ts'
import { runRules } from '../../run-rules.ts'
import { nsSilent } from './ns-silent.ts'

const run = (facts: Facts) => runRules([nsSilent], facts, contextOf())

test('servers that answer are fine', () => {
  assert.deepEqual(run(factsOf()), [])
})

test('one silent address of a server is a warning that names it', () => {
  const [finding, ...more] = run(factsOf((facts) => changeAnswer(facts, 2, 'example.com', 'SOA', silence)))
  assert.deepEqual(more, [])
  assert.ok(finding?.kind === 'finding')
  assert.equal(finding.severity, 'warning')
  assert.deepEqual(finding.subject, {
    kind: 'name-server',
    zone: 'example.com',
    name: 'ns2.example.com',
    address: '198.51.100.53',
  })
  assert.match(finding.remedy.text, /198\.51\.100\.53/)
})

test('when all are silent it is an error', () => {
  const facts = [0, 1, 2, 3, 4, 5].reduce(
    (changed, index) => changeAnswer(changed, index, 'example.com', 'SOA', silence),
    factsOf(),
  )
  assert.deepEqual(
    run(facts).map((outcome) => outcome.kind === 'finding' && outcome.severity),
    ['error', 'error', 'error', 'error', 'error', 'error'],
  )
})

test('a server that could not be asked for a reason of ours is told as not checked', () => {
  const outcomes = run(changeAnswer(factsOf(), 1, 'example.com', 'SOA', notExamined('no-family')))
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind === 'not-checked' && outcome.reason),
    ['no-family'],
  )
})

test('a server that was not asked is neither silent nor fine', () => {
  assert.deepEqual(run(changeServer(factsOf(), 0, { asked: [] })), [])
  assert.deepEqual(run(changeZone(factsOf(), 0, { servers: [] })), [])
})
