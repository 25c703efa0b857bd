import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intermediate, leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { secured } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { tlsCertificatesDiffer } from './certificates-differ.ts'

test('one certificate an exchanger is fine, another one at another exchanger as well', () => {
  assert.deepEqual(told(tlsCertificatesDiffer, factsOf()), [])
})

test('another leaf at one of the addresses is told', () => {
  const handshake = secured([leafFor('mx1.example.com', { keyNumber: 3 }), intermediate])
  const finding = findingOf(tlsCertificatesDiffer, changeSession(factsOf(), 1, { handshake, extras: [] }))
  assert.equal(finding.severity, 'notice')
  assert.deepEqual(finding.subject, { kind: 'exchanger', name: 'mx1.example.com' })
  assert.match(finding.seen, /192\.0\.2\.1 .*2001:db8:1::1/)
})

test('a pair for RSA and ECDSA is told, with both kinds', () => {
  const handshake = secured([leafFor('mx1.example.com', { key: 'rsa' }), intermediate])
  const connect = { kind: 'connected', tookMs: 5, localAddress: undefined } as const
  const facts = changeSession(factsOf(), 0, (session) => ({
    ...session,
    extras: [...session.extras, { purpose: 'other-key', connect, handshake }],
  }))
  assert.match(findingOf(tlsCertificatesDiffer, facts).seen, /ECDSA 256.*RSA 2048/)
})

test('an address that was not looked at is told as not checked', () => {
  const facts = changeAddress(factsOf(), 0, { smtp: notExamined('not-public') })
  assert.deepEqual(told(tlsCertificatesDiffer, facts), ['not-checked not-public 192.0.2.1'])
})
