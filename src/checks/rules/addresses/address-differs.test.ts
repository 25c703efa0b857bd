import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeExchanger, changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { aData } from '../../../../test/unit/facts/records.ts'
import { direct, response } from '../../../../test/unit/facts/servers.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { addressDiffers } from './address-differs.ts'

const says = (...addresses: string[]) => response('mx1.example.com', 'A', addresses.map(aData))
const sampled = (facts: Facts, index: number, ...samples: string[]) =>
  changeServer(facts, index, (server) => ({
    ...server,
    asked: [
      ...server.asked.filter(({ name, type }) => type !== 'A' || name !== facts.exchangers[0]?.name),
      ...samples.map((address) => direct('mx1.example.com', 'A', says(address))),
    ],
  }))

test('a server that gives none is told at once', () => {
  const finding = only(addressDiffers, changeAnswer(factsOf(), 2, 'mx1.example.com', 'A', says()))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /ns2\.example\.com \(198\.51\.100\.53\), serial 2026030101: none/)
})

test('addresses that have one in common are a pool', () => {
  assert.deepEqual(
    outcomesOf(addressDiffers, changeAnswer(factsOf(), 2, 'mx1.example.com', 'A', says('192.0.2.1', '192.0.2.2'))),
    [],
  )
})

test('none in common: open with one sample, a finding with three', () => {
  assert.deepEqual(
    outcomesOf(addressDiffers, changeAnswer(factsOf(), 2, 'mx1.example.com', 'A', says('203.0.113.9'))),
    ['not checked address-differs: budget-spent'],
  )
  const all = [0, 1, 2, 3, 4].reduce(
    (facts, index) => sampled(facts, index, '192.0.2.1', '192.0.2.1', '192.0.2.1'),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(addressDiffers, sampled(all, 5, '203.0.113.9', '203.0.113.8', '203.0.113.9')), [
    'warning address-differs',
  ])
  assert.deepEqual(outcomesOf(addressDiffers, sampled(all, 5, '203.0.113.9', '192.0.2.1', '203.0.113.9')), [])
})

test('the same everywhere is fine, and a zone that was not found leaves it open', () => {
  assert.deepEqual(outcomesOf(addressDiffers, factsOf()), [])
  assert.deepEqual(outcomesOf(addressDiffers, changeExchanger(factsOf(), 0, { zone: undefined })), [
    'not checked address-differs: depends-on-failed',
  ])
})
