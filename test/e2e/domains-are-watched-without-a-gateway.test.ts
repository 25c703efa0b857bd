/** `waypost watch` against the lab's internet: what is found, what changes, what is kept between two runs. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nameServerText } from '../../src/dns/servers.ts'
import { type CleanDomain, startCleanDomain } from '../lab/clean-domain.ts'
import { until } from '../lab/until.ts'
import { watchFlags } from '../lab/watch-flags.ts'
import { startWebHook } from '../lab/web-hook.ts'

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

/** Its own folder, with a waypost.yaml that declares example.lab, and the flags that lead into the lab. */
async function watchOnce(t: TestContext, lab: CleanDomain, hookUrl: string, resolver = lab.internet.resolver) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-watch-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const config = {
    hostname: 'prober.lab',
    state: './state',
    listen: { smtp: ['127.0.0.1:1'] },
    resolver: { servers: [nameServerText(resolver)] },
    domains: { 'example.lab': { deliver: ['smtp://127.0.0.1:2'] } },
    watch: { probe: 'none' },
    alerts: { group: '0s', interval: '0s', webhook: [{ url: hookUrl }] },
  }
  const configFile = join(folder, 'waypost.yaml')
  await writeFile(configFile, JSON.stringify(config))
  const flags = await watchFlags(lab, folder)
  const once = (...words: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve, reject) => {
      const child = execFile(
        waypost,
        ['watch', '-c', configFile, ...flags, ...words],
        { timeout: 180_000 },
        (error, stdout, stderr) => {
          if (child.exitCode === null) reject(error)
          else resolve({ code: child.exitCode, stdout, stderr })
        },
      )
    })
  return Object.assign(once, { config, configFile, flags })
}

test('what is wrong is told once, and a second look that finds the same says nothing', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      records: { ...zone.records, 'example.lab': { ...zone.records['example.lab'], TXT: [] } },
    }),
  })
  const hook = await startWebHook(t)
  const run = await watchOnce(t, lab, hook.url)

  const first = await run('--once')
  assert.equal(first.code, 1, first.stderr)
  assert.match(first.stdout, /example\.lab: .*SPF/i)
  assert.match(first.stderr, /^1 domain, \d+ things? wrong$/m)
  assert.equal(hook.requests.length, 1)
  assert.match(hook.requests[0]?.body ?? '', /certificate that is not good/)

  const second = await run('--once')
  assert.equal(second.code, 1, second.stderr)
  assert.equal(second.stdout, '', 'nothing appeared, and nothing went')
  assert.equal(hook.requests.length, 1)
})

test('that nothing could be examined is no good news', async (t) => {
  const lab = await startCleanDomain(t)
  const hook = await startWebHook(t)
  const nobody = { ...lab.internet.resolver, port: 1 }
  const run = await watchOnce(t, lab, hook.url, nobody)
  const { code, stderr } = await run('--once')
  assert.match(stderr, /^1 domain, 1 could not be examined, 0 things wrong$/m)
  assert.equal(code, 2)
})

test('SIGHUP loads waypost.yaml again, and a wrong one changes nothing', async (t) => {
  const lab = await startCleanDomain(t)
  const hook = await startWebHook(t)
  const { config, configFile, flags } = await watchOnce(t, lab, hook.url)
  const child = spawn(waypost, ['watch', '-c', configFile, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise((done) => void child.once('close', done))
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      said += String(text)
    })
  const hears = (words: RegExp) => until(() => words.test(said), 60_000, String(words))
  await hears(/Watching 1 domain, with a check every \d+ \w+ \(watch\.checks\)\. Ctrl-C ends it\./)

  await writeFile(configFile, JSON.stringify({ ...config, domains: 7 }))
  child.kill('SIGHUP')
  await hears(/Not loaded: the running configuration stays\./)
  const both = { ...config.domains, 'other.lab': { deliver: ['smtp://127.0.0.1:2'] } }
  await writeFile(configFile, JSON.stringify({ ...config, domains: both }))
  child.kill('SIGHUP')
  await hears(/Loaded again: 2 domains\./)
  // What is new is checked soon.
  await hears(/other\.lab: /)
  child.kill('SIGTERM')
  assert.equal(await exited, 0)
})
