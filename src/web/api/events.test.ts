import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { until } from '../../../test/lab/until.ts'
import { anyPlace, idle, startWeb } from '../../../test/lab/web.ts'
import { systemRandom } from '../../base/random.ts'
import type { Credential } from '../access/credential.ts'
import { hashSecret, readSecretHash } from '../access/secret-hash.ts'
import type { WebDeps } from '../deps.ts'

const backend = { url: 'smtp://10.0.0.1' }
const route = { id: 'office', balance: 'round-robin', entries: [{ backend, preference: 10, weight: 1 }] }
const domain = { name: 'example.com', subdomains: false, route, hold: { holdMs: 1000 } }
const report = { ...backend, address: '10.0.0.1:25', state: 'up', sessions: 1, share: 1, lastError: null } as const

/** Senders come and go, and so each state of things is another. */
async function start(t: TestContext, deps: Partial<WebDeps> = {}, hostname = 'mx.example.com') {
  const clock = createFakeClock()
  let access: readonly Credential[] = []
  const listeners: Parameters<WebDeps['listen']>[0][] = []
  const counted = { connections: 0, made: 0 }
  const gateway = {
    ...idle.gateway,
    backends() {
      counted.made++
      return [report]
    },
    get connections() {
      return counted.connections
    },
  }
  const { origin, web } = await startWeb(t, {
    ...{ clock, gateway, listen: (hear: (typeof listeners)[number]) => void listeners.push(hear) },
    settings: () => ({ ...anyPlace, access }),
    gatewaySettings: () => ({ hostname, destinations: { domains: [domain], routes: [route] } }) as never,
    ...deps,
  })
  return {
    ...{ clock, origin, web, counted },
    tell: (event: object) => listeners.forEach((hear) => void hear(event as never)),
    async letIn(name: string) {
      const hash = readSecretHash(await hashSecret('sees', systemRandom, 14))
      if (hash.kind === 'no') throw new Error(hash.why)
      access = [...access, { name, role: 'view', hash: hash.value }]
      return { authorization: `Bearer ${name}.sees` }
    },
    forbidAll: () => {
      access = []
    },
  }
}

interface Asking {
  readonly method?: string
  readonly from?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
  readonly reads?: boolean
}

/** On a connection of its own. */
async function look(t: TestContext, origin: string, { method, from, headers, path, reads = true }: Asking = {}) {
  const asked = request(`${origin}${path ?? '/api/events'}`, {
    ...{ agent: false, method: method ?? 'GET', headers: headers ?? {} },
    ...(from === undefined ? {} : { localAddress: from }),
  })
  asked.on('error', () => undefined)
  t.after(() => asked.destroy())
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const heard = { text: '', octets: 0, isOver: false }
  const read = () =>
    response.on('data', (chunk: Buffer) => {
      heard.octets += chunk.length
      if (heard.octets < 100_000) heard.text += chunk
    })
  if (reads) read()
  response.on('close', () => {
    heard.isOver = true
  })
  response.on('error', () => undefined)
  const count = (name: string) => heard.text.split(`event: ${name}\n`).length - 1
  return { status: response.statusCode, headers: response.headers, heard, count, read, end: () => asked.destroy() }
}

test('an event stream forbids what it does not need, and its end is that of the connection', async (t) => {
  const { origin } = await start(t)
  const { headers } = await look(t, origin)
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.match(String(headers['content-security-policy']), /^default-src 'none'/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
  assert.equal(headers['cache-control'], 'no-store')
  assert.deepEqual([headers.connection, headers['transfer-encoding']], ['close', undefined])
})

test('asking for the header of an event stream takes no place at it', async (t) => {
  const { origin } = await start(t)
  for (let times = 0; times < 60; times++) {
    const { status, headers } = await look(t, origin, { method: 'HEAD' })
    assert.deepEqual([status, headers['content-type']], [200, 'text/event-stream; charset=utf-8'], String(times))
  }
  assert.equal((await look(t, origin)).status, 200)
})

test('one event stream a connection, and a dozen a client', async (t) => {
  const { origin } = await start(t)
  const { port } = new URL(origin)
  // Sent ahead, each would wait behind the stream before it.
  const ahead = connect(Number(port), '127.0.0.1')
  t.after(() => ahead.destroy())
  ahead.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(20))
  await once(ahead, 'data')
  const statuses: (number | undefined)[] = []
  for (let times = 0; times < 12; times++) statuses.push((await look(t, origin)).status)
  assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.at(-1)], [11, 429])
  assert.equal((await look(t, origin, { from: '127.0.0.2' })).status, 200)
  ahead.destroy()
  await until(async () => (await look(t, origin)).status === 200)
})

test('viewers that nobody knows do not shut out one that is known', async (t) => {
  const { origin, letIn } = await start(t)
  const headers = await letIn('see')
  const statuses: (number | undefined)[] = []
  for (let times = 1; times <= 30; times++) statuses.push((await look(t, origin, { from: `127.0.0.${times}` })).status)
  assert.equal(statuses.at(-1), 503)
  assert.equal((await look(t, origin, { headers })).status, 200)
})

test('who sees the state of things sees no more of it once he may not', async (t) => {
  const { origin, clock, counted, letIn, forbidAll } = await start(t)
  const { heard, count } = await look(t, origin, { headers: await letIn('see') })
  await until(() => count('overview') === 1)
  forbidAll()
  counted.connections++
  clock.advance(1_000)
  await until(() => heard.isOver)
  assert.equal(count('overview'), 1)
})

test('that a backend changed is told at once, and not at the next second', async (t) => {
  const { origin, clock, counted, tell } = await start(t)
  const { count, heard } = await look(t, origin)
  clock.advance(1_000)
  await until(() => count('overview') === 1)
  counted.connections = 7
  tell({ kind: 'backend-state' })
  clock.advance(250)
  await until(() => count('overview') === 2)
  assert.match(heard.text, /"connections":7/)
})

test('what has not changed is told as a beat alone', async (t) => {
  const { origin, clock, counted } = await start(t)
  const { count } = await look(t, origin)
  for (let second = 0; second < 14; second++) clock.advance(1_000)
  counted.connections++
  clock.advance(1_000)
  await until(() => count('overview') === 2)
  for (let second = 0; second < 15; second++) clock.advance(1_000)
  await until(() => count('overview') === 3)
})

test('however many look, the state of things is asked for once a second', async (t) => {
  const { origin, clock, counted } = await start(t)
  const viewers = await Promise.all(Array.from({ length: 10 }, () => look(t, origin)))
  await until(() => viewers.every(({ count }) => count('overview') === 1))
  counted.made = 0
  counted.connections++
  clock.advance(1_000)
  await until(() => viewers.every(({ count }) => count('overview') === 2))
  assert.equal(counted.made, 1)
})

test('who looks at a domain is told of it in the same stream, and nobody is whom we do not know', async (t) => {
  const { origin, clock, counted, letIn } = await start(t)
  const path = '/api/events?domain=Example.com'
  assert.equal((await look(t, origin, { path })).status, 401)
  const headers = await letIn('see')
  const [seeing, other] = [await look(t, origin, { path, headers }), await look(t, origin, { headers })]
  const undeclared = await look(t, origin, { path: '/api/events?domain=other.example', headers })
  counted.connections++
  clock.advance(1_000)
  await until(() => [seeing, other, undeclared].every(({ count }) => count('overview') === 2))
  assert.deepEqual([seeing.count('domain'), other.count('domain'), undeclared.count('domain')], [2, 0, 0])
  const [, data = ''] = /event: domain\ndata: (.*)\n/.exec(seeing.heard.text) ?? []
  const { now, backends } = JSON.parse(data)
  assert.deepEqual([now.name, now.state, backends[0].addresses[0].address], ['example.com', 'flows', '10.0.0.1:25'])
})

test('who does not read is passed over, and let go after a while', async (t) => {
  const octets = 200_000
  const { origin, clock, counted } = await start(t, {}, 'x'.repeat(octets))
  const asleep = await look(t, origin, { reads: false })
  const awake = await look(t, origin, { from: '127.0.0.2' })
  const seconds = 150
  for (let second = 1; second <= seconds; second++) {
    counted.connections++
    clock.advance(1_000)
    await until(() => awake.heard.octets > octets * (second + 1))
    await turn()
  }
  asleep.read()
  await until(() => asleep.heard.isOver)
  assert.ok(asleep.heard.octets < (octets * seconds) / 2, `${asleep.heard.octets} octets`)
  assert.equal(awake.heard.isOver, false)
})
