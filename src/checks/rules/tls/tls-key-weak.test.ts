import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCertificate } from '../../../../test/unit/certificate-maker.ts'
import { intermediate, leafFor, root } from '../../../../test/unit/facts/certificates.ts'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { contextOf, factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs } from '../../../../test/unit/facts/names.ts'
import { secured } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import type { Facts } from '../../facts.ts'
import { runRules } from '../../run-rules.ts'
import { tlsKeyWeak } from './tls-key-weak.ts'

const run = (facts: Facts) => runRules([tlsKeyWeak], facts, contextOf())

test('P-256 with SHA-256 is fine, and so is RSA 2048', () => {
  assert.deepEqual(run(factsOf()), [])
  const handshake = secured([leafFor('mx1.example.com', { key: 'rsa' }), intermediate])
  assert.deepEqual(run(changeSession(factsOf(), 0, { handshake })), [])
})

test('an RSA key of 1024 bits is weak, at the address that serves it', () => {
  const handshake = secured([leafFor('mx1.example.com', { key: 'rsa-1024' }), intermediate])
  const [finding, ...more] = run(changeSession(factsOf(), 1, { handshake }))
  assert.deepEqual(more, [])
  assert.ok(finding?.kind === 'finding')
  assert.deepEqual(finding.subject, { kind: 'address', exchanger: 'mx1.example.com', address: '2001:db8:1::1' })
  assert.match(finding.seen, /1024 bits/)
})

test('SHA-1 is weak in the leaf and in an intermediate, and means nothing in a root', () => {
  const sha1 = secured([leafFor('mx1.example.com', { hash: 'sha1' }), intermediate])
  assert.equal(run(changeSession(factsOf(), 0, { handshake: sha1 })).length, 1)
  const middle = makeCertificate({ name: 'Old', isCa: true, issuer: root, nowMs: collectedMs, hash: 'sha1' })
  const below = secured([leafFor('mx1.example.com', { issuer: middle }), middle])
  assert.equal(run(changeSession(factsOf(), 0, { handshake: below })).length, 1)
  const oldRoot = makeCertificate({ name: 'Old root', isCa: true, nowMs: collectedMs, hash: 'sha1' })
  const whole = secured([leafFor('mx1.example.com', { issuer: oldRoot }), oldRoot])
  assert.deepEqual(run(changeSession(factsOf(), 0, { handshake: whole })), [])
})

test('a subject with escapes in it is shown, not performed', () => {
  const leaf = leafFor('evil\u001b[2J.example', { key: 'rsa-1024', dnsNames: ['mx1.example.com'] })
  const [finding] = run(changeSession(factsOf(), 0, { handshake: secured([leaf, intermediate]) }))
  assert.ok(finding?.kind === 'finding')
  assert.ok(!finding.seen.includes('\u001b'))
})

test('an address that was not probed is told as not checked', () => {
  const facts = changeAddress(factsOf(), 0, { smtp: notExamined('port-25-blocked') })
  const [outcome, ...more] = run(facts)
  assert.deepEqual(more, [])
  assert.ok(outcome?.kind === 'not-checked')
  assert.equal(outcome.reason, 'port-25-blocked')
})
