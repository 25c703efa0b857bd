/** `waypost check` of the gateway's own waypost.yaml asks it what a stranger might ask, and it neither counts nor learns. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nameServerText } from '../../src/dns/servers.ts'
import { startCleanDomain } from '../lab/clean-domain.ts'
import { startDns } from '../lab/dns.ts'
import { startLab } from '../lab/lab.ts'
import { callWaypost } from '../lab/process.ts'
import { until } from '../lab/until.ts'
import { watchFlags } from '../lab/watch-flags.ts'
import { startWebHook } from '../lab/web-hook.ts'

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))
const noSuchUser = '550 5.1.1 No such user here'

async function stage(t: TestContext) {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: (to) => (/^(postmaster|you)@/i.test(to) ? undefined : noSuchUser) })
  const running = await lab.process({
    config: {
      hostname: 'mx.waypost.test',
      limits: { refusedPerMinute: 3 },
      domains: { 'example.test': { deliver: [backend] } },
    },
  })
  const dns = await startDns(t, {
    'example.test': { MX: [[10, 'mx.waypost.test']] },
    'mx.waypost.test': { A: [running.address] },
  })
  const places = ['--resolver', nameServerText(dns.server), '--smtp-port', String(running.port), '--private']
  const rules = ['--rules', 'accepts-unknown-recipient,open-relay', '--helo', 'prober.test']
  /** @returns what the check heard for the recipient that nobody has */
  const check = (...more: readonly string[]) =>
    new Promise<string>((resolve, failed) => {
      const words = ['check', 'example.test', '--format', 'json', ...places, ...rules, ...more]
      const child = execFile(waypost, words, { cwd: lab.folder }, (error, stdout, stderr) => {
        if (child.exitCode === null || stdout === '') failed(error ?? new Error(stderr))
        else resolve(stdout)
      })
    })
  const said = (event: string) => running.lines.filter((line) => line.event === event)
  const stranger = async (to: string): Promise<string> => {
    const sender = await lab.connect()
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    const { lines } = await sender.command(`RCPT TO:<${to}>`)
    return lines[0] ?? ''
  }
  return { lab, backend, running, check, said, stranger }
}

test('with its own configuration: it is answered, and nobody pays for it', async (t) => {
  const { backend, running, check, said, stranger } = await stage(t)
  const report = JSON.parse(await check('-c', running.configFile))
  assert.deepEqual(report.reports[0].findings, [])
  const refused = () => said('recipient refused')
  // What the log says comes a little after what was answered.
  await until(() => said('own probe').length > 0 && refused().length >= 3)
  assert.equal(said('own probe').length, 1)
  assert.ok(
    refused().every((line) => line.ownProbe === true),
    JSON.stringify(refused()),
  )
  assert.ok(!refused().some((line) => String(line.reply).startsWith('4')), 'it hears what anybody would hear at first')
  assert.match(await stranger('nobody@example.test'), /^550 5\.1\.1/)

  // What was refused to the check is not known when nobody can be asked.
  await backend.stop()
  assert.match(await stranger('abuse@example.test'), /^250 /)
})

test('without it, the same questions are those of a stranger: they count', async (t) => {
  const { check, said, stranger } = await stage(t)
  await check('--probe', 'full')
  assert.equal(said('own probe').length, 0)
  assert.match(await stranger('nobody@example.test'), /^450 4\.7\.1/)
})

/** A gateway without a certificate, which is the exchanger of example.lab in the lab's internet; it may watch itself. */
async function watchedStage(t: TestContext, checks: string) {
  const lab = await startLab(t)
  const hook = await startWebHook(t)
  const backend = await lab.backend({ rcpt: (to) => (/^(postmaster|abuse|you)@/i.test(to) ? undefined : noSuchUser) })
  const config = { hostname: 'mx.example.lab', domains: { 'example.lab': { deliver: [backend] } } }
  // Where it listens is known when it has run once.
  const place = await lab.process({ config })
  await place.stop()
  const internet = await startCleanDomain(t, {
    exchangers: [null, null],
    zone: (zone) => ({
      ...zone,
      records: {
        ...zone.records,
        'example.lab': { ...zone.records['example.lab'], MX: [[10, 'mx.example.lab']] },
        'mx.example.lab': { A: [place.address] },
      },
    }),
  })
  const flags = [...(await watchFlags(internet, lab.folder)), '--smtp-port', String(place.port)]
  const running = await lab.process({
    after: place,
    args: flags,
    config: {
      ...config,
      resolver: { servers: [nameServerText(internet.internet.resolver)] },
      watch: { checks, probe: 'full' },
      alerts: { group: '0s', interval: '0s', webhook: [{ url: hook.url }] },
    },
  })
  const said = (event: string) => running.lines.filter((line) => line.event === event)
  return { running, flags, said, heard: () => hook.requests.map(({ body }) => body).join('\n') }
}

test('a round of watching: the gateway knows itself, and what it says to do is its own setting', async (t) => {
  const { said, heard } = await watchedStage(t, '1m')
  await until(() => heard().includes('tls: { certificate:'), 120_000, 'the setting of ours that gives STARTTLS')
  await until(() => said('own probe').length > 0 && said('recipient refused').length > 0)
  assert.ok(said('recipient refused').every((line) => line.ownProbe === true))
})

test('waypost watch beside the gateway does the same', async (t) => {
  const { running, flags, said, heard } = await watchedStage(t, 'off')
  const { code, stderr } = await callWaypost(running, 'watch', '--once', ...flags)
  assert.equal(code, 1, stderr)
  assert.match(heard(), /tls: \{ certificate:/)
  await until(() => said('own probe').length > 0 && said('recipient refused').length > 0)
  assert.ok(said('recipient refused').every((line) => line.ownProbe === true))
})
