import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startLab } from '../lab/lab.ts'
import type { WaypostProcess } from '../lab/process.ts'

// The command line, with signals and the control socket
const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

async function call(running: WaypostProcess, ...words: readonly string[]) {
  const called = promisify(execFile)(waypost, [...words, '-c', running.configFile])
  return called.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  )
}

const said = (running: WaypostProcess, event: string) => running.lines.some((line) => line.event === event)

test('SIGHUP: a bad file leaves the running configuration and says what is wrong; a good one is used', async (t) => {
  const lab = await startLab(t)
  const [before, after] = [await lab.backend(), await lab.backend()]
  const running = await lab.process({ config: { domains: { 'example.test': { deliver: [before] } } } })
  await running.configure('hostname: mx.waypost.test\ndomains:\n  example.test: { delivr: "smtp://127.0.0.1" }\n')
  running.signal('SIGHUP')
  await lab.until(() => said(running, 'reload refused: the running configuration stays'))
  const refused = running.lines.find((line) => line.event === 'reload refused: the running configuration stays')
  assert.match(String(refused?.problems), /waypost\.yaml:3:\d+.*delivr[\s\S]*deliver/)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(before.messages.length, 1)

  await running.configure({ domains: { 'example.test': { deliver: [after] } } })
  running.signal('SIGHUP')
  await lab.until(() => said(running, 'reloaded'))
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([before.messages.length, after.messages.length], [1, 1])
})

test('SIGTERM: what is idle hears 421, what is being delivered is answered, and the process ends with 0', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const running = await lab.process({ config: { domains: { 'example.test': { deliver: [backend] } } } })
  const idle = await lab.connect()
  await idle.hello()
  const busy = await lab.connect()
  await busy.hello()
  await busy.untilData('a@sender.test', 'you@example.test')
  await busy.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await lab.until(() => backend.messages.length === 1)
  running.signal('SIGTERM')
  await idle.expect(421)
  backend.say('250 2.0.0 taken')
  await busy.expect(250)
  assert.deepEqual(await running.exited, { code: 0, signal: null })
})

test('SIGTERM twice: it ends at once, although a backend is silent', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const running = await lab.process({ config: { domains: { 'example.test': { deliver: [backend] } } } })
  const busy = await lab.connect()
  await busy.hello()
  await busy.untilData('a@sender.test', 'you@example.test')
  await busy.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await lab.until(() => backend.messages.length === 1)
  running.signal('SIGTERM')
  await lab.until(() => running.lines.some((line) => line.event === 'stopping'))
  // One that comes within half a second is the same.
  await lab.until(() => {
    running.signal('SIGTERM')
    return running.hasExited()
  })
  assert.deepEqual(await running.exited, { code: 1, signal: null })
  assert.equal(await busy.nextReply(), undefined)
})

test('the grace ends while a backend is silent: the message is held, its sender hears so, and the process ends', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const running = await lab.process({
    config: { shutdownGrace: '1s', domains: { 'example.test': { deliver: [backend] } } },
  })
  const busy = await lab.connect()
  await busy.hello()
  await busy.untilData('a@sender.test', 'you@example.test')
  await busy.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await lab.until(() => backend.messages.length === 1)
  running.signal('SIGTERM')
  assert.equal((await busy.reply()).code, 250)
  assert.equal((await running.exited).code, 0)
})

test('`waypost backend` lists, drains and enables, and a drained one stays out over a restart', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend()]
  const config = { domains: { 'example.test': { deliver: [one, { to: other, preference: 20 }] } } }
  const running = await lab.process({ config })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(one.messages.length, 1)

  const listed = await call(running, 'backend', 'list')
  assert.equal(listed.code, 0, listed.stderr)
  assert.match(listed.stdout, new RegExp(`${one.url} .* up `))

  const drained = await call(running, 'backend', 'drain', one.url)
  assert.deepEqual([drained.code, drained.stdout, drained.stderr], [0, `${one.url} gets no new mail.\n`, ''])
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([one.messages.length, other.messages.length], [1, 1])
  const out = await call(running, 'backend', 'list', '--json')
  assert.equal(out.code, 1)
  const states = JSON.parse(out.stdout) as readonly { url: string; state: string }[]
  assert.equal(states.find(({ url }) => url === one.url)?.state, 'out')

  const last = await call(running, 'backend', 'drain', other.url)
  assert.equal(last.code, 0)
  assert.match(
    last.stderr,
    /^No backend is left for example\.test: from now on that mail is held\. "waypost queue list" .*\n.* puts this one back, and "waypost queue retry --all"/,
  )
  await lab.until(() => said(running, 'no backend left in service'))
  assert.equal((await call(running, 'backend', 'enable', other.url)).stderr, '')

  const unknown = await call(running, 'backend', 'drain', 'smtp://127.0.0.1:9')
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /is no backend of this gateway/)

  await running.stop()
  assert.equal((await call(running, 'backend', 'list')).code, 2)

  const again = await lab.process({ config: { ...config, state: running.state } })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([one.messages.length, other.messages.length], [1, 2])
  assert.equal((await call(again, 'backend', 'enable', one.url)).code, 0)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(one.messages.length, 2)
})

test('a second gateway on the same state folder refuses to start, and says which one has it', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const domains = { 'example.test': { deliver: [backend] } }
  const running = await lab.process({ config: { domains } })
  const second = await lab.processThatFails({ config: { domains, state: running.state } })
  const { code } = await second.exited
  assert.equal(code, 2)
  assert.match(
    second.stderr,
    /is in use by process \d+ \(.* serve .*\): stop that first, or name another folder in "state:"\n/,
  )
})

test('several people take backends out at the same time: all of it is kept', async (t) => {
  const lab = await startLab(t)
  const backends = [await lab.backend(), await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: backends })
  const urls = backends.map(({ url }) => url)
  assert.deepEqual(await Promise.all(urls.map((url) => gateway.setOut(url, true))), ['done', 'done', 'done'])
  const kept: unknown = JSON.parse(await readFile(join(gateway.state, 'out-of-service.json'), 'utf8'))
  assert.deepEqual(kept, urls)
})
