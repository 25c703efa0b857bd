import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { deps, folder } from '../../test/config-folder.ts'
import { makeCertificate } from '../../test/unit/certificate-maker.ts'
import { systemClock } from '../base/clock.ts'
import { readPair } from './certificate.ts'
import { createDiskFiles } from './files.ts'
import { loadConfig } from './load.ts'

const pair = readFileSync(new URL('../../test/fixtures/mx.example.test.pem', import.meta.url))
const other = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const locked = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

const disk = new Map<string, Buffer>([
  ['/pair.pem', pair],
  ['/other.pem', Buffer.from(other.privateKey)],
  ['/locked.pem', Buffer.from(locked.privateKey)],
  ['/text', Buffer.from('hello')],
  ['/broken.pem', Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')],
])

const files = {
  ...createDiskFiles(),
  readSecret: async (path: string) => {
    const content = disk.get(path)
    return content
      ? ({ kind: 'read', content } as const)
      : ({ kind: 'unreadable', path, why: 'does not exist' } as const)
  },
}

test('a certificate and its key, also in one file', async () => {
  assert.deepEqual((await readPair({ certificate: '/pair.pem', key: '/pair.pem' }, files)).wrong, [])
})

test('what is wrong is told of the file that is wrong', async () => {
  const wrong = async (certificate: string, key: string) =>
    (await readPair({ certificate, key }, files)).wrong.map(({ file, why }) => `${file}: ${why}`)
  assert.deepEqual(await wrong('/pair.pem', '/other.pem'), [
    'key: /other.pem is not the key of the certificate /pair.pem',
  ])
  assert.deepEqual(await wrong('/text', '/text'), [
    'certificate: /text holds no certificate in PEM form',
    'key: /text holds no private key without a passphrase in PEM form',
  ])
  assert.deepEqual(await wrong('/broken.pem', '/pair.pem'), [
    'certificate: /broken.pem holds no certificate in PEM form',
  ])
  assert.deepEqual(await wrong('/pair.pem', '/locked.pem'), [
    'key: /locked.pem holds no private key without a passphrase in PEM form',
  ])
  assert.deepEqual(await wrong('/nope', '/pair.pem'), ['certificate: /nope does not exist'])
})

test('a chain that begins with another certificate than the own is told so, and not that the key is wrong', async () => {
  const { pem: issuer } = makeCertificate({ name: 'ca.example', isCa: true })
  disk.set('/chain.pem', Buffer.concat([Buffer.from(issuer), pair]))
  disk.set('/strangers.pem', Buffer.from(`${issuer}\n${issuer}`))
  assert.deepEqual((await readPair({ certificate: '/chain.pem', key: '/pair.pem' }, files)).wrong, [
    {
      file: 'certificate',
      why: "/chain.pem begins with another certificate than that of /pair.pem, which stands behind it: the server's own comes first, then those that issued it",
    },
  ])
  const strangers = await readPair({ certificate: '/strangers.pem', key: '/pair.pem' }, files)
  assert.deepEqual(
    strangers.wrong.map(({ file }) => file),
    ['key'],
  )
})

const nowMs = Date.UTC(2030, 0, 15)
const dayMs = 86_400_000

/** `line:column message` of each remark on a configuration in this certificate's place. */
async function remarks(
  t: TestContext,
  words: { readonly dnsNames: readonly string[]; readonly notAfterMs: number },
  more = '',
  tls = 'tls: { certificate: c.pem, key: k.pem }',
): Promise<string[]> {
  const { pem, keyPem } = makeCertificate({ name: 'mx.example.org', notBeforeMs: nowMs - 60 * dayMs, ...words })
  const text = `hostname: mx.example.org\n${tls}\n${more}domains: { a.example: { deliver: mx } }\n`
  const path = await folder(t, { 'waypost.yaml': text, 'c.pem': pem, 'k.pem': keyPem })
  const clock = { ...systemClock, now: () => nowMs }
  const loaded = await loadConfig(join(path, 'waypost.yaml'), { ...deps, clock })
  assert.equal(loaded.kind, 'loaded')
  const told = loaded.kind === 'loaded' ? loaded.summary.remarks : []
  return told.map(({ line, column, message }) => `${line}:${column} ${message.replaceAll(path, '')}`)
}

test('a certificate that senders can verify is no remark', async (t) => {
  const notAfterMs = nowMs + 15 * dayMs
  assert.deepEqual(await remarks(t, { dnsNames: ['a.example', 'MX.example.org'], notAfterMs }), [])
  assert.deepEqual(await remarks(t, { dnsNames: ['*.example.org'], notAfterMs }), [])
})

test('a certificate that has ended, or ends within what is an alert of a running gateway, is told with its place', async (t) => {
  const dnsNames = ['mx.example.org']
  assert.deepEqual(await remarks(t, { dnsNames, notAfterMs: nowMs - dayMs }), [
    '2:21 the certificate in /c.pem ended on 2030-01-14 00:00:00 UTC. Senders that verify it (MTA-STS, DANE) hold their mail back then. Renew it; the file is read again when it changes.',
  ])
  assert.match(
    (await remarks(t, { dnsNames, notAfterMs: nowMs + 13 * dayMs })).join('\n'),
    /^2:21 .* ends on 2030-01-28/,
  )
  const notAfterMs = nowMs + 20 * dayMs
  assert.match(
    (await remarks(t, { dnsNames, notAfterMs }, 'watch: { certificateEndsWithin: 21d }\n')).join('\n'),
    /^2:21 .* ends on 2030-02-04/,
  )
})

test('a certificate without a name for the hostname is told, with the names that it has', async (t) => {
  const notAfterMs = nowMs + 80 * dayMs
  assert.deepEqual(await remarks(t, { dnsNames: ['mail.example.org', 'example.org'], notAfterMs }), [
    '2:21 the certificate in /c.pem is for "mail.example.org", "example.org", and not for mx.example.org. Senders that verify it (MTA-STS) want the name that the MX record has: have one issued for mx.example.org, or set hostname to that name.',
  ])
  const both = await remarks(t, { dnsNames: [], notAfterMs: nowMs })
  assert.equal(both.length, 2)
  assert.match(both.join('\n'), /ended on .*\n.* is for no DNS name at all/)
})

test("the dashboard's own certificate is held against the calendar and web.hosts", async (t) => {
  const web = (hosts: string) => `web: { hosts: [${hosts}], tls: { certificate: c.pem, key: k.pem } }`
  const dnsNames = ['panel.example.org']
  const fine = { dnsNames, notAfterMs: nowMs + 80 * dayMs }
  assert.deepEqual(await remarks(t, fine, '', web('"panel.example.org:8443", "192.0.2.1"')), [])
  assert.deepEqual(await remarks(t, fine, '', web('')), [])
  const told = await remarks(t, { dnsNames, notAfterMs: nowMs + dayMs }, '', web('panel.example.org, mx.example.org'))
  assert.deepEqual(told, [
    '2:72 the certificate in /c.pem ends on 2030-01-16 00:00:00 UTC. Browsers let nobody in without a warning then. Renew it; the file is read again when it changes.',
    '2:72 the certificate in /c.pem is for "panel.example.org", and not for mx.example.org. Browsers warn whoever opens https://mx.example.org: have one issued for mx.example.org, or take it out of web.hosts.',
  ])
})
