import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeAnswer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { ip } from '../../../../test/unit/facts/names.ts'
import { aData } from '../../../../test/unit/facts/records.ts'
import { response } from '../../../../test/unit/facts/servers.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { addressNotPublic } from './address-not-public.ts'

const publicly = (facts: Facts): Facts => ({ ...facts, examination: { ...facts.examination, isPrivate: false } })
const inside = (facts: Facts) => changeAddress(facts, 0, { address: ip('10.0.0.5'), notPublic: 'private (RFC 1918)' })
const everyServerSays = (address: string) => (facts: Facts) =>
  [0, 1, 2, 3, 4, 5].reduce(
    (changed, index) =>
      changeAnswer(changed, index, 'mx1.example.com', 'A', response('mx1.example.com', 'A', [aData(address)])),
    facts,
  )

test('a private address that the name servers tell the world is an error', () => {
  const finding = only(addressNotPublic, publicly(inside(everyServerSays('10.0.0.5')(factsOf()))))
  assert.equal(finding.severity, 'error')
  assert.match(finding.seen, /10\.0\.0\.5, which is private \(RFC 1918\)/)
})

test('a resolver inside may show another address than the world sees', () => {
  assert.deepEqual(outcomesOf(addressNotPublic, publicly(inside(factsOf()))), [
    'not checked address-not-public: not-public',
  ])
})

test('without the name servers the resolver counts', () => {
  assert.deepEqual(outcomesOf(addressNotPublic, { ...publicly(inside(factsOf())), zones: [] }), [
    'error address-not-public',
  ])
})

test('public addresses are fine, and within a private network all are', () => {
  assert.deepEqual(outcomesOf(addressNotPublic, publicly(factsOf())), [])
  assert.deepEqual(outcomesOf(addressNotPublic, inside(factsOf())), [])
})
