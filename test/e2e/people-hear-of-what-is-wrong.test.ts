/** Alerts of a running gateway: few, in time, and never in the way of the mail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryAnswer } from '../../src/web/api/history.ts'
import { enterDashboard } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'
import { labCertificate, labPair, startMailHost } from '../lab/mail-host.ts'
import { callWaypost } from '../lab/process.ts'
import { startWebHook, type WebHook } from '../lab/web-hook.ts'

interface Heard {
  readonly alerts: readonly { readonly key: string; readonly title: string }[]
  readonly recoveries: readonly { readonly key: string; readonly returns: number }[]
}

const fromEnvironment = (name: string) => `\${${name}}`

const heard = (hook: WebHook) => hook.requests.map(({ body }) => JSON.parse(body) as Heard)
const alertsOf = (hook: WebHook, kind: string) =>
  heard(hook).flatMap(({ alerts }) => alerts.filter(({ key }) => key.startsWith(kind)))
const recoveriesOf = (hook: WebHook, kind: string) =>
  heard(hook).flatMap(({ recoveries }) => recoveries.filter(({ key }) => key.startsWith(kind)))

test('a backend that comes and goes is one alert and one recovery', async (t) => {
  const lab = await startLab(t)
  const hook = await startWebHook(t)
  const backend = await lab.backend()
  const running = await lab.process({
    dashboard: true,
    config: {
      domains: { 'example.test': { deliver: [backend] } },
      watch: { backendDownFor: '0s', settle: '20s' },
      alerts: { group: '0s', interval: '0s', webhook: [{ url: hook.url }] },
    },
  })
  const { call } = await enterDashboard(running)
  /** How often the watch has seen that; what changes back before it looks, a tenth of a second later, it does not see. */
  const seen = async (kind: string) =>
    (await call<HistoryAnswer>('/api/history')).json.events.filter((event) => event.kind === kind).length

  for (let turn = 1; turn <= 3; turn++) {
    await backend.kill()
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    await lab.until(async () => (await seen('backend-down')) === turn)
    if (turn === 1) await lab.until(() => alertsOf(hook, 'backend ').length === 1)
    await backend.restart()
    await lab.until(async () => (await seen('backend-down-over')) === turn)
  }
  await lab.until(() => recoveriesOf(hook, 'backend ').length === 1)
  assert.equal(alertsOf(hook, 'backend ').length, 1)
  assert.equal(recoveriesOf(hook, 'backend ')[0]?.returns, 2)
})

test('a backend that is dead before and after a restart is over when it answers, and not because no mail has asked it', async (t) => {
  const lab = await startLab(t)
  const hook = await startWebHook(t)
  const [dead, alive] = [await lab.backend(), await lab.backend()]
  const config = {
    domains: { 'example.test': { deliver: [dead, { to: alive, preference: 20 }] } },
    watch: { backendDownFor: '0s', settle: '1s' },
    alerts: { group: '0s', interval: '0s', webhook: [{ url: hook.url }] },
  }
  const first = await lab.process({ config })
  await dead.kill()
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await lab.until(() => alertsOf(hook, 'backend ').length === 1)
  await first.stop()

  const second = await lab.process({ config, dashboard: true, after: first })
  const { call } = await enterDashboard(second)
  const seen = async (kind: string) =>
    (await call<HistoryAnswer>('/api/history')).json.events.filter((event) => event.kind === kind).length
  const list = async () => (await callWaypost(second, 'backend', 'list')).stdout
  const became = (state: string) => second.lines.some(({ event, to }) => event === 'backend state' && to === state)
  assert.match(await list(), /suspect|down/)
  await lab.until(() => became('down'))
  assert.deepEqual([await seen('backend-down'), await seen('backend-down-over')], [1, 0])

  await dead.restart()
  await lab.until(async () => (await seen('backend-down-over')) === 1)
  assert.ok(became('up'))
  await lab.until(() => recoveriesOf(hook, 'backend ').length === 1)
  assert.equal(recoveriesOf(hook, 'backend ')[0]?.returns, 0)
  assert.equal(alertsOf(hook, 'backend ').length, 1)
})

test('a backend that came back while the gateway was away gets mail at once, and its alert is over', async (t) => {
  const lab = await startLab(t)
  const hook = await startWebHook(t)
  const backend = await lab.backend()
  const config = {
    domains: { 'example.test': { deliver: [backend], hold: 'off' } },
    watch: { backendDownFor: '0s', settle: '1s' },
    alerts: { group: '0s', interval: '0s', webhook: [{ url: hook.url }] },
  }
  const first = await lab.process({ config })
  await backend.kill()
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 451)
  await lab.until(() => alertsOf(hook, 'backend ').length === 1)
  await first.stop()
  await backend.restart()

  await lab.process({ config, after: first })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages.length, 1)
  await lab.until(() => recoveriesOf(hook, 'backend ').length === 1)
  assert.equal(alertsOf(hook, 'backend ').length, 1)
})

test('a webhook that says nothing holds no mail up, nor the end', async (t) => {
  const lab = await startLab(t)
  const hook = await startWebHook(t, 'silence')
  const [dead, alive] = [await lab.backend(), await lab.backend()]
  const running = await lab.process({
    config: {
      domains: { 'example.test': { deliver: [dead, { to: alive, preference: 20 }] } },
      watch: { backendDownFor: '0s' },
      alerts: { group: '0s', interval: '0s', webhook: [{ url: hook.url }] },
    },
  })
  await dead.kill()
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await lab.until(() => hook.requests.length === 1)
  for (let number = 0; number < 20; number++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(alive.messages.length, 21)
  running.signal('SIGTERM')
  assert.deepEqual(await running.exited, { code: 0, signal: null })
})

test('an alert goes by mail with a password over TLS, and by HTTPS, to hosts whose certificates are good', async (t) => {
  const lab = await startLab(t)
  const hook = await startWebHook(t, 200, labPair())
  const [mail, wrong] = [await startMailHost(t, 'alerts', 'a secret'), await startMailHost(t, 'alerts', 'another')]
  const [dead, alive] = [await lab.backend(), await lab.backend()]
  const email = { to: ['admin@example.net'], user: 'alerts', password: fromEnvironment('PASSWORD') }
  const running = await lab.process({
    env: { PASSWORD: 'a secret', TOKEN: 't0ken' },
    config: {
      domains: { 'example.test': { deliver: [dead, { to: alive, preference: 20 }] } },
      watch: { backendDownFor: '0s' },
      alerts: {
        group: '0s',
        interval: '0s',
        email: [
          { ...email, via: `smtps://127.0.0.1:${mail.port}`, ca: labCertificate },
          // Nobody vouches for this one, so it does not get the password.
          { ...email, via: `smtps://127.0.0.1:${wrong.port}` },
        ],
        webhook: [{ url: hook.url, token: fromEnvironment('TOKEN'), ca: labCertificate }],
      },
    },
  })
  await dead.kill()
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await lab.until(() => mail.messages.length === 1 && hook.requests.length === 1)
  assert.match(mail.messages[0] ?? '', /^To: admin@example\.net$/m)
  assert.match(mail.messages[0] ?? '', /is down/)
  assert.deepEqual(mail.said, ['alerts a secret'])
  assert.equal(hook.requests[0]?.headers.authorization, 'Bearer t0ken')
  assert.equal(alertsOf(hook, 'backend ').length, 1)
  const isUntold = () =>
    running.lines.some(
      ({ event, channel }) => event === 'alert not sent yet' && String(channel).endsWith(`:${wrong.port}`),
    )
  await lab.until(isUntold)
  assert.deepEqual(wrong.said, [])
  assert.doesNotMatch(running.stdout + running.stderr, /a secret|t0ken/)
})

test('a message of test says of each way whether it went', async (t) => {
  const lab = await startLab(t)
  const [good, bad] = [await startWebHook(t), await startWebHook(t, 404)]
  const running = await lab.process({
    config: {
      domains: { 'example.test': { deliver: [await lab.backend()] } },
      alerts: { webhook: [{ url: good.url }, { url: bad.url, form: 'slack' }] },
    },
  })
  const called = await callWaypost(running, 'watch', '--test-alert')
  assert.equal(called.code, 1, called.stderr)
  assert.match(called.stdout, /webhook at .*: sent\n/)
  assert.match(called.stdout, /slack at .*: NOT SENT: it answered 404\n/)
  assert.match(good.requests[0]?.body ?? '', /this is a test/)
})
