import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { answer, failed, noData } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { RdataOf } from '../../../dns/rdata.ts'
import { dnssecAlgorithmWeak, dnssecNsec3Iterations } from './dnssec-parameters.ts'

const ds = (algorithm: number, digestType: number): RdataOf<'DS'> => ({
  type: 'DS',
  keyTag: 1,
  algorithm,
  digestType,
  digest: Buffer.alloc(20),
})
const key = (algorithm: number): RdataOf<'DNSKEY'> => ({
  type: 'DNSKEY',
  flags: 257,
  protocol: 3,
  algorithm,
  key: Buffer.alloc(8),
})
const nsec3 = (iterations: number): RdataOf<'NSEC3PARAM'> => ({
  type: 'NSEC3PARAM',
  algorithm: 1,
  flags: 0,
  iterations,
  salt: Buffer.alloc(0),
})

test('RSASHA1, DSA and GOST, and DS records with SHA-1', () => {
  for (const algorithm of [1, 3, 5, 6, 7, 12]) {
    const facts = changeZone(factsOf(), 0, {
      ds: answer('example.com', [ds(algorithm, 2)]),
      dnskey: answer('example.com', [key(algorithm)]),
    })
    assert.deepEqual(outcomesOf(dnssecAlgorithmWeak, facts), ['warning dnssec-algorithm-weak'])
  }
  const finding = only(dnssecAlgorithmWeak, changeZone(factsOf(), 0, { ds: answer('example.com', [ds(13, 1)]) }))
  assert.match(finding.seen, /DS records with SHA-1/)
  assert.match(finding.remedy.text, /digest type 2/)
})

test('RSASHA256, ECDSA and Ed25519 are fine; an unsigned zone has none', () => {
  for (const algorithm of [8, 13, 14, 15])
    assert.deepEqual(
      outcomesOf(
        dnssecAlgorithmWeak,
        changeZone(factsOf(), 0, {
          ds: answer('example.com', [ds(algorithm, 2)]),
          dnskey: answer('example.com', [key(algorithm)]),
        }),
      ),
      [],
    )
  assert.deepEqual(outcomesOf(dnssecAlgorithmWeak, changeZone(factsOf(), 0, { ds: noData('example.com') })), [])
})

test('iterations of NSEC3: none is right, some are a notice, over 100 a warning', () => {
  const withIterations = (count: number) =>
    changeZone(factsOf(), 0, { nsec3param: answer('example.com', [nsec3(count)]) })
  assert.deepEqual(outcomesOf(dnssecNsec3Iterations, withIterations(0)), [])
  assert.deepEqual(outcomesOf(dnssecNsec3Iterations, withIterations(100)), ['notice dnssec-nsec3-iterations'])
  assert.deepEqual(outcomesOf(dnssecNsec3Iterations, withIterations(101)), ['warning dnssec-nsec3-iterations'])
  assert.deepEqual(
    outcomesOf(dnssecNsec3Iterations, changeZone(withIterations(500), 0, { ds: noData('example.com') })),
    [],
  )
})

test('what could not be looked up is not checked', () => {
  assert.deepEqual(outcomesOf(dnssecAlgorithmWeak, changeZone(factsOf(), 0, { dnskey: failed('example.com') })), [
    'not checked dnssec-algorithm-weak: lookup-failed',
  ])
  assert.deepEqual(outcomesOf(dnssecNsec3Iterations, changeZone(factsOf(), 0, { nsec3param: failed('example.com') })), [
    'not checked dnssec-nsec3-iterations: lookup-failed',
  ])
})
