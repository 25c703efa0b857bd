import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folder } from '../../test/config-folder.ts'
import { systemClock } from '../base/clock.ts'
import { loadConfig } from './load.ts'
import { formatProblems } from './source.ts'

const deps = { clock: systemClock, machineName: 'mx.example.test' }
const example = fileURLToPath(new URL('../../examples/watching/waypost.yaml', import.meta.url))

test('the example in the documentation is in order, and its secrets stay where they are', async () => {
  const loaded = await loadConfig(example, deps)
  assert.ok(loaded.kind === 'loaded', loaded.kind === 'invalid' ? formatProblems(loaded.problems) : '')
  const { watch, alerts } = loaded.watching
  assert.equal(watch.checks, 3_600_000)
  assert.deepEqual(alerts.email[0]?.via, { isTls: false, host: 'mail.example.net', port: 587 })
  assert.deepEqual(alerts.email[0]?.password, { kind: 'environment', variable: 'ALERT_PASSWORD' })
  assert.deepEqual(alerts.webhook[0]?.url, { kind: 'environment', variable: 'SLACK_URL' })
  assert.deepEqual(alerts.webhook[1]?.token, { kind: 'file', path: join(dirname(example), 'matrix.token') })
  assert.deepEqual(alerts.webhook[2]?.url, { isTls: true, host: 'ops.example.net', port: 443, path: '/waypost' })
  assert.deepEqual(alerts.quiet, { from: 22 * 60, until: 7 * 60, errors: 'tell' })
})

async function problemsOf(t: TestContext, alerts: string): Promise<string> {
  const path = join(
    await folder(t, { 'waypost.yaml': `domains: { a.example: { deliver: mx } }\nalerts: ${alerts}\n` }),
    'waypost.yaml',
  )
  const loaded = await loadConfig(path, deps)
  return loaded.kind === 'invalid' ? formatProblems(loaded.problems) : ''
}

test('what cannot be meant is told with its place', async (t) => {
  for (const [alerts, says] of [
    ['{ email: [{ to: [a@b.example] }] }', /via/],
    ['{ email: [{ to: [], via: "smtp://h" }] }', /nobody/],
    ['{ email: [{ to: [a@b.example], via: "smtp://h", user: me }] }', /go together/],
    ['{ email: [{ to: [a@b.example], via: "smtp://h", user: me, password: hunter2 }] }', /never the secret itself/],
    ['{ webhook: [{ url: "https://h", form: matrix }] }', /wants a room/],
    ['{ webhook: [{ url: "https://h", room: "!a:b" }] }', /form: matrix alone/],
    ['{ webhook: [{ url: "ftp://h" }] }', /a URL such as/],
    ['{ command: [{ run: [] }] }', /no program/],
    ['{ quiet: { from: "22:00", until: "22:00" } }', /are none/],
    ['{ quiet: { from: "25:00", until: "22:00" } }', /time of day/],
  ] as const) {
    const said = await problemsOf(t, alerts)
    assert.match(said, says, alerts)
    assert.match(said, /waypost\.yaml:2:\d+/, alerts)
  }
})
