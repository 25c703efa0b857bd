import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../test/lab/until.ts'
import { anyPlace, startWeb } from '../../test/lab/web.ts'
import { createWebServer } from './server.ts'

const [place = assert.fail()] = anyPlace.listen

const pem = (name: string) => fileURLToPath(new URL(`../../test/lab/certificate/${name}.pem`, import.meta.url))

test('with a certificate it speaks TLS, also to who names no server, and the cookie stays within it', async (t) => {
  const settings = { ...anyPlace, tls: { certificate: pem('certificate'), key: pem('key') } }
  const { origin, link } = await startWeb(t, { settings: () => settings })
  const { port } = new URL(origin)
  const [, key = ''] = link().split('#')
  assert.match(link(), /^https:\/\/127\.0\.0\.1:\d+\/enter#/)
  const secure = `https://127.0.0.1:${port}`
  const headers = { origin: secure, 'x-waypost-action': '1', 'content-type': 'application/json' }
  const asked = request(`${secure}/api/session`, { method: 'POST', headers, rejectUnauthorized: false, agent: false })
  asked.end(JSON.stringify({ key }))
  const [response] = await once(asked, 'response')
  response.resume()
  assert.equal(response.statusCode, 200)
  assert.match(
    String(response.headers['set-cookie']),
    new RegExp(`^__Host-waypost-${port}=.*; Secure; SameSite=Strict`),
  )
})

test('who speaks plain HTTP to it is told that this is HTTPS', async (t) => {
  const settings = { ...anyPlace, tls: { certificate: pem('certificate'), key: pem('key') } }
  const { origin } = await startWeb(t, { settings: () => settings })
  const answer = await fetch(`http://127.0.0.1:${new URL(origin).port}/`)
  assert.deepEqual(
    [answer.status, await answer.text()],
    [400, 'This is HTTPS: write https:// in front of the address.\n'],
  )
})

test('of too many connections the idlest makes room', async (t) => {
  const { origin } = await startWeb(t, {})
  const port = Number(new URL(origin).port)
  const open = Array.from({ length: 150 }, () => connect(port, '127.0.0.1'))
  t.after(() => open.forEach((socket) => void socket.destroy()))
  await Promise.all(open.map((socket) => once(socket, 'connect')))
  assert.equal(await answerTo(t, port), 'answered')
  await until(() => open.some(({ closed }) => closed))
})

test('a connection whose answer is under way makes room for nobody', async (t) => {
  const answers = Promise.withResolvers<void>()
  let asked = 0
  const server = createWebServer(async () => {
    asked++
    await answers.promise
    return new Response('late')
  }, undefined)
  t.after(() => server.close())
  const { port } = await server.listen(place)
  const open = Array.from({ length: 150 }, () => connect(port, '127.0.0.1'))
  t.after(() => open.forEach((socket) => void socket.destroy()))
  for (const socket of open) socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  await until(() => asked === 150)
  assert.equal(await answerTo(t, port), 'closed')
  answers.resolve()
  await until(async () => (await answerTo(t, port)) === 'answered')
})

test('a connection whose request has not come whole makes room like an idle one', async (t) => {
  const { origin } = await startWeb(t, {})
  const { host, port } = new URL(origin)
  const post = [
    'POST /api/session HTTP/1.1',
    `Host: ${host}`,
    `Origin: ${origin}`,
    'X-Waypost-Action: 1',
    'Content-Type: application/json',
    'Content-Length: 100',
    'Expect: 100-continue',
  ]
  const open = Array.from({ length: 150 }, () => connect(Number(port), '127.0.0.1'))
  t.after(() => open.forEach((socket) => void socket.destroy()))
  let heard = 0
  for (const socket of open) {
    socket.on('error', () => undefined)
    socket.once('data', () => heard++)
    socket.write(`${post.join('\r\n')}\r\n\r\n{`)
  }
  await until(() => heard === 150)
  assert.equal(await answerTo(t, Number(port)), 'answered')
  await until(() => open.some(({ closed }) => closed))
})

test('who does not read what he asked for makes room, where nobody is idle', async (t) => {
  const answers = Promise.withResolvers<void>()
  const block = new Uint8Array(64 * 1024)
  let asked = 0
  const server = createWebServer(async ({ url }) => {
    const { pathname } = new URL(url)
    if (pathname === '/healthz') return new Response('ok')
    asked++
    if (pathname === '/endless') return new Response(new ReadableStream({ pull: (to) => to.enqueue(block) }))
    await answers.promise
    return new Response('late')
  }, undefined)
  t.after(() => server.close())
  t.after(() => answers.resolve())
  const { port } = await server.listen(place)
  const open = Array.from({ length: 150 }, () => connect(port, '127.0.0.1'))
  t.after(() => open.forEach((socket) => void socket.destroy()))
  const [deaf = assert.fail(), ...others] = open
  for (const socket of open) {
    socket.on('error', () => undefined)
    socket.write(`GET /${socket === deaf ? 'endless' : ''} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  }
  await until(() => asked === 150)
  // Once what the system keeps for it is full.
  await until(async () => (await answerTo(t, port)) === 'answered')
  deaf.resume()
  await until(() => deaf.closed)
  assert.ok(others.every(({ closed }) => !closed))
})

/** Asks for a word on a connection of its own. */
async function answerTo(t: TestContext, port: number): Promise<'answered' | 'closed'> {
  const socket: Socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  socket.on('error', () => undefined)
  await new Promise((done) => void socket.on('close', done))
  return text.startsWith('HTTP/1.1 200') ? 'answered' : 'closed'
}
