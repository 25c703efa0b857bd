import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs, wire } from '../../../../test/unit/facts/names.ts'
import { mxData, record, rrsigData } from '../../../../test/unit/facts/records.ts'
import { response } from '../../../../test/unit/facts/servers.ts'
import { failed, noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Rrsig } from '../../../dns/rdata.ts'
import type { Facts } from '../../facts.ts'
import { dnssecServerUnsigned, dnssecSignatureEndsSoon } from './dnssec-signatures.ts'

const nowSeconds = Math.floor(collectedMs / 1000)
const hour = 3600
const day = 86_400
const owner = wire('example.com')
const mx = (signature?: Partial<Rrsig>) =>
  response('example.com', 'MX', [], {
    authorities: [],
    message: {
      answers: [
        record(owner, mxData(10, 'mx1.example.com')),
        ...(signature ? [record(owner, rrsigData('MX', signature))] : []),
      ],
    },
  })
const at = (index: number, signature?: Partial<Rrsig>) =>
  changeAnswer(factsOf(), index, 'example.com', 'MX', mx(signature))
const life = (begin: number, end: number) => ({ inception: nowSeconds + begin, expiration: nowSeconds + end })

test('two days left of thirty', () => {
  const finding = only(dnssecSignatureEndsSoon, at(2, life(-28 * day, 2 * day)))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /over MX .* ends in 2 days/)
})

test('online signers use short lives: what is left is compared with them, and with the TTL', () => {
  assert.deepEqual(outcomesOf(dnssecSignatureEndsSoon, at(2, life(-12 * hour, 24 * hour))), [])
  assert.deepEqual(outcomesOf(dnssecSignatureEndsSoon, at(2, life(-22 * hour, 2 * hour))), [
    'warning dnssec-signature-ends-soon',
  ])
  assert.deepEqual(
    outcomesOf(dnssecSignatureEndsSoon, at(2, { ...life(-30 * 60, 30 * 60), originalTtlSeconds: hour })),
    ['warning dnssec-signature-ends-soon'],
  )
})

test('times are modulo 2^32', () => {
  const end = (nowSeconds + 10 * day) % 2 ** 32
  assert.deepEqual(outcomesOf(dnssecSignatureEndsSoon, at(2, { inception: nowSeconds - day, expiration: end })), [])
})

test('one server without signatures, or with old ones', () => {
  assert.match(only(dnssecServerUnsigned, at(2)).seen, /ns2\.example\.com .* sends MX example\.com without a signature/)
  const old = only([dnssecServerUnsigned, dnssecSignatureEndsSoon], at(2, life(-30 * day, -1 * day)))
  assert.equal(old.id, 'dnssec-server-unsigned')
  assert.match(old.seen, /signature that is over/)
})

test('when all servers are like this it is bogus, and told there', () => {
  const zone = (facts: Facts): Facts =>
    changeZone(facts, 0, (one) => ({
      ...one,
      servers: one.servers.map((server) => ({
        ...server,
        asked: server.asked.filter(({ type }) => type === 'MX').map((direct) => ({ ...direct, outcome: mx() })),
      })),
    }))
  assert.deepEqual(outcomesOf(dnssecServerUnsigned, zone(factsOf())), [])
})

test('an unsigned zone has none, and a DS that could not be asked for leaves it open', () => {
  const rules = [dnssecSignatureEndsSoon, dnssecServerUnsigned]
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
  assert.deepEqual(outcomesOf(rules, changeZone(at(2), 0, { ds: noData('example.com') })), [])
  assert.deepEqual(outcomesOf(rules, changeZone(factsOf(), 0, { ds: failed('example.com') })), [
    'not checked dnssec-signature-ends-soon: lookup-failed',
    'not checked dnssec-server-unsigned: lookup-failed',
  ])
  assert.deepEqual(outcomesOf(rules, changeZone(factsOf(), 0, { ds: notExamined('not-wanted') })), [
    'not checked dnssec-signature-ends-soon: not-wanted',
    'not checked dnssec-server-unsigned: not-wanted',
  ])
})
