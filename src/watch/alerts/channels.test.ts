import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { startLab } from '../../../test/lab/lab.ts'
import { until } from '../../../test/lab/until.ts'
import { startWebHook } from '../../../test/lab/web-hook.ts'
import { systemDoor } from '../../base/door.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import { silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { type AlertOptions, watchOptions } from '../options.ts'
import type { AlertMessage } from './alerting.ts'
import { createChannels } from './channels.ts'
import type { ChannelDeps } from './http-channel.ts'
import { createPing } from './ping.ts'

const secrets: Readonly<Record<string, string>> = { TOKEN: 's3cret', BAD: 'two\r\nX-Evil: lines', PASSWORD: 'pass' }

const deps: ChannelDeps = {
  clock: steadyClock,
  door: systemDoor,
  lookupHost: createHostLookup(steadyClock),
  readSecret: async (source) => {
    const text = source.kind === 'environment' ? secrets[source.variable] : undefined
    return text === undefined ? { kind: 'missing', why: 'the environment has no such thing' } : { kind: 'secret', text }
  },
  readText: (path) => readFile(path, 'utf8'),
}

const message: AlertMessage = {
  atMs: Date.UTC(2026, 2, 1, 12),
  alerts: [
    {
      sinceMs: Date.UTC(2026, 2, 1, 11, 59),
      condition: {
        key: 'backend smtp://10.0.0.1:25',
        kind: 'backend-down',
        severity: 'warning',
        domain: undefined,
        title: 'smtp://10.0.0.1:25 is down <!channel> & ```',
        detail: 'connection refused.',
        remedy: 'See to it.',
      },
    },
  ],
  reminders: [],
  recoveries: [],
  notes: [],
}

const env = (name: string) => `\${${name}}`

const schema = z.object(watchOptions)
const channelOf = (alerts: Record<string, unknown>) => {
  const options: AlertOptions = schema.parse({ alerts }).alerts
  const [channel] = createChannels(options, { hostname: 'mx.example.test' }, deps)
  return channel ?? assert.fail()
}

test('a webhook gets the documented JSON, with its token', async (t) => {
  const hook = await startWebHook(t)
  const channel = channelOf({ webhook: [{ url: `${hook.url}/in?x=1`, token: env('TOKEN') }] })
  assert.equal(channel.name, `webhook at ${hook.url}`)
  assert.equal(await channel.deliver(message), undefined)
  const [request] = hook.requests
  assert.deepEqual(
    [request?.method, request?.path, request?.headers.authorization],
    ['POST', '/in?x=1', 'Bearer s3cret'],
  )
  const body = JSON.parse(request?.body ?? '')
  assert.deepEqual(
    [body.version, body.source, body.hostname, body.at],
    [1, 'waypost', 'mx.example.test', '2026-03-01T12:00:00.000Z'],
  )
  assert.deepEqual(body.alerts[0], {
    key: 'backend smtp://10.0.0.1:25',
    kind: 'backend-down',
    severity: 'warning',
    domain: null,
    title: 'smtp://10.0.0.1:25 is down <!channel> & ```',
    detail: 'connection refused.',
    remedy: 'See to it.',
    since: '2026-03-01T11:59:00.000Z',
    first: '2026-03-01T11:59:00.000Z',
  })
  assert.doesNotMatch(channel.name, /x=1|s3cret/)
})

test('Slack gets a text in which nothing is markup', async (t) => {
  const hook = await startWebHook(t)
  await channelOf({ webhook: [{ url: hook.url, form: 'slack' }] }).deliver(message)
  const { text } = JSON.parse(hook.requests[0]?.body ?? '')
  assert.match(text, /is down &lt;!channel&gt; &amp;/)
  assert.equal(text.split('```').length, 3, 'two fences, and they are ours')
})

test('a Matrix room gets a notice, under one transaction id however often it is tried', async (t) => {
  const hook = await startWebHook(t)
  const channel = channelOf({
    webhook: [{ url: `${hook.url}/base/`, form: 'matrix', room: '!a/b:example.org', token: env('TOKEN') }],
  })
  await channel.deliver(message)
  await channel.deliver(message)
  const [first, second] = hook.requests
  assert.equal(first?.method, 'PUT')
  assert.match(
    first?.path ?? '',
    /^\/base\/_matrix\/client\/v3\/rooms\/!a%2Fb%3Aexample\.org\/send\/m\.room\.message\/[0-9a-f]{32}$/,
  )
  assert.equal(first?.path, second?.path)
  assert.equal(JSON.parse(first?.body ?? '').msgtype, 'm.notice')
})

test('what a webhook answers says whether it is worth trying again', async (t) => {
  const hook = await startWebHook(t)
  const channel = channelOf({ webhook: [{ url: hook.url }] })
  for (const [status, isFinal] of [
    [503, false],
    [429, false],
    [404, true],
    [301, true],
  ] as const) {
    hook.answer = status
    assert.deepEqual(await channel.deliver(message), { why: `it answered ${status}`, isFinal })
  }
})

test('a token with a line end in it never becomes a header', async (t) => {
  const hook = await startWebHook(t)
  const outcome = await channelOf({ webhook: [{ url: hook.url, token: env('BAD') }] }).deliver(message)
  assert.equal(outcome?.isFinal, true)
  assert.equal(hook.requests.length, 0)
})

test('a secret that is not there is told and tried again; nobody listening, too', async () => {
  const missing = await channelOf({ webhook: [{ url: env('NOWHERE') }] }).deliver(message)
  assert.deepEqual(missing, { why: 'the environment has no such thing', isFinal: false })
  const refused = await channelOf({ webhook: [{ url: 'http://127.0.0.1:1/' }] }).deliver(message)
  assert.deepEqual(refused, { why: 'ECONNREFUSED', isFinal: false })
})

test('a file of authorities that is away for a moment is told and tried again', async (t) => {
  const hook = await startWebHook(t)
  const ca = '/nowhere/authorities.pem'
  const why = `${ca} cannot be read (ENOENT)`
  const webhook = channelOf({ webhook: [{ url: hook.url, ca }] })
  assert.deepEqual(await webhook.deliver(message), { why, isFinal: false })
  const mail = channelOf({ email: [{ to: ['admin@example.net'], via: 'smtp://127.0.0.1:1', ca }] })
  assert.deepEqual(await mail.deliver(message), { why, isFinal: false })
  assert.equal(hook.requests.length, 0)
})

test('a mail goes through the server that is named, as one that nobody’s holiday answers', async (t) => {
  const lab = await startLab(t)
  const server = await lab.backend()
  const via = `smtp://${server.address}:${server.port}`
  const channel = channelOf({ email: [{ to: ['admin@example.net', 'other@example.net'], via }] })
  assert.equal(await channel.deliver(message), undefined)
  const [mail] = server.messages
  const text = String(mail?.content)
  assert.match(text, /^Subject: \[waypost mx\.example\.test\] smtp:\/\/10\.0\.0\.1:25 is down/m)
  assert.match(text, /^From: Waypost <waypost@mx\.example\.test>\r$/m)
  assert.match(text, /^Auto-Submitted: auto-generated\r$/m)
  assert.match(text, /What to do: See to it\./)
})

test('a server that refuses the mail for good is not asked again, one that is away is', async (t) => {
  const lab = await startLab(t)
  const server = await lab.backend({ rcpt: '550 5.7.1 no' })
  const via = `smtp://${server.address}:${server.port}`
  const refused = await channelOf({ email: [{ to: ['admin@example.net'], via }] }).deliver(message)
  assert.equal(refused?.isFinal, true, refused?.why)
  assert.match(refused?.why ?? '', /the server said 550 5\.7\.1 no/)
  await server.kill()
  const away = await channelOf({ email: [{ to: ['admin@example.net'], via }] }).deliver(message)
  assert.equal(away?.isFinal, false, away?.why)
})

test('a password goes to no server that offers no TLS', async (t) => {
  const lab = await startLab(t)
  const server = await lab.backend({ offers: ['AUTH PLAIN LOGIN'] })
  const via = `smtp://${server.address}:${server.port}`
  const outcome = await channelOf({
    email: [{ to: ['admin@example.net'], via, user: 'me', password: env('PASSWORD') }],
  }).deliver(message)
  assert.ok(outcome, 'it was not sent')
  assert.ok(server.sessions.every(({ commands }) => commands.every((line) => !/^AUTH/i.test(line))))
})

test('a program gets the JSON on standard input, its arguments as they are, and nothing of our environment', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-alert-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const script = join(folder, 'page')
  await writeFile(script, `#!/bin/sh\n{ printf '%s\\n' "$1"; env; cat; } > ${join(folder, 'got')}\n`, { mode: 0o755 })
  const channel = channelOf({ command: [{ run: [script, '$(id); "x"'] }] })
  assert.equal(await channel.deliver(message), undefined)
  const got = await readFile(join(folder, 'got'), 'utf8')
  assert.match(got, /^\$\(id\); "x"\n/)
  assert.doesNotMatch(got, /HOME=/)
  assert.match(got, /"source":"waypost"/)

  const failing = channelOf({ command: [{ run: ['false'] }] })
  assert.deepEqual(await failing.deliver(message), { why: 'it ended with 1', isFinal: false })
  const none = channelOf({ command: [{ run: [join(folder, 'none')] }] })
  assert.deepEqual(await none.deliver(message), { why: `there is no ${join(folder, 'none')}`, isFinal: true })
  await writeFile(join(folder, 'plain'), '#!/bin/sh\n', { mode: 0o644 })
  const plain = await channelOf({ command: [{ run: [join(folder, 'plain')] }] }).deliver(message)
  assert.deepEqual(plain, {
    why: `${join(folder, 'plain')} is not executable for this user: chmod +x makes it so`,
    isFinal: true,
  })
})

test('the ping is sent while all is alive, and not when it is not', async (t) => {
  const hook = await startWebHook(t)
  const options = schema.parse({ alerts: { ping: { url: `${hook.url}/alive`, every: '10s' } } }).alerts.ping
  assert.ok(options)
  let why: string | undefined
  const warned: unknown[] = []
  const log = {
    ...silentLog,
    warn: (_: string, fields?: Readonly<Record<string, unknown>>) => void warned.push(fields?.why),
  }
  const start = () => createPing(options, { ...deps, random: seededRandom(1), log, whyNotAlive: () => why })
  const first = start()
  await until(() => hook.requests.length === 1)
  first.stop()
  assert.deepEqual([hook.requests[0]?.method, hook.requests[0]?.path], ['GET', '/alive'])
  why = 'the store cannot be written'
  const second = start()
  await until(() => warned.length === 1)
  second.stop()
  assert.deepEqual(warned, [why])
  assert.equal(hook.requests.length, 1)
})
