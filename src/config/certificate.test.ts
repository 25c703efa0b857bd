import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { whyPairUnusable } from './certificate.ts'
import { createDiskFiles } from './files.ts'

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
  assert.deepEqual(await whyPairUnusable({ certificate: '/pair.pem', key: '/pair.pem' }, files), [])
})

test('what is wrong is told of the file that is wrong', async () => {
  const wrong = async (certificate: string, key: string) =>
    (await whyPairUnusable({ certificate, key }, files)).map(({ file, why }) => `${file}: ${why}`)
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
