/** `waypost check` of the gateway's own waypost.yaml asks it what a stranger might ask, and it neither counts nor learns. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nameServerText } from '../../src/dns/servers.ts'
import { startDns } from '../lab/dns.ts'
import { startLab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'

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
