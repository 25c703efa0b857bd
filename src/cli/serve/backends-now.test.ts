import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { load } from '../../../test/config-folder.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { BackendReport } from '../../gateway/backends/report.ts'
import { backendList } from '../backend-list.ts'
import { createBackendsNow } from './backends-now.ts'

const settings = async (t: TestContext, text: string) => (await load(t, text)).settings

function start(reports: BackendReport[], initial: Awaited<ReturnType<typeof settings>>) {
  const clock = createFakeClock()
  const now = createBackendsNow({ backends: () => reports }, initial, clock)
  const list = async () => {
    const answer = await now.list({})
    return answer.kind === 'done' ? backendList.parse(JSON.parse(JSON.stringify(answer.result))) : assert.fail()
  }
  const become = (backend: string, endpoint: string, from: BackendReport['state'], to: BackendReport['state']) => {
    now.hear({ kind: 'backend-state', atMs: clock.now(), backend, endpoint, from, to, why: undefined })
    for (const [index, report] of reports.entries())
      if (report.url === backend && report.address === endpoint) reports[index] = { ...report, state: to }
  }
  return { clock, now, list, become }
}

const report = (url: string, address: string, state: BackendReport['state'] = 'up'): BackendReport => ({
  ...{ url, address, state, sessions: 0, lastError: null, share: 0 },
})

test('since when a backend is up or down is told: exactly where it changed, else since the gateway knows it', async (t) => {
  const [a, b, c] = ['smtp://10.0.0.1:25', 'smtp://10.0.0.2:25', 'smtp://c.example:25']
  const text = (...urls: string[]) =>
    `domains: { a.example: { deliver: [${urls.map((url) => `"${url}"`).join(', ')}] } }`
  const reports = [report(a, '10.0.0.1:25'), report(b, '10.0.0.2:25'), report(c, '')]
  const { clock, now, list, become } = start(reports, await settings(t, text(a, c)))
  const beganMs = clock.now()
  clock.advance(5_000)
  now.configured(await settings(t, text(a, b, c)))
  const sinces = async () => (await list()).map(({ sinceMs, sinceIsExact }) => [sinceMs, sinceIsExact])
  const ofB = [beganMs + 5_000, false]
  assert.deepEqual(await sinces(), [[beganMs, false], ofB, [null, undefined]])
  clock.advance(1_000)
  become(a, '10.0.0.1:25', 'up', 'down')
  clock.advance(1_000)
  assert.deepEqual(await sinces(), [[beganMs + 6_000, true], ofB, [null, undefined]])
  become(a, '10.0.0.1:25', 'down', 'up')
  assert.deepEqual((await sinces())[0], [beganMs + 7_000, true])
  reports[1] = report(b, '10.0.0.2:25', 'out')
  assert.deepEqual((await sinces())[1], [null, undefined], 'it was out before, nobody knows for how long')
})

test('the routes that name it are told with their preference and weight, and the domains that go there', async (t) => {
  const [a, b] = ['smtp://10.0.0.1:25', 'smtp://10.0.0.2:25']
  const initial = await settings(
    t,
    `routes: { pool: [{ to: "${a}", weight: 3 }, { to: "${b}", preference: 20 }] }
domains:
  a.example: { deliver: pool }
  "*.b.example": { deliver: pool, addresses: { "info@x.b.example": "${b}" } }
  c.example: { deliver: "${b}" }
postmaster: "${a}"
`,
  )
  const { list } = start([report(a, '10.0.0.1:25'), report(b, '10.0.0.2:25')], initial)
  const pool = { route: 'pool', domains: 2, firstDomains: ['a.example', '*.b.example'] }
  const [ofA, ofB] = (await list()).map(({ routes }) => routes)
  assert.deepEqual(ofA, [
    { ...pool, preference: 10, weight: 3 },
    { route: 'postmaster', preference: 10, weight: 1, domains: 0 },
  ])
  assert.deepEqual(ofB, [
    { ...pool, preference: 20, weight: 1 },
    { route: 'info@x.b.example', preference: 10, weight: 1, domains: 2, firstDomains: ['*.b.example', 'c.example'] },
  ])
})
