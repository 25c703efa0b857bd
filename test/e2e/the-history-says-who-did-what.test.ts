/** What a person did on the command line stands in the history: beside a running gateway, on the store of a stopped one, and with DNS. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryAnswer } from '../../src/web/api/history.ts'
import { enterDashboard } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { callWaypost } from '../lab/process.ts'

test('who took a backend out, removed mail, published records or moved a domain is told, also of a time when nothing ran', async (t) => {
  const lab = await startLab(t)
  const [dead, alive] = [await lab.backend(), await lab.backend()]
  const { server } = await lab.dns({ 'mx.new.test': { A: ['192.0.2.3'] } })
  const dns = freeAddress()
  const config = JSON.stringify({
    hostname: 'mx.waypost.test',
    state: 'STATE',
    listen: { smtp: ['LISTEN'], dns: [`${dns}:${await freePort(dns)}`], http: '127.0.0.1:0' },
    resolver: { servers: [`${server.address}:${server.port}`] },
    domains: {
      'example.test': { deliver: [dead.url] },
      'other.test': {
        deliver: [alive.url],
        exchangers: [{ preference: 10, host: 'mx.other.test', addresses: ['192.0.2.1'] }],
        publish: 'builtin',
      },
    },
  })
  const first = await lab.process({ config })
  await dead.kill()
  for (const to of ['ann@example.test', 'bob@example.test', 'bob@example.test'])
    await lab.send({ to, from: 'ann@partner.example' })
  const { call } = await enterDashboard(first)
  const done = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await callWaypost(first, ...words)
    assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`)
  }
  await done('backend', 'drain', alive.url)
  await done('backend', 'enable', alive.url)
  await done('queue', 'remove', '--recipient', 'bob@example.test', '--yes')
  // The built-in server has them as they were declared at its start.
  await first.configure(config.replace('192.0.2.1', '192.0.2.2'))
  await done('apply', 'other.test', '--yes', '--no-smtp', '--wait', '1m')
  await done('migrate', 'other.test', '--to', '10:mx.new.test')
  await done('apply', 'other.test', '--yes', '--wait', '1m')
  await done('migrate', 'other.test', '--abort')
  await done('migrate', 'other.test', '--forget')
  const titles = async (ask: typeof call, path = '/api/history') =>
    (await ask<HistoryAnswer>(path)).json.events
      .filter(({ kind }) => kind === 'by-person')
      .map(({ title }) => title.replace(/\S+ on the command line/, 'NAME'))
  await lab.until(async () => (await titles(call)).length === 8)
  assert.deepEqual(await titles(call), [
    'NAME had the migration of other.test forgotten, and left DNS as it was',
    'NAME turned the migration of other.test back',
    'NAME did a step of the migration of other.test: lower the TTL from 3600 to 300',
    'NAME began to migrate other.test to 10:mx.new.test',
    'NAME changed 1 record set of other.test with "waypost apply"',
    '2 held messages removed by NAME',
    `NAME put ${alive.url} back into service`,
    `NAME took ${alive.url} out of service`,
  ])
  assert.equal((await titles(call, '/api/history?domain=other.test')).length, 5)

  first.signal('SIGTERM')
  await first.exited
  await done('queue', 'hold', '--domain', 'example.test')
  const second = await lab.process({ config, after: first })
  const { call: callSecond } = await enterDashboard(second)
  await lab.until(async () => (await titles(callSecond)).length === 9)
  assert.equal((await titles(callSecond))[0], '1 held message kept back by NAME')
})
