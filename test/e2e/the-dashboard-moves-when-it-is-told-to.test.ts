/** `listen.http` and `web.tls` follow a reload, and what cannot be had is told to the person who reloaded. Renewed certificate files are taken in without one. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { callWaypost, type WaypostProcess } from '../lab/process.ts'
import { until } from '../lab/until.ts'
import { makeCertificate } from '../unit/certificate-maker.ts'

interface Place {
  readonly address: string
  readonly port: number
}

const text = (http: string, more = '') =>
  `state: STATE\nhostname: mx.waypost.test\nlisten: { smtp: "LISTEN", http: ${http} }\n${more}domains: { example.test: { deliver: "smtp://127.0.0.1:9" } }\n`
const at = ({ address, port }: Place) => `"${address}:${port}"`

async function place(): Promise<Place> {
  const address = freeAddress()
  return { address, port: await freePort(address) }
}

async function reload(waypost: WaypostProcess, config: string) {
  await waypost.configure(config)
  return callWaypost(waypost, 'config', 'reload')
}

/** The status of `/healthz`, or the system's word where nobody listens. */
const health = ({ address, port }: Place): Promise<number | string> =>
  fetch(`http://${address}:${port}/healthz`).then(
    ({ status }) => status,
    (error: { cause?: { code?: string } }) => error.cause?.code ?? 'failed',
  )

/** The name in the certificate that is shown. */
const shown = ({ address, port }: Place): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'))
  })

test('it comes, moves to another place, and goes, each with a reload', async (t) => {
  const lab = await startLab(t)
  const [first, second] = [await place(), await place()]
  const waypost = await lab.process({ config: text('off') })
  const fine = { code: 0, stdout: 'Reloaded: no domain came, went or changed; listen.http changed.\n', stderr: '' }
  assert.deepEqual(await reload(waypost, text(at(first))), fine)
  assert.equal(await health(first), 200)
  const link = await callWaypost(waypost, 'web', 'link')
  assert.match(link.stdout, new RegExp(`http://${first.address}:${first.port}/enter#`))
  assert.deepEqual(await reload(waypost, text(at(second))), fine)
  assert.deepEqual([await health(first), await health(second)], ['ECONNREFUSED', 200])
  assert.deepEqual(await reload(waypost, text('off')), fine)
  assert.equal(await health(second), 'ECONNREFUSED')
})

test('a place that is taken: it is told, the old one stays, and the next reload tries again', async (t) => {
  const lab = await startLab(t)
  const [own, taken] = [await place(), await place()]
  const other = createServer()
  await new Promise<void>((done) => other.listen(taken.port, taken.address, done))
  t.after(() => other.close())
  const waypost = await lab.process({ config: text(at(own)) })
  const tried = await reload(waypost, text(at(taken)))
  assert.deepEqual([tried.code, tried.stdout], [0, 'Reloaded: no domain came, went or changed; listen.http changed.\n'])
  assert.match(
    tried.stderr,
    new RegExp(`the dashboard does not listen as listen.http and web.tls say, because .*${taken.port}`),
  )
  assert.equal(await health(own), 200)
  await new Promise((done) => other.close(done))
  assert.equal((await callWaypost(waypost, 'config', 'reload')).stderr, '')
  assert.deepEqual([await health(own), await health(taken)], ['ECONNREFUSED', 200])
})

test('a certificate comes with a reload, another one with the next, and a renewed one by itself', async (t) => {
  const lab = await startLab(t)
  const own = await place()
  const waypost = await lab.process({ config: text(at(own)) })
  const folder = dirname(waypost.configFile)
  const write = async (file: string, name: string) => {
    const { pem, keyPem } = makeCertificate({ name, keyNumber: name.length })
    await writeFile(join(folder, `${file}.key`), keyPem, { mode: 0o600 })
    await writeFile(join(folder, `${file}.pem`), pem)
  }
  const withTls = (file: string) => text(at(own), `web: { tls: { certificate: ${file}.pem, key: ${file}.key } }\n`)
  await write('one', 'one.example.test')
  await write('two', 'two.of.example.test')
  assert.equal((await reload(waypost, withTls('one'))).stderr, '')
  assert.equal(await shown(own), 'one.example.test')
  assert.equal((await reload(waypost, withTls('two'))).stderr, '')
  assert.equal(await shown(own), 'two.of.example.test')
  const missing = await reload(waypost, withTls('three'))
  assert.match(missing.stderr + missing.stdout, /three\.(pem|key)/)
  assert.equal(await shown(own), 'two.of.example.test')
  assert.equal((await reload(waypost, withTls('two'))).stderr, '')
  await write('two', 'renewed.two.of.example.test')
  // The files are looked at every 15 s.
  await until(async () => (await shown(own)) === 'renewed.two.of.example.test', 120_000)
})
