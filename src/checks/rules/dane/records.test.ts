import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyDigest } from '../../../../test/unit/certificate-maker.ts'
import { intermediate, leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeExchanger, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs } from '../../../../test/unit/facts/names.ts'
import { tlsaData } from '../../../../test/unit/facts/records.ts'
import { secured } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding } from '../../../../test/unit/policies.ts'
import type { RdataOf } from '../../../dns/rdata.ts'
import { daneNoSpare, daneUnusable, daneWholeCertificate } from './records.ts'

const dayMs = 86_400_000
const digest = Buffer.alloc(32, 4)
const good = tlsaData(3, 1, 1, keyDigest(leafFor('mx1.example.com')))
const withRecords = (...records: RdataOf<'TLSA'>[]) => demanding(factsOf(), { sts: 'absent', tlsa: records })
const all = [daneUnusable, daneNoSpare, daneWholeCertificate]

test('one 3 1 1 of a certificate with time left is fine', () => {
  for (const rule of all) assert.deepEqual(told(rule, factsOf()), [])
})

test('records of which none is usable are a warning, some a notice, each with its field', () => {
  const none = findingOf(daneUnusable, withRecords(tlsaData(1, 1, 1, digest), tlsaData(3, 1, 2, digest)))
  assert.equal(none.severity, 'warning')
  assert.match(none.seen, /usage 1 has no meaning for mail; .*its digest has 32 octets/)
  assert.match(none.remedy.records?.[0] ?? '', /IN TLSA 3 1 1/)
  assert.deepEqual(told(daneUnusable, withRecords(good, tlsaData(0, 0, 1, digest))), ['notice mx1.example.com'])
})

test('a spare is wanted when the certificate is about to change, and not otherwise', () => {
  const ending = leafFor('mx1.example.com', {
    notBeforeMs: collectedMs - 80 * dayMs,
    notAfterMs: collectedMs + 10 * dayMs,
  })
  const soon = (...records: RdataOf<'TLSA'>[]) =>
    changeSession(withRecords(...records), 0, { handshake: secured([ending, intermediate]), extras: [] })
  assert.deepEqual(told(daneNoSpare, soon(good)), ['notice mx1.example.com'])
  assert.deepEqual(told(daneNoSpare, soon(good, tlsaData(3, 1, 1, digest))), [])
  assert.deepEqual(told(daneNoSpare, soon(tlsaData(2, 1, 1, digest))), [])
  assert.deepEqual(told(daneNoSpare, withRecords(good)), [])
})

test('records of whole certificates only are a notice', () => {
  assert.deepEqual(told(daneWholeCertificate, withRecords(tlsaData(3, 0, 1, digest))), ['notice mx1.example.com'])
  assert.deepEqual(told(daneWholeCertificate, withRecords(tlsaData(3, 0, 1, digest), good)), [])
  assert.deepEqual(told(daneWholeCertificate, withRecords(tlsaData(2, 0, 1, digest))), [])
})

test('TLSA that was not looked up is told as not checked', () => {
  const facts = changeExchanger(factsOf(), 0, { tlsa: notExamined('budget-spent') })
  for (const rule of all) assert.deepEqual(told(rule, facts), ['not-checked budget-spent mx1.example.com'])
})
