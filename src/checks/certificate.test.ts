import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeCertificate } from '../../test/unit/certificate-maker.ts'
import { intermediate, leafFor, root } from '../../test/unit/facts/certificates.ts'
import { collectedMs, host } from '../../test/unit/facts/names.ts'
import { processorMs } from '../../test/unit/processor-time.ts'
import { type Certificate, createRoots, matchesHost, pathOf, readCertificate, trustOf } from './certificate.ts'

const roots = createRoots([root.pem])
const leaf = leafFor('mx1.example.com')
const trust = (...sent: readonly { readonly der: Buffer }[]) =>
  trustOf(
    sent.map(({ der }) => der),
    roots,
  ).kind

test('a certificate is read out of DER', () => {
  const read = readCertificate(leafFor('mx1.example.com', { dnsNames: ['MX1.example.com', '*.example.com'] }).der)
  assert.deepEqual(read?.dnsNames, ['mx1.example.com', '*.example.com'])
  assert.equal(read.commonName, 'mx1.example.com')
  assert.equal(read.notBeforeMs, collectedMs - 86_400_000)
  assert.equal(read.notAfterMs, collectedMs + 89 * 86_400_000)
  assert.deepEqual([read.key.kind, read.key.bits], ['ec', 256])
  assert.equal(readCertificate(makeCertificate({ name: 'a.example', key: 'rsa' }).der)?.key.bits, 2048)
  assert.equal(readCertificate(Buffer.from('no certificate')), undefined)
})

test('the common name is the last one, blanks and all, and a long one takes no longer than others', () => {
  assert.equal(
    readCertificate(leafFor('mx1.example.com', { organisation: 'CN=x', unit: 'CN=y' }).der)?.commonName,
    'mx1.example.com',
  )
  const { der } = leafFor(`a${' '.repeat(60_000)}x`, { dnsNames: ['a.example'], unit: 'x' })
  let certificate: Certificate | undefined
  const cost = processorMs(() => {
    certificate = readCertificate(der)
  })
  assert.equal(certificate?.commonName?.length, 60_002)
  assert.ok(cost < 200, `${cost} ms`)
  assert.ok(certificate === readCertificate(der), 'read once')
})

test('a name that looks like two is none', () => {
  const read = readCertificate(leafFor('a.example', { dnsNames: ['x, DNS:mx1.example.com', 'b.example'] }).der)
  assert.deepEqual(read?.dnsNames, ['b.example'])
})

test('chains are trusted when they lead to a known root, in whatever order and with the root or without', () => {
  assert.equal(trust(leaf, intermediate), 'trusted')
  assert.equal(trust(leaf, intermediate, root), 'trusted')
  assert.equal(trust(leaf, root, intermediate), 'trusted')
  assert.equal(trust(leafFor('b.example', { issuer: root })), 'trusted')
})

test('what does not lead there is told apart', () => {
  const otherRoot = makeCertificate({ name: 'Another root', isCa: true })
  assert.equal(trust(leaf), 'incomplete')
  assert.equal(trust(makeCertificate({ name: 'mx1.example.com' })), 'self-signed')
  assert.equal(trust(leafFor('mx1.example.com', { issuer: otherRoot }), otherRoot), 'unknown-root')
  assert.equal(trust({ der: Buffer.alloc(3) }), 'unreadable')
  assert.equal(trust({ der: Buffer.alloc(3) }, intermediate), 'unreadable')
})

test('an issuer that is no authority, or only has its name, issues nothing', () => {
  const noCa = makeCertificate({ name: 'Intermediate of tests', issuer: root, key: 'ec', keyNumber: 9 })
  assert.equal(trust(leafFor('x.example', { issuer: noCa }), noCa), 'incomplete')
  const impostor = makeCertificate({ name: 'Intermediate of tests', isCa: true, keyNumber: 8, issuer: root })
  assert.equal(trust(leaf, impostor), 'incomplete')
  assert.deepEqual(
    pathOf([leaf.der, impostor.der, intermediate.der]).map(({ der }) => der),
    [leaf.der, intermediate.der],
  )
})

test('a star stands for one whole label, below two at least', () => {
  const mx = host('mx1.example.com')
  for (const name of ['mx1.example.com', '*.example.com', 'mx1.example.com.']) assert.ok(matchesHost(name, mx), name)
  for (const name of ['example.com', '*.com', '*', 'mx*.example.com', '*.mx1.example.com', '*.*.com', ''])
    assert.ok(!matchesHost(name, mx), name)
  assert.ok(!matchesHost('*.example.com', host('a.b.example.com')))
  assert.ok(!matchesHost('*.example.com', host('example.com')))
})

test('whatever octets come, reading them never throws', () => {
  const good = leafFor('mx1.example.com', { dnsNames: ['mx1.example.com', '*.example.com'] }).der
  const damaged = fc.record({ at: fc.nat(good.length - 1), octet: fc.nat(255), length: fc.nat(good.length) })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (drawn) => {
      const der =
        drawn instanceof Uint8Array ? Buffer.from(drawn) : Buffer.from(good.subarray(0, drawn.length || undefined))
      if (!(drawn instanceof Uint8Array) && drawn.at < der.length) der[drawn.at] = drawn.octet
      readCertificate(der)
      trustOf([der, intermediate.der], roots)
      pathOf([leaf.der, der, der, intermediate.der])
    }),
    { numRuns: 500 },
  )
})

test('a star never stands for more or less than one label, nor for part of one', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
  fc.assert(
    fc.property(fc.array(label, { minLength: 2, maxLength: 6 }), fc.nat(5), (labels, cut) => {
      const name = labels.join('.')
      assert.ok(matchesHost(name, host(name)))
      const starred = `*.${labels.slice(Math.min(cut, labels.length - 1)).join('.')}`
      const isOneLabel = Math.min(cut, labels.length - 1) === 1 && labels.length > 2
      assert.equal(matchesHost(starred, host(name)), isOneLabel)
    }),
  )
})
