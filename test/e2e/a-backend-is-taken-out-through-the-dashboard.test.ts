/** Maintenance through the page: a backend is taken out, its mail goes elsewhere, it is put back; and the history says who did it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryAnswer } from '../../src/web/api/history.ts'
import type { BackendNow } from '../../src/web/state/shapes.ts'
import { enterDashboard } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'

test('a backend that is taken out gets no mail until it is put back', async (t) => {
  const lab = await startLab(t)
  const [one, two] = [await lab.backend(), await lab.backend()]
  const waypost = await lab.process({
    dashboard: true,
    config: { domains: { 'example.test': { deliver: [one.url, two.url] } } },
  })
  const { call } = await enterDashboard(waypost)
  const nowOf = async (url: string) => (await call<BackendNow[]>('/api/backends')).json.find((each) => each.url === url)
  const stateOf = async (url: string) => (await nowOf(url))?.state
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent++)
      assert.equal((await lab.send({ to: 'you@example.test', from: 'ann@partner.example' })).code, 250)
  }

  const wasSo = async (word: 'in' | 'out') =>
    (await call<{ wasSo: boolean }>(`/api/backends/${word}`, { url: one.url })).json.wasSo
  // Of what was never asked nothing is known.
  assert.equal((await nowOf(one.url))?.sinceMs, null)
  await send(2)
  const beforeMs = Date.now()
  assert.equal((await call('/api/backends/out', { url: one.url })).status, 200)
  assert.equal(await wasSo('out'), true)
  await send(6)
  assert.deepEqual([one.messages.length, two.messages.length], [1, 7])
  await lab.until(async () => (await stateOf(one.url)) === 'out')
  const now = await nowOf(one.url)
  assert.ok(now?.sinceIsExact && Number(now.sinceMs) >= beforeMs && Number(now.sinceMs) <= Date.now())
  const other = await nowOf(two.url)
  assert.ok(other?.sinceIsExact === false && Number(other.sinceMs) <= beforeMs)

  assert.equal(await wasSo('in'), false)
  assert.equal(await wasSo('in'), true)
  await lab.until(async () => (await stateOf(one.url)) !== 'out')
  await send(10)
  assert.ok(one.messages.length > 1)
  assert.equal((await call('/api/backends/out', { url: 'smtp://192.0.2.1' })).status, 404)

  const titles = async () => (await call<HistoryAnswer>('/api/history')).json.events.map(({ title }) => title)
  await lab.until(async () => (await titles()).length >= 2)
  assert.deepEqual(
    (await titles()).filter((title) => title.startsWith('somebody')),
    [
      `somebody with the link put ${one.url} back into service`,
      `somebody with the link took ${one.url} out of service`,
    ],
  )
})

test('held mail is kept back, let go, and sent to another backend that is declared', async (t) => {
  const lab = await startLab(t)
  const [dead, alive] = [await lab.backend(), await lab.backend()]
  const waypost = await lab.process({
    dashboard: true,
    config: {
      domains: { 'example.test': { deliver: [dead.url] }, 'other.test': { deliver: [alive.url] } },
    },
  })
  const { call } = await enterDashboard(waypost)
  await dead.kill()
  await lab.send({ to: 'you@example.test', from: 'ann@partner.example' })
  const list = async () =>
    (await call<{ messages: { recipients: { state: string }[] }[] }>('/api/queue')).json.messages.map(
      ({ recipients: [first] }) => first?.state,
    )
  const act = async (what: string, more: object = {}) =>
    (await call('/api/queue/act', { act: what, filter: { domain: 'example.test' }, messages: 1, ...more })).status
  await lab.until(async () => (await list()).length === 1)

  assert.equal(await act('hold'), 200)
  assert.deepEqual(await list(), ['held'])
  assert.equal(await act('release'), 200)
  assert.notDeepEqual(await list(), ['held'])
  const { choices } = (await call<{ choices: string[] }>('/api/queue/ways')).json
  assert.ok(choices.includes(alive.url))
  assert.equal(await act('route', { to: alive.url }), 200)
  await lab.until(() => alive.messages.length === 1, 60_000)
  await lab.until(async () => (await list()).length === 0)
})
