import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyDigest, makeCertificate } from '../../test/unit/certificate-maker.ts'
import { intermediate, leafFor, root } from '../../test/unit/facts/certificates.ts'
import { changeExchanger } from '../../test/unit/facts/change.ts'
import { factsOf } from '../../test/unit/facts/facts.ts'
import { collectedMs, wire } from '../../test/unit/facts/names.ts'
import { cnameData, tlsaData } from '../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName, notExamined } from '../../test/unit/facts/views.ts'
import { processorMs } from '../../test/unit/processor-time.ts'
import { readCertificate } from './certificate.ts'
import type { ExchangerFacts, Facts } from './facts.ts'
import { daneOf, matchesOf, matchOf, tlsaLine, tlsaOfKey, whyUnusable } from './tlsa.ts'

const leaf = leafFor('mx1.example.com')
const sent = [leaf.der, intermediate.der]
const record = tlsaData(3, 1, 1, keyDigest(leaf))
const daneAt = (change: Partial<ExchangerFacts>, facts: Facts = factsOf()) => {
  const changed = changeExchanger(facts, 0, change)
  const [exchanger] = changed.exchangers
  if (!exchanger) throw new Error('no exchanger')
  return daneOf(changed, exchanger)
}
const owner = (base: string) => `_25._tcp.${base}`
const lookup = (
  base: string,
  place: 'target' | 'original',
  view: ReturnType<typeof answer<typeof record>> | ReturnType<typeof noData>,
) => ({ base: wire(base), place, view }) as const

test('usable: usage 2 or 3, selector 0 or 1, a digest of the right length, DER that is whole', () => {
  const digest = Buffer.alloc(32, 1)
  assert.equal(whyUnusable(tlsaData(3, 1, 1, digest)), undefined)
  assert.equal(whyUnusable(tlsaData(2, 0, 2, Buffer.alloc(64))), undefined)
  assert.equal(whyUnusable(tlsaData(2, 0, 0, root.der)), undefined)
  assert.equal(whyUnusable(tlsaData(3, 1, 0, readCertificate(leaf.der)?.key.spki ?? digest)), undefined)
  assert.match(whyUnusable(tlsaData(0, 1, 1, digest)) ?? '', /usage 0/)
  assert.match(whyUnusable(tlsaData(1, 1, 1, digest)) ?? '', /usage 1/)
  assert.match(whyUnusable(tlsaData(4, 1, 1, digest)) ?? '', /usage 4/)
  assert.match(whyUnusable(tlsaData(3, 2, 1, digest)) ?? '', /selector 2/)
  assert.match(whyUnusable(tlsaData(3, 1, 3, digest)) ?? '', /matching type 3/)
  assert.match(whyUnusable(tlsaData(3, 1, 2, digest)) ?? '', /32 octets/)
  assert.match(whyUnusable(tlsaData(3, 0, 0, digest)) ?? '', /DER/)
  assert.match(whyUnusable(tlsaData(3, 1, 0, Buffer.from([0x30, 0x84, 1, 2]))) ?? '', /DER/)
})

test('usage 3 looks at the leaf alone, usage 2 at its issuers, whatever the order in which they came', () => {
  const fits = (usage: number, of: typeof leaf, chain = sent) =>
    matchOf(tlsaData(usage, 1, 1, keyDigest(of)), chain)?.kind
  assert.equal(fits(3, leaf), 'end-entity')
  assert.equal(fits(3, intermediate), undefined)
  assert.equal(fits(2, intermediate), 'anchor')
  assert.equal(fits(2, leaf), undefined)
  assert.equal(fits(2, root), undefined)
  assert.equal(fits(2, root, [leaf.der, root.der, intermediate.der]), 'anchor')
  // It was sent, and has not issued anything here.
  const stranger = makeCertificate({ name: 'Stranger', isCa: true, nowMs: collectedMs })
  assert.equal(fits(2, stranger, [...sent, stranger.der]), undefined)
})

test('2 0 0 brings the anchor itself', () => {
  assert.equal(matchOf(tlsaData(2, 0, 0, root.der), sent)?.kind, 'anchor')
  assert.equal(matchOf(tlsaData(2, 1, 0, readCertificate(root.der)?.key.spki ?? Buffer.alloc(0)), sent), undefined)
})

test('SHA-512 and full data match too', () => {
  const spki = readCertificate(leaf.der)?.key.spki ?? Buffer.alloc(0)
  assert.ok(matchOf(tlsaData(3, 1, 2, createHash('sha512').update(spki).digest()), sent))
  assert.ok(matchOf(tlsaData(3, 0, 0, leaf.der), sent))
  assert.ok(matchOf(tlsaData(3, 0, 1, createHash('sha256').update(leaf.der).digest()), sent))
})

test('the record that would fit, as a line of a zone file', () => {
  const certificate = readCertificate(leaf.der)
  assert.ok(certificate)
  assert.equal(
    tlsaLine(wire('mx1.example.com'), tlsaOfKey(certificate)),
    `_25._tcp.mx1.example.com. IN TLSA 3 1 1 ${keyDigest(leaf).toString('hex')}`,
  )
})

test('records count where they and an address are secure', () => {
  assert.equal(daneAt({}).kind, 'records')
  const insecureView = answer(owner('mx1.example.com'), [record], { trust: 'insecure' })
  const ignored = daneAt({ tlsa: [lookup('mx1.example.com', 'target', insecureView)] })
  assert.ok(ignored.kind === 'none' && ignored.isSecure && ignored.ignored.length === 1)
  const insecure = { trust: 'insecure' } as const
  const address = daneAt({ a: answer('mx1.example.com', [], insecure), aaaa: noData('mx1.example.com', insecure) })
  assert.ok(address.kind === 'none' && !address.isSecure && address.ignored.length === 1)
})

test('one secure family is enough, and a failing other one cancels nothing', () => {
  assert.equal(daneAt({ aaaa: failed('mx1.example.com') }).kind, 'records')
  assert.equal(daneAt({ a: noData('mx1.example.com') }).kind, 'records')
})

test('absence that is proven, securely or not, is absence; a failure is a failure', () => {
  for (const trust of ['secure', 'insecure'] as const) {
    const view = noSuchName(owner('mx1.example.com'), { trust })
    assert.equal(daneAt({ tlsa: [{ base: wire('mx1.example.com'), place: 'target', view }] }).kind, 'none')
  }
  const view = failed(owner('mx1.example.com'))
  assert.equal(daneAt({ tlsa: [{ base: wire('mx1.example.com'), place: 'target', view }] }).kind, 'failed')
})

test('an alias: the end first where the whole chain is secure, then the beginning', () => {
  const aliased = (trust: 'secure' | 'insecure') => ({
    a: answer('mx1.example.com', [], { aliases: ['host.example.net'], trust }),
    aaaa: noData('mx1.example.com', { aliases: ['host.example.net'], trust }),
    cname: answer('mx1.example.com', [cnameData('host.example.net')]),
  })
  const target = lookup('host.example.net', 'target', answer(owner('host.example.net'), [record]))
  const original = lookup('mx1.example.com', 'original', answer(owner('mx1.example.com'), [record]))
  const baseOf = (change: Partial<ExchangerFacts>) => {
    const dane = daneAt(change)
    return dane.kind === 'records' ? dane.base : dane.kind
  }
  assert.equal(baseOf({ ...aliased('secure'), tlsa: [target, original] }), wire('host.example.net'))
  const none = lookup('host.example.net', 'target', noData(owner('host.example.net')))
  assert.equal(baseOf({ ...aliased('secure'), tlsa: [none, original] }), wire('mx1.example.com'))
  assert.equal(baseOf({ ...aliased('insecure'), tlsa: [target, original] }), wire('mx1.example.com'))
  const insecureHop = {
    cname: answer('mx1.example.com', [cnameData('host.example.net')], { trust: 'insecure' as const }),
  }
  assert.equal(baseOf({ ...aliased('insecure'), ...insecureHop, tlsa: [target, original] }), 'none')
})

test('without a resolver that validates nothing is known', () => {
  const facts = factsOf()
  assert.equal(daneAt({}, { ...facts, vantage: { ...facts.vantage, validation: 'none' } }).kind, 'unknown')
  assert.equal(daneAt({ a: answer('mx1.example.com', [], { trust: 'untold' }) }).kind, 'unknown')
  assert.equal(daneAt({ tlsa: notExamined('budget-spent') }).kind, 'unknown')
})

test('any octets as TLSA data or certificate are borne', () => {
  fc.assert(
    fc.property(
      fc.nat(5),
      fc.nat(3),
      fc.nat(4),
      fc.uint8Array({ maxLength: 80 }),
      (usage, selector, matching, octets) => {
        const hostile = tlsaData(usage, selector, matching, Buffer.from(octets))
        whyUnusable(hostile)
        assert.equal(matchOf(hostile, sent), undefined)
        assert.equal(matchOf(record, [Buffer.from(octets)]), undefined)
      },
    ),
  )
})

test('thousands of records cost little beside a certificate of 60,000 octets', () => {
  const large = leafFor(`a${' '.repeat(60_000)}x`, { dnsNames: ['mx1.example.com'] })
  const chain = [large.der, intermediate.der]
  const records = Array.from({ length: 30_000 }, () => tlsaData(3, 0, 2, Buffer.alloc(64)))
  const cost = processorMs(() => assert.deepEqual(matchesOf(records, chain), []))
  assert.ok(cost < 300, `${cost} ms`)
})
