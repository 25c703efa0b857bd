import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intermediate, leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { notSaid, said, secured } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { opportunistic } from '../../../../test/unit/policies.ts'
import type { ExtraHandshake, Handshake } from '../../../smtp/probe-facts.ts'
import { tlsCipherWeak, tlsHandshakeFails, tlsOldOffered, tlsSniRequired } from './handshake.ts'

const good = secured([leafFor('mx1.example.com'), intermediate]) as Extract<Handshake, { kind: 'secured' }>
const broken = (side: 'peer' | 'local' | 'connection' | 'timeout', tookMs = 10): Handshake => ({
  kind: 'failed',
  offer: good.offer,
  side,
  detail: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  tookMs,
})
const extra = (purpose: ExtraHandshake['purpose'], handshake: Handshake): ExtraHandshake => ({
  purpose,
  connect: { kind: 'connected', tookMs: 5, localAddress: undefined },
  handshake,
})
const all = [tlsHandshakeFails, tlsOldOffered, tlsCipherWeak, tlsSniRequired]
const old = (version: 'TLSv1' | 'TLSv1.1') => ({ ...good, version })
const suite = (standardName: string, more: Partial<typeof good> = {}) => ({
  handshake: { ...good, version: 'TLSv1.2', cipher: { name: standardName, standardName }, ...more } as Handshake,
})

test('good handshakes are fine', () => {
  for (const rule of all) assert.deepEqual(told(rule, factsOf()), [])
})

test('a handshake that fails is a warning without a policy and an error under one', () => {
  const change = { handshake: broken('peer'), ehloInTls: notSaid, extras: [] }
  assert.deepEqual(told(tlsHandshakeFails, changeSession(opportunistic(factsOf()), 0, change)), ['warning 192.0.2.1'])
  assert.deepEqual(told(tlsHandshakeFails, changeSession(factsOf(), 0, change)), ['error 192.0.2.1'])
})

test('the cause is named: SNI, TLS 1.3, old versions alone, or our own library', () => {
  const seen = (extras: ExtraHandshake[], side: 'peer' | 'local' = 'peer') =>
    findingOf(tlsHandshakeFails, changeSession(factsOf(), 0, { handshake: broken(side), extras })).seen
  assert.match(seen([extra('without-sni', good)]), /Without a name/)
  assert.match(seen([extra('tls-1.2', good)]), /With TLS 1\.2 alone/)
  assert.match(seen([extra('old-tls', old('TLSv1'))]), /TLS 1\.1 or older/)
  assert.match(seen([], 'local'), /ended here/)
})

test('a handshake that our own time cut short, or that was not reached, is not checked', () => {
  assert.deepEqual(told(tlsHandshakeFails, changeSession(factsOf(), 0, { handshake: broken('timeout', 500) })), [
    'not-checked no-answer 192.0.2.1',
  ])
  const refused = changeSession(factsOf(), 0, { startTls: said(454, 'later'), handshake: notSaid })
  assert.deepEqual(told(tlsHandshakeFails, refused), ['not-checked told-to-wait 192.0.2.1'])
})

test('without STARTTLS there is no handshake to judge', () => {
  const facts = changeSession(factsOf(), 0, {
    ehlo: said(250, 'mx1.example.com'),
    startTls: notSaid,
    handshake: notSaid,
  })
  for (const rule of all) assert.deepEqual(told(rule, facts), [])
})

test('TLS 1.0 that is still taken is a notice', () => {
  const at = (handshake: Handshake) =>
    told(tlsOldOffered, changeSession(factsOf(), 0, { extras: [extra('old-tls', handshake)] }))
  assert.deepEqual(at(old('TLSv1')), ['notice 192.0.2.1'])
  assert.deepEqual(at(broken('local')), [])
  assert.deepEqual(at(broken('connection')), [])
  assert.deepEqual(at(broken('timeout')), ['not-checked no-answer 192.0.2.1'])
  assert.deepEqual(at({ kind: 'not-said', reason: 'budget-spent', why: 'Spent.' }), [
    'not-checked budget-spent 192.0.2.1',
  ])
})

test('a polite probe does not ask for old versions, or without a name', () => {
  const facts = changeAddress(changeSession(factsOf(), 0, { extras: [] }), 0, (at) =>
    at.smtp.kind === 'probed' ? { ...at, smtp: { ...at.smtp, probe: 'polite' } } : at,
  )
  assert.deepEqual(told(tlsOldOffered, facts), ['not-checked not-wanted 192.0.2.1'])
  assert.deepEqual(told(tlsSniRequired, facts), ['not-checked not-wanted 192.0.2.1'])
})

test('a suite without forward secrecy or AEAD is a notice, TLS 1.3 never', () => {
  const at = (change: ReturnType<typeof suite>) => told(tlsCipherWeak, changeSession(factsOf(), 0, change))
  assert.deepEqual(at(suite('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256')), [])
  assert.deepEqual(at(suite('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256')), [])
  assert.deepEqual(at(suite('TLS_RSA_WITH_AES_128_GCM_SHA256')), ['notice 192.0.2.1'])
  assert.deepEqual(at(suite('TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384')), ['notice 192.0.2.1'])
  const dh = { keyExchange: { name: 'DH', bits: 1024 } }
  assert.deepEqual(at(suite('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', dh)), ['notice 192.0.2.1'])
})

test('an exchanger that breaks off without SNI, or serves another name, is told', () => {
  const at = (handshake: Handshake) =>
    told(tlsSniRequired, changeSession(factsOf(), 0, { extras: [extra('without-sni', handshake)] }))
  assert.deepEqual(at(broken('peer')), ['notice 192.0.2.1'])
  assert.deepEqual(at(secured([leafFor('default.example.net'), intermediate])), ['notice 192.0.2.1'])
  assert.deepEqual(at(good), [])
})

test('an address that was not looked at is told as not checked', () => {
  const facts = changeAddress(factsOf(), 0, { smtp: notExamined('port-25-blocked') })
  for (const rule of all) assert.deepEqual(told(rule, facts), ['not-checked port-25-blocked 192.0.2.1'])
})
