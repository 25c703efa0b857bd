/** Prometheus's own `promtool` on examples/prometheus: configuration, rules with their tests, and every expression of the dashboard. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { runWell } from './harness/program.ts'

const folder = fileURLToPath(new URL('../../examples/prometheus/', import.meta.url))

const promtool = async (args: readonly string[]) => (await runWell('promtool', args)).stdout

test('the configuration and the rules are in order, and the rules alert when they should', async () => {
  assert.match(await promtool(['check', 'config', join(folder, 'prometheus.yml')]), /is valid/)
  assert.match(await promtool(['check', 'rules', join(folder, 'waypost.rules.yml')]), /SUCCESS: \d+ rules found/)
  assert.match(await promtool(['test', 'rules', join(folder, 'waypost.rules.test.yml')]), /SUCCESS/)
})

test('every expression of the dashboard is PromQL', async (t) => {
  const dashboard = JSON.parse(await readFile(join(folder, 'grafana-dashboard.json'), 'utf8')) as {
    readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
  }
  const rules = dashboard.panels.flatMap(({ targets }, panel) =>
    targets.map(({ expr }, at) => {
      // What Grafana puts in their place.
      const plain = expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*')
      return { record: `panel:${panel}:${at}`, expr: plain }
    }),
  )
  assert.ok(rules.length > 10)
  const own = await mkdtemp(join(tmpdir(), 'waypost-promtool-'))
  t.after(() => rm(own, { recursive: true, force: true }))
  const file = join(own, 'dashboard.rules.yml')
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  const said = await promtool(['check', 'rules', file])
  assert.match(said, new RegExp(`SUCCESS: ${rules.length} rules found`))
})

test('what a gateway says is in order by the conventions, and has every figure that the examples ask for', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const address = freeAddress()
  const running = await lab.process({
    config: JSON.stringify({
      hostname: 'mx.waypost.test',
      state: 'STATE',
      listen: { smtp: ['LISTEN'], http: '127.0.0.1:0', dns: [`${address}:${await freePort(address)}`] },
      routes: { office: [backend.url] },
      domains: { 'example.test': { deliver: 'office' } },
    }),
  })
  await lab.send({ to: 'you@example.test' })
  await lab.until(() => /http:\/\/127\.0\.0\.1:\d+/.test(running.stdout), 60_000)
  const place = /http:\/\/127\.0\.0\.1:\d+/.exec(running.stdout)?.[0] ?? ''
  const metrics = await (await fetch(`${place}/metrics`)).text()
  assert.match(metrics, /^waypost_messages_total\{route="office",verdict="delivered"\} 1$/m)
  await runWell('promtool', ['check', 'metrics'], metrics)

  const asked = (
    await Promise.all(
      ['waypost.rules.yml', 'grafana-dashboard.json'].map((file) => readFile(join(folder, file), 'utf8')),
    )
  )
    .flatMap((text) => text.match(/\bwaypost_[a-z_]+/g) ?? [])
    .map((name) => name.replace(/_bucket$/, ''))
  const known = new Set(metrics.match(/(?<=^# TYPE )\S+/gm))
  assert.deepEqual(
    [...new Set(asked)].filter((name) => !known.has(name)),
    [],
  )
  // Every room's figures are to be seen, one at least.
  for (const family of ['waypost_dns_', 'waypost_dns_server_', 'waypost_held_', 'waypost_backend_', 'waypost_findings'])
    assert.ok(
      asked.some((name) => name.startsWith(family)),
      family,
    )
})
