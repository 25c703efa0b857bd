import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { mxData, soaData } from '../../../../test/unit/facts/records.ts'
import { direct, response, silence } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { nsSilent } from './ns-silent.ts'
import { nsTcpFails } from './ns-tcp-fails.ts'

const closed = { kind: 'unreachable', why: 'TCP: ECONNREFUSED' } as const

test('UDP works and TCP does not', () => {
  const finding = only(nsTcpFails, changeAnswer(factsOf(), 2, 'example.com', 'MX', closed, 'tcp'))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /refuses connections/)
  assert.deepEqual(outcomesOf(nsTcpFails, changeAnswer(factsOf(), 2, 'example.com', 'MX', silence, 'tcp')), [
    'warning ns-tcp-fails',
  ])
})

test('it is an error where the answer over UDP is cut off', () => {
  const cut = response('example.com', 'MX', [mxData(10, 'mx1.example.com')], { message: { truncated: true } })
  const facts = changeAnswer(
    changeAnswer(factsOf(), 2, 'example.com', 'MX', silence, 'tcp'),
    2,
    'example.com',
    'MX',
    cut,
    'udp',
  )
  const finding = only(nsTcpFails, facts)
  assert.equal(finding.severity, 'error')
  assert.match(finding.seen, /MX example\.com over UDP is cut off/)
})

test('a server that is silent over both is told once', () => {
  const asked = [direct('example.com', 'SOA', silence), direct('example.com', 'SOA', silence, { over: 'tcp' })]
  assert.deepEqual(outcomesOf([nsSilent, nsTcpFails], changeServer(factsOf(), 2, { asked })), ['warning ns-silent'])
})

test('TCP that was not asked is not checked', () => {
  const asked = [
    direct('example.com', 'SOA', response('example.com', 'SOA', [soaData()])),
    direct('example.com', 'MX', notExamined('budget-spent'), { over: 'tcp' }),
  ]
  assert.deepEqual(outcomesOf(nsTcpFails, changeServer(factsOf(), 2, { asked })), [
    'not checked ns-tcp-fails: budget-spent',
  ])
  assert.deepEqual(outcomesOf(nsTcpFails, factsOf()), [])
})

test('a server that answers nothing with EDNS, and was asked over TCP with it, says nothing of TCP', () => {
  const plain = direct('example.com', 'SOA', response('example.com', 'SOA', [soaData()]), { edns: false })
  const tcp = (outcome: Parameters<typeof direct>[2]) =>
    changeServer(factsOf(), 2, { asked: [plain, direct('example.com', 'MX', outcome, { over: 'tcp', edns: true })] })
  for (const outcome of [silence, closed])
    assert.deepEqual(outcomesOf(nsTcpFails, tcp(outcome)), ['not checked ns-tcp-fails: no-answer'])
})
