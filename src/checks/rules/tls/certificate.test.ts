import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Issued, keyDigest, makeCertificate } from '../../../../test/unit/certificate-maker.ts'
import { intermediate, leafFor, root } from '../../../../test/unit/facts/certificates.ts'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs } from '../../../../test/unit/facts/names.ts'
import { tlsaData } from '../../../../test/unit/facts/records.ts'
import { secured } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding } from '../../../../test/unit/policies.ts'
import type { Facts } from '../../facts.ts'
import type { Rule } from '../../rule.ts'
import {
  tlsCertificateEndsSoon,
  tlsCertificateExpired,
  tlsCertificateName,
  tlsCertificateUntrusted,
  tlsChainIncomplete,
} from './certificate.ts'

const dayMs = 86_400_000
const name = 'mx1.example.com'
const all = [
  tlsCertificateExpired,
  tlsCertificateEndsSoon,
  tlsCertificateUntrusted,
  tlsChainIncomplete,
  tlsCertificateName,
]

const expired = leafFor(name, { notBeforeMs: collectedMs - 90 * dayMs, notAfterMs: collectedMs - dayMs })
const selfSigned = makeCertificate({ name, nowMs: collectedMs, keyNumber: 7 })
const misnamed = leafFor('www.example.net')
const good = leafFor(name)
const chains: Readonly<Record<string, readonly Issued[]>> = {
  expired: [expired, intermediate],
  'self-signed': [selfSigned],
  'wrong name': [misnamed, intermediate],
  'no intermediate': [good],
}

/** The first address serves the chain, under a policy. */
function under(policy: 'none' | 'enforce' | '3 1 1' | '2 1 1', chain: readonly Issued[]): Facts {
  const facts = changeSession(factsOf(), 0, { handshake: secured(chain), extras: [] })
  const [leaf] = chain
  if (policy === 'none') return demanding(facts, { sts: 'absent', tlsa: 'absent' })
  if (policy === 'enforce') return demanding(facts, { sts: 'enforce', tlsa: 'absent' })
  const record =
    policy === '3 1 1' ? tlsaData(3, 1, 1, keyDigest(leaf ?? root)) : tlsaData(2, 1, 1, keyDigest(intermediate))
  return demanding(facts, { sts: 'absent', tlsa: [record] })
}

const severityOf = (rule: Rule, facts: Facts) => told(rule, facts).map((text) => text.split(' ')[0])

test('a good certificate is fine under every policy', () => {
  for (const policy of ['none', 'enforce', '3 1 1', '2 1 1'] as const)
    for (const rule of all)
      assert.deepEqual(told(rule, under(policy, [good, intermediate])), [], `${rule.id} ${policy}`)
})

test('each fault is a notice without a policy, an error under MTA-STS, nothing under usage 3, and under usage 2 an error', () => {
  const cells: readonly [string, Rule][] = [
    ['expired', tlsCertificateExpired],
    ['self-signed', tlsCertificateUntrusted],
    ['wrong name', tlsCertificateName],
    ['no intermediate', tlsChainIncomplete],
  ]
  for (const [fault, rule] of cells) {
    const chain = chains[fault] ?? []
    assert.deepEqual(severityOf(rule, under('none', chain)), ['notice'], fault)
    assert.deepEqual(severityOf(rule, under('enforce', chain)), ['error'], fault)
    assert.deepEqual(severityOf(rule, under('3 1 1', chain)), [], fault)
    assert.deepEqual(severityOf(rule, under('2 1 1', chain)), ['error'], fault)
  }
})

test('why it matters is a sentence, with a policy and without', () => {
  assert.match(
    findingOf(tlsCertificateUntrusted, under('none', [selfSigned])).why,
    /so mail flows\. With MTA-STS in enforce they would look, and a certificate that .* is not good: then nothing/,
  )
})

test('one fault is told by one rule', () => {
  for (const [fault, chain] of Object.entries(chains)) {
    const telling = all.filter((rule) => told(rule, under('enforce', chain)).length > 0)
    assert.equal(telling.length, 1, fault)
  }
})

test('a private authority whose anchor is in TLSA needs no public root', () => {
  const authority = makeCertificate({ name: 'Private', isCa: true, nowMs: collectedMs })
  const chain = [leafFor(name, { issuer: authority }), authority]
  const facts = changeSession(factsOf(), 0, { handshake: secured(chain), extras: [] })
  const anchored = demanding(facts, { sts: 'absent', tlsa: [tlsaData(2, 1, 1, keyDigest(authority))] })
  assert.deepEqual(told(tlsCertificateUntrusted, anchored), [])
  assert.match(findingOf(tlsCertificateUntrusted, under('none', chain)).seen, /none of the public roots/)
})

test('an expired intermediate is found too, and a certificate that begins tomorrow', () => {
  const old = makeCertificate({
    name: 'Old',
    isCa: true,
    issuer: root,
    notBeforeMs: collectedMs - 20 * dayMs,
    notAfterMs: collectedMs - dayMs,
  })
  assert.match(findingOf(tlsCertificateExpired, under('none', [leafFor(name, { issuer: old }), old])).seen, /CN=Old/)
  const future = leafFor(name, { notBeforeMs: collectedMs + dayMs, notAfterMs: collectedMs + 9 * dayMs })
  assert.match(findingOf(tlsCertificateExpired, under('none', [future, intermediate])).seen, /begins on 2026-03-02/)
})

test('soon is a share of the own life: 20 of 90 days is, 5 of 6 days is not, 1 of 6 is', () => {
  const ending = (livedDays: number, leftDays: number) =>
    under('enforce', [
      leafFor(name, { notBeforeMs: collectedMs - livedDays * dayMs, notAfterMs: collectedMs + leftDays * dayMs }),
      intermediate,
    ])
  assert.deepEqual(told(tlsCertificateEndsSoon, ending(73, 17)), ['warning 192.0.2.1'])
  assert.deepEqual(told(tlsCertificateEndsSoon, ending(60, 30)), [])
  assert.deepEqual(told(tlsCertificateEndsSoon, ending(1, 5)), [])
  assert.deepEqual(told(tlsCertificateEndsSoon, ending(5, 1)), ['warning 192.0.2.1'])
  assert.deepEqual(told(tlsCertificateEndsSoon, ending(90, -1)), [])
})

test('a wildcard covers one label, and a common name none', () => {
  const named = (...dnsNames: string[]) => under('enforce', [leafFor(name, { dnsNames }), intermediate])
  assert.deepEqual(told(tlsCertificateName, named('*.example.com')), [])
  assert.equal(told(tlsCertificateName, named('*.com')).length, 1)
  assert.match(findingOf(tlsCertificateName, named()).seen, /common name, "mx1\.example\.com", does not count/)
  const hostile = leafFor('a\u001b[2J', { dnsNames: [] })
  assert.match(findingOf(tlsCertificateName, under('enforce', [hostile, intermediate])).seen, /\\1B/)
})

test('an address that was not looked at, or whose handshake failed, is told as not checked', () => {
  const unseen = changeAddress(factsOf(), 0, { smtp: notExamined('port-25-blocked') })
  const { offer } = secured([good]) as Extract<ReturnType<typeof secured>, { kind: 'secured' }>
  const failed = changeSession(factsOf(), 0, {
    handshake: { kind: 'failed', offer, side: 'peer', detail: 'alert', tookMs: 1 },
  })
  for (const rule of all) {
    assert.deepEqual(told(rule, unseen), ['not-checked port-25-blocked 192.0.2.1'])
    assert.deepEqual(told(rule, failed), ['not-checked depends-on-failed 192.0.2.1'])
  }
})
