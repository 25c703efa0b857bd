/** The command line as a process: it serves, reads its configuration again on SIGHUP, keeps the old one over a bad one, stops on SIGTERM. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enterDashboard } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'
import { callWaypost } from '../lab/process.ts'
import { gate } from '../lab/until.ts'

const deliver = (to: unknown) => ({ domains: { 'example.test': { deliver: to } } })

test('serve, reload, a bad reload, stop', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend()
  const second = await lab.backend()
  const waypost = await lab.process({ config: deliver([first]) })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(first.messages.length, 1)

  await waypost.configure(deliver([{ to: second }]))
  waypost.signal('SIGHUP')
  await lab.until(async () => {
    await lab.send({ to: 'you@example.test' })
    return second.messages.length > 0
  })

  await waypost.configure('listen: { smtp: ["LISTEN"] }\nstate: STATE\ndomains: { example.test: { delivr: 1 } }\n')
  const before = waypost.stdout.length + waypost.stderr.length
  waypost.signal('SIGHUP')
  await lab.until(() => /delivr/.test((waypost.stdout + waypost.stderr).slice(before)))
  const count = second.messages.length
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(second.messages.length, count + 1)

  waypost.signal('SIGTERM')
  assert.deepEqual(await waypost.exited, { code: 0, signal: null })
})

test('one that is stopping says that it is not ready, while who came before is still served', async (t) => {
  const lab = await startLab(t)
  const answered = gate()
  const backend = await lab.backend({ afterDot: async () => void (await answered.promise) })
  const waypost = await lab.process({ config: deliver([backend]), dashboard: true })
  const { origin } = await enterDashboard(waypost)
  const ready = async () => (await fetch(`${origin}/readyz`)).status
  const sending = lab.send({ to: 'you@example.test' })
  await lab.until(() => backend.messages.length === 1)
  assert.equal(await ready(), 200)

  waypost.signal('SIGTERM')
  await lab.until(async () => (await ready()) === 503)
  answered.open()
  assert.equal((await sending).code, 250)
  assert.deepEqual(await waypost.exited, { code: 0, signal: null })
})

test('a bad configuration at the start: the mistake is named, and the process ends with 2', async (t) => {
  const lab = await startLab(t)
  const waypost = await lab.processThatFails({ config: 'domains: { example.test: { delivr: 1 } }\n' })
  const { code } = await waypost.exited
  assert.equal(code, 2)
  assert.match(waypost.stderr, /waypost\.yaml:1:\d+/)
  assert.match(waypost.stderr, /delivr/)
})

test('a reload says what of the new configuration takes a restart', async (t) => {
  const lab = await startLab(t)
  const text = (dns: string) =>
    `state: STATE\nhostname: mx.waypost.test\nlisten: { smtp: "LISTEN", http: off${dns} }\ndomains: { example.test: { deliver: "smtp://127.0.0.1:9" } }\n`
  const waypost = await lab.process({ config: text('') })
  await waypost.configure(text(', dns: "127.0.0.1:5300"'))
  const stderr = 'listen.dns is another one now, which takes a restart\n'
  const same = 'Reloaded: no domain came, went or changed.\n'
  const stdout = 'Reloaded: no domain came, went or changed; listen.dns changed.\n'
  assert.deepEqual(await callWaypost(waypost, 'config', 'reload'), { code: 0, stdout, stderr }, 'once')
  assert.deepEqual(await callWaypost(waypost, 'config', 'reload'), { code: 0, stdout: same, stderr }, 'and again')
  await waypost.configure(text(''))
  assert.deepEqual(await callWaypost(waypost, 'config', 'reload'), { code: 0, stdout, stderr: '' })
})

test('a reload that drops most of the domains is refused, by a signal too, and done where it is meant', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const domains = (count: number) => ({
    domains: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`d${index}.test`, { deliver: [backend] }]),
    ),
  })
  const waypost = await lab.process({ config: domains(20) })
  await waypost.configure(domains(5))
  waypost.signal('SIGHUP')
  const refused = /would drop 15 of 20 domains/
  await lab.until(() => refused.test(waypost.stdout + waypost.stderr))
  const plain = await callWaypost(waypost, 'config', 'reload')
  assert.equal(plain.code, 1)
  assert.match(plain.stderr, refused)
  assert.equal((await lab.send({ to: 'you@d19.test' })).code, 250)

  const changes = '15 domains went (d5.test, d6.test, d7.test and 12 more)'
  assert.equal((await callWaypost(waypost, 'config', 'reload', '--allow-removal')).stdout, `Reloaded: ${changes}.\n`)
  await lab.until(() => (waypost.stdout + waypost.stderr).includes(`"changes":"${changes}"`))
  const left = await lab.send({ to: 'you@d19.test' })
  assert.deepEqual([left.code, left.enhanced], [451, '4.3.5'])
  assert.equal((await lab.send({ to: 'you@d4.test' })).code, 250)
})

test('a link into the dashboard is shown to a person at a terminal, and to no log', async (t) => {
  const lab = await startLab(t)
  const waypost = await lab.process({ config: deliver([await lab.backend()]), dashboard: true })
  await lab.until(() => waypost.stdout.includes('Dashboard: '))
  assert.match(
    waypost.stdout,
    /^Dashboard: http:\/\/\S+:\d+\/ \("\/\S+\/bin\/waypost web link -c \/\S+\/waypost\.yaml" makes a link that lets you in\)$/m,
  )
  assert.doesNotMatch(waypost.stdout + waypost.stderr, /enter#/)
})
