/** `watch.checks` within `waypost serve`: what a check finds is told, kept, and shown on the page of the domain. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nameServerText } from '../../src/dns/servers.ts'
import type { DomainAnswer } from '../../src/web/api/domain.ts'
import type { HistoryAnswer } from '../../src/web/api/history.ts'
import { startCleanDomain } from '../lab/clean-domain.ts'
import { enterDashboard } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'
import { watchFlags } from '../lab/watch-flags.ts'
import { startWebHook } from '../lab/web-hook.ts'

test('a declared domain is checked while mail flows, and who watches hears what is wrong with it', async (t) => {
  const internet = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      records: { ...zone.records, 'example.lab': { ...zone.records['example.lab'], TXT: [] } },
    }),
  })
  const lab = await startLab(t)
  const hook = await startWebHook(t)
  const backend = await lab.backend()
  const folder = await mkdtemp(join(tmpdir(), 'waypost-watched-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const waypost = await lab.process({
    dashboard: true,
    args: await watchFlags(internet, folder),
    config: {
      resolver: { servers: [nameServerText(internet.internet.resolver)] },
      domains: {
        'example.lab': { deliver: [backend.url], exchangers: [{ preference: 10, host: 'mx1.example.lab' }] },
      },
      watch: { checks: '1m', probe: 'none' },
      alerts: { group: '0s', interval: '0s', webhook: [{ url: hook.url }] },
    },
  })
  const { call } = await enterDashboard(waypost)
  const known = async <Value>(path: string) => (await call<Value>(path)).json

  const heard = () => hook.requests.map(({ body }) => body).join('\n')
  await lab.until(() => /certificate that is not good|SPF/.test(heard()), 90_000)
  assert.equal((await lab.send({ to: 'you@example.lab' })).code, 250)

  const isShown = async () => (await known<DomainAnswer>('/api/domains/example.lab')).lastCheck !== null
  await lab.until(isShown)
  const { lastCheck, records } = await known<DomainAnswer>('/api/domains/example.lab')
  assert.equal(lastCheck?.id, null)
  assert.ok(lastCheck?.findings.some(({ title }) => /SPF/.test(title)))
  const mx = records
    .filter(({ type }) => type === 'MX')
    .map(({ data, isDeclared, isPublished }) => [data, isDeclared, isPublished])
  assert.deepEqual(mx[0], ['10 mx1.example.lab.', true, true])
  assert.ok(mx.slice(1).every(([, isDeclared, isPublished]) => isDeclared === false && isPublished === true))

  const happened = async () => (await known<HistoryAnswer>('/api/history?domain=example.lab')).events
  await lab.until(async () => (await happened()).some(({ kind }) => kind === 'finding-appeared'))
})
