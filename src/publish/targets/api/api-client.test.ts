import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createFakeClock } from '../../../../test/lab/fake-clock.ts'
import { steadyClock } from '../../../../test/lab/fast-clock.ts'
import { systemDoor } from '../../../base/door.ts'
import type { IpAddress } from '../../../base/ip.ts'
import type { HostName } from '../../../dns/name.ts'
import { type ApiUrl, apiUrlText, parseApiUrl } from '../../api-url.ts'
import { type ApiAnswer, type ApiOptions, type ApiWait, createApiClient, patiently } from './api-client.ts'

const loopback = '127.0.0.1' as IpAddress
const tlsFolder = fileURLToPath(new URL('../../../../test/lab/certificate/', import.meta.url))

async function listening(
  t: TestContext,
  server: {
    listen: (port: number, host: string, done: () => void) => unknown
    address: () => unknown
    close: () => unknown
  },
): Promise<number> {
  await new Promise<void>((done) => server.listen(0, loopback, done))
  t.after(() => {
    server.close()
  })
  return (server.address() as { port: number }).port
}

const serve = (t: TestContext, answer: RequestListener) => listening(t, createServer(answer))

function clientAt(port: number, more: Partial<ApiOptions> = {}, url: Partial<ApiUrl> = {}) {
  return createApiClient(
    {
      url: { isTls: false, host: loopback, port, basePath: '/base', ...url },
      ...{ headers: { 'X-API-Key': 'sesame' }, timeoutMs: 300, maxBytes: 1_000 },
      ...more,
    },
    { clock: steadyClock, door: systemDoor, addressesOf: async () => [loopback] },
  )
}

test('URLs of APIs are read, and what is none is not', () => {
  const read = (text: string) => {
    const parsed = parseApiUrl(text)
    return parsed.kind === 'url' ? apiUrlText(parsed.url) : parsed.kind
  }
  assert.equal(read('http://127.0.0.1:8081'), 'http://127.0.0.1:8081')
  assert.equal(read('HTTPS://DNS.Example.net/api/'), 'https://dns.example.net/api')
  assert.equal(read('https://[2001:DB8::1]:443'), 'https://[2001:db8::1]')
  for (const wrong of [
    'ftp://x',
    'http://',
    'http://user@host',
    'http://127.1',
    'http://a b',
    'http://h:99999',
    'http://h?x=1',
    'x',
  ])
    assert.equal(read(wrong), 'invalid', wrong)
})

test('a request has its method, path, key and body, and the answer comes whole', async (t) => {
  const seen: unknown[] = []
  const port = await serve(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      seen.push([
        request.method,
        request.url,
        request.headers['x-api-key'],
        request.headers.host,
        Buffer.concat(chunks).toString(),
      ])
      response.writeHead(201).end('{"ok":true}')
    })
  })
  const answer = await clientAt(port).call({ method: 'PATCH', path: '/zones/x', json: { a: 1 } })
  assert.ok(answer.kind === 'answer')
  assert.deepEqual([answer.status, answer.body.toString()], [201, '{"ok":true}'])
  assert.deepEqual(seen, [['PATCH', '/base/zones/x', 'sesame', `127.0.0.1:${port}`, '{"a":1}']])
})

test('silence, a flood, a cut answer, no HTTP at all: each is a failure in words, and may have been done', async (t) => {
  const call = (port: number) => clientAt(port).call({ method: 'GET', path: '/' })
  const silent = await call(await serve(t, () => undefined))
  assert.deepEqual(silent, { kind: 'failed', isSent: true, why: 'no answer within 300 ms' })
  const flood = await call(await serve(t, (_, response) => void response.end(Buffer.alloc(5_000))))
  assert.deepEqual(flood, { kind: 'failed', isSent: true, why: 'an answer of more than 1000 octets' })
  const cut = await call(
    await serve(t, (_, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('half')
      response.socket?.destroySoon()
    }),
  )
  assert.ok(cut.kind === 'failed' && cut.isSent, JSON.stringify(cut))
  const noHttp = await call(
    await listening(
      t,
      createTcpServer((socket) => socket.end('220 mx ESMTP\r\n')),
    ),
  )
  assert.ok(noHttp.kind === 'failed' && noHttp.isSent && /^HPE_/.test(noHttp.why), JSON.stringify(noHttp))
})

test('where nobody listens, nothing was sent', async () => {
  const answer = await clientAt(9).call({ method: 'GET', path: '/' })
  assert.deepEqual(answer, { kind: 'failed', isSent: false, why: 'ECONNREFUSED' })
})

test('a certificate must be right for the host', async (t) => {
  const [cert, key] = await Promise.all(
    ['certificate.pem', 'key.pem'].map((file) => readFile(`${tlsFolder}${file}`, 'utf8')),
  )
  const port = await listening(
    t,
    createTlsServer({ cert, key }, (_, response) => void response.end('ok')),
  )
  const url = { isTls: true, host: 'dns.example.test' as HostName }
  const untrusted = await clientAt(port, {}, url).call({ method: 'GET', path: '/' })
  assert.ok(
    untrusted.kind === 'failed' && !untrusted.isSent && /SELF_SIGNED|UNABLE_TO/.test(untrusted.why),
    JSON.stringify(untrusted),
  )
  const other = await clientAt(port, { ca: cert ?? '' }, { ...url, host: 'other.example.org' as HostName }).call({
    method: 'GET',
    path: '/',
  })
  assert.ok(other.kind === 'failed' && !other.isSent, JSON.stringify(other))
})

test('a busy API is asked again when it said, no sooner; a wait beyond a person’s patience is told at once', async () => {
  const clock = createFakeClock()
  const answers = ['7', '20', undefined].map((after): ApiAnswer => {
    const headers = after === undefined ? {} : { 'retry-after': after }
    return { kind: 'answer', status: after === undefined ? 200 : 429, headers, body: Buffer.alloc(0) }
  })
  const askedAt: number[] = []
  const call = async () => {
    askedAt.push(clock.monotonicMs())
    return answers[askedAt.length - 1] ?? assert.fail()
  }
  const settle = () => new Promise((done) => setImmediate(done))
  const waits: ApiWait[] = []
  const onWait = (wait: ApiWait) => void waits.push(wait)
  const asked = patiently(call, ({ status }) => status === 429, 'a place', { clock, onWait })
  for (let second = 0; second < 40; second++) {
    await settle()
    clock.advance(1_000)
  }
  const answer = await asked
  assert.ok(answer.kind === 'answer' && answer.status === 200)
  assert.deepEqual(askedAt, [0, 7_000, 27_000])
  assert.deepEqual(waits, [
    { place: 'a place', pauseMs: 7_000, totalMs: 7_000 },
    { place: 'a place', pauseMs: 20_000, totalMs: 27_000 },
  ])

  const tomorrow: ApiAnswer = {
    kind: 'answer',
    status: 429,
    headers: { 'retry-after': '86400' },
    body: Buffer.alloc(0),
  }
  assert.equal(
    await patiently(
      async () => tomorrow,
      () => true,
      'a place',
      { clock },
    ),
    tomorrow,
  )
})
