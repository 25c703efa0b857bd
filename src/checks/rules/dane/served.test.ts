import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Issued, keyDigest, makeCertificate } from '../../../../test/unit/certificate-maker.ts'
import { intermediate, leafFor, root } from '../../../../test/unit/facts/certificates.ts'
import { changeAddress, changeExchanger, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs } from '../../../../test/unit/facts/names.ts'
import { tlsaData } from '../../../../test/unit/facts/records.ts'
import { notSaid, said, secured } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding } from '../../../../test/unit/policies.ts'
import type { RdataOf } from '../../../dns/rdata.ts'
import type { Facts } from '../../facts.ts'
import { daneDigestOrder, daneMismatch, daneNoStarttls, daneTaInvalid, daneTaNotSent } from './served.ts'

const dayMs = 86_400_000
const name = 'mx1.example.com'
const leaf = leafFor(name)
const other = tlsaData(3, 1, 1, Buffer.alloc(32, 9))
const of = (usage: number, certificate: Issued) => tlsaData(usage, 1, 1, keyDigest(certificate))
const all = [daneNoStarttls, daneMismatch, daneTaNotSent, daneTaInvalid, daneDigestOrder]

/** The first exchanger has these records, and serves this chain at its first address. */
function facts(records: readonly RdataOf<'TLSA'>[], chain: readonly Issued[] = [leaf, intermediate]): Facts {
  const demanded = demanding(factsOf(), { sts: 'absent', tlsa: records })
  return changeExchanger(changeSession(demanded, 0, { handshake: secured(chain), extras: [] }), 0, (exchanger) => ({
    ...exchanger,
    addresses: exchanger.addresses.slice(0, 1),
  }))
}

const findings = (changed: Facts) => all.filter((rule) => told(rule, changed).length > 0).map(({ id }) => id)

test('records that fit are fine, beside old and next ones of the same kind', () => {
  assert.deepEqual(findings(factsOf()), [])
  assert.deepEqual(findings(facts([of(3, leaf), other])), [])
  assert.deepEqual(findings(facts([of(2, intermediate)])), [])
  assert.deepEqual(findings(facts([tlsaData(2, 0, 0, root.der)])), [])
})

test('an old key alone is a mismatch, with the record that would fit', () => {
  const finding = findingOf(daneMismatch, facts([other]))
  assert.equal(finding.severity, 'error')
  assert.deepEqual(finding.remedy.records, [`_25._tcp.${name}. IN TLSA 3 1 1 ${keyDigest(leaf).toString('hex')}`])
  assert.deepEqual(findings(facts([other])), ['dane-mismatch'])
})

test('the kind of key that has no record is named', () => {
  const rsa = leafFor(name, { key: 'rsa' })
  const connect = { kind: 'connected', tookMs: 5, localAddress: undefined } as const
  const changed = changeSession(facts([of(3, leaf)]), 0, {
    extras: [{ purpose: 'other-key', connect, handshake: secured([rsa, intermediate]) }],
  })
  assert.match(findingOf(daneMismatch, changed).seen, /an RSA key/)
})

test('a certificate that is expired, for another name and of nobody is fine under usage 3', () => {
  const bad = makeCertificate({
    name: 'x.example',
    nowMs: collectedMs,
    notBeforeMs: 0,
    notAfterMs: collectedMs - dayMs,
    keyNumber: 5,
  })
  assert.deepEqual(findings(facts([of(3, bad)], [bad])), [])
})

test('self-signed under usage 2 of another authority is a mismatch', () => {
  const self = makeCertificate({ name, nowMs: collectedMs, keyNumber: 6 })
  assert.deepEqual(findings(facts([of(2, intermediate)], [self])), ['dane-mismatch'])
})

test('an anchor that is not sent is an error, also where it is a public root', () => {
  assert.deepEqual(findings(facts([of(2, root)])), ['dane-ta-not-sent'])
  assert.deepEqual(findings(facts([of(2, intermediate)], [leaf])), ['dane-ta-not-sent'])
  // The issuer that was left out is known, and is not what the record names.
  const stranger = makeCertificate({ name: 'Stranger', isCa: true, nowMs: collectedMs })
  assert.deepEqual(findings(facts([of(2, stranger)])), ['dane-mismatch'])
})

test('under usage 2 names and dates count', () => {
  const expired = leafFor(name, { notBeforeMs: collectedMs - 9 * dayMs, notAfterMs: collectedMs - dayMs })
  assert.match(
    findingOf(daneTaInvalid, facts([of(2, intermediate)], [expired, intermediate])).seen,
    /outside of its dates/,
  )
  const misnamed = leafFor('www.example.net')
  assert.match(
    findingOf(daneTaInvalid, facts([of(2, intermediate)], [misnamed, intermediate])).seen,
    /not for mx1\.example\.com or example\.com/,
  )
})

test('with a secure MX set the domain is a name that counts, and the common name where there is no DNS name', () => {
  const forDomain = leafFor('mail', { dnsNames: ['example.com'] })
  const changed = facts([of(2, intermediate)], [forDomain, intermediate])
  assert.deepEqual(told(daneTaInvalid, changed), [])
  const { mx } = changed
  assert.ok(mx.kind === 'answer')
  assert.deepEqual(told(daneTaInvalid, { ...changed, mx: { ...mx, trust: 'insecure' } }), ['error 192.0.2.1'])
  assert.deepEqual(
    told(daneTaInvalid, facts([of(2, intermediate)], [leafFor(name, { dnsNames: [] }), intermediate])),
    [],
  )
})

test('a stronger digest that does not fit hides the one that does', () => {
  const finding = findingOf(daneDigestOrder, facts([of(3, leaf), tlsaData(3, 1, 2, Buffer.alloc(64, 1))]))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.why, /strongest digest alone, 3 1 2/)
  assert.deepEqual(findings(facts([of(3, leaf), of(2, root)])), ['dane-digest-order'])
})

test('TLSA without STARTTLS is an error, even where no record is usable', () => {
  const change = { ehlo: said(250, name, 'PIPELINING'), startTls: notSaid, handshake: notSaid, ehloInTls: notSaid }
  assert.deepEqual(told(daneNoStarttls, changeSession(facts([of(3, leaf)]), 0, change)), ['error 192.0.2.1'])
  const unusable = changeSession(facts([tlsaData(1, 1, 1, Buffer.alloc(32))]), 0, change)
  assert.deepEqual(findings(unusable), ['dane-no-starttls'])
  const refused = changeSession(facts([of(3, leaf)]), 0, {
    startTls: said(550, '5.7.1 not for you'),
    handshake: notSaid,
  })
  assert.deepEqual(told(daneNoStarttls, refused), ['error 192.0.2.1'])
})

test('421 and an address that was not looked at decide nothing, and exchangers without TLSA are left alone', () => {
  const busy = changeSession(facts([of(3, leaf)]), 0, {
    greeting: said(421, 'busy'),
    ehlo: notSaid,
    startTls: notSaid,
    handshake: notSaid,
  })
  for (const rule of all) assert.deepEqual(told(rule, busy), ['not-checked told-to-wait 192.0.2.1'], rule.id)
  const unseen = changeAddress(facts([other]), 0, { smtp: notExamined('not-public') })
  for (const rule of all) assert.deepEqual(told(rule, unseen), ['not-checked not-public 192.0.2.1'], rule.id)
  const open = demanding(unseen, { sts: 'absent', tlsa: 'absent' })
  for (const rule of all) assert.deepEqual(told(rule, open), [], rule.id)
})

test('an exchanger whose TLSA is not known hides nothing of another', () => {
  const changed = changeExchanger(facts([other]), 1, { tlsa: notExamined('budget-spent') })
  assert.deepEqual(told(daneMismatch, changed), ['error 192.0.2.1', 'not-checked budget-spent mx2.example.com'])
})
