import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type SecureContext, TLSSocket, connect as tlsConnect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { until } from '../../../test/lab/until.ts'
import { certificate as secondCertificate, privateKey as secondKey } from '../../../test/unit/certificate.ts'
import { createCertificate } from './certificate.ts'

const lab = fileURLToPath(new URL('../../../test/lab/certificate/', import.meta.url))
const [first, second] = ['mx.waypost.test', 'backend.example.test']
const lookEveryMs = 15_000

/** The name on the certificate that a sender is shown. */
async function shown(context: SecureContext | undefined): Promise<string> {
  const [ours, theirs] = duplexPair()
  const server = new TLSSocket(ours, { isServer: true, ...(context ? { secureContext: context } : {}) })
  const client = tlsConnect({ socket: theirs, rejectUnauthorized: false })
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('secureConnect', resolve)
      for (const socket of [client, server]) socket.once('error', reject)
    })
    return String(client.getPeerCertificate().subject.CN)
  } finally {
    client.destroy()
    server.destroy()
  }
}

/** Files of one certificate, read, with a clock that is set by hand. */
async function stage(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-certificate-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') }
  await copyFile(join(lab, 'certificate.pem'), files.certificate)
  await copyFile(join(lab, 'key.pem'), files.key)
  const clock = createFakeClock()
  const log = collectLog()
  let armed = 0
  const certificate = createCertificate({
    clock: {
      ...clock,
      after(delayMs, run) {
        armed++
        return clock.after(delayMs, run)
      },
    },
    log: log.log,
  })
  t.after(() => certificate.stop())
  await certificate.load(files)
  return {
    files,
    clock,
    log,
    certificate,
    alerts: () => log.lines.filter(({ level }) => level === 'alert'),
    /** Lets it look at its files once more, and waits until it has: then it has set its timer again. */
    async look() {
      const before = armed
      clock.advance(lookEveryMs)
      await until(() => armed > before)
    },
  }
}

test('files that changed are read again without a reload', async (t) => {
  const at = await stage(t)
  assert.equal(await shown(at.certificate.context), first)
  await at.look()
  assert.equal(at.log.lines.length, 0)

  await writeFile(at.files.certificate, secondCertificate)
  await writeFile(at.files.key, secondKey)
  assert.equal(await shown(at.certificate.context), first)
  await at.look()
  await until(() => at.log.find('certificate renewed').length === 1)
  assert.equal(await shown(at.certificate.context), second)
  assert.deepEqual(at.alerts(), [])
})

for (const [what, spoil, why] of [
  [
    'no PEM',
    (files: { certificate: string }) => writeFile(files.certificate, 'half a certif'),
    /^\S+\/certificate\.pem holds no certificate in PEM form$/,
  ],
  [
    'of another key',
    (files: { certificate: string }) => writeFile(files.certificate, secondCertificate),
    /^\S+\/key\.pem is not the key of the certificate \S+\/certificate\.pem$/,
  ],
  [
    'gone',
    (files: { certificate: string }) => rm(files.certificate),
    /^\S+\/certificate\.pem cannot be read \(ENOENT\)$/,
  ],
] as const) {
  test(`a new one that is ${what} leaves the old in place and alerts once; a good one after it is taken`, async (t) => {
    const at = await stage(t)
    const old = at.certificate.context
    await spoil(at.files)
    for (let look = 0; look < 4; look++) await at.look()
    assert.equal(at.certificate.context, old)
    assert.equal(await shown(at.certificate.context), first)
    assert.equal(at.alerts().length, 1)
    assert.equal(at.alerts()[0]?.fields.certificate, at.files.certificate)
    assert.match(String(at.alerts()[0]?.fields.why), why)

    await writeFile(at.files.certificate, secondCertificate)
    await writeFile(at.files.key, secondKey)
    await at.look()
    await until(() => at.log.find('certificate renewed').length === 1)
    assert.equal(await shown(at.certificate.context), second)
    assert.equal(at.alerts().length, 1)
  })
}

test('files that cannot be used are refused when a person hands them in, and what was there stays', async (t) => {
  const at = await stage(t)
  const old = at.certificate.context
  await writeFile(at.files.key, secondKey)
  await assert.rejects(at.certificate.load(at.files))
  await assert.rejects(at.certificate.load({ ...at.files, certificate: join(at.files.certificate, 'none') }))
  assert.equal(at.certificate.context, old)
})

test('without files there is no STARTTLS, and nothing is looked at', async (t) => {
  const at = await stage(t)
  await at.certificate.load(undefined)
  assert.equal(at.certificate.context, undefined)
  await writeFile(at.files.certificate, 'half a certif')
  at.clock.advance(10 * lookEveryMs)
  assert.equal(at.certificate.context, undefined)
  assert.equal(at.log.lines.length, 0)
})
