/** A bug lets the one thread of the gateway stand still: the process says where, and ends, so that it is started again. What was held is there. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startLab } from '../lab/lab.ts'

const still = new URL('../lab/stands-still.mjs', import.meta.url).href
const words = (pipe = '') => ({
  args: ['--stuck-after', '3s'],
  env: { NODE_OPTIONS: `--import=${still}`, STANDS_STILL_AT: pipe },
})
const stuck = 'stuck, so this ends here: it is a fault of Waypost, please report it'

for (const [name, signal, innermost, ended] of [
  ['in a circle', 'SIGUSR2', /^goRoundInACircle .*stands-still\.mjs:6$/, { code: 2, signal: null }],
  ['waiting for what never comes', 'SIGWINCH', /^$/, { code: null, signal: 'SIGKILL' }],
] as const)
  test(`${name}: it says where it is, and ends; started again, it delivers what it held`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    await backend.kill()
    const config = { domains: { 'example.test': { deliver: [backend], recipients: 'any' } } }
    const pipe = join(lab.folder, 'pipe')
    await promisify(execFile)('mkfifo', [pipe])
    const first = await lab.process({ config, ...words(pipe) })
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    first.signal(signal)
    assert.deepEqual(await first.exited, ended)
    const line = first.lines.find(({ event }) => event === stuck)
    assert.ok(line, first.stderr)
    assert.equal(line.alert, true)
    assert.match(String((line.at as string[])[0] ?? ''), innermost)

    await backend.restart()
    await lab.process({ config, after: first })
    await lab.until(() => backend.messages.length === 1)
  })

test('a process that was stopped for longer and goes on is not stuck', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const config = { domains: { 'example.test': { deliver: [backend] } } }
  const waypost = await lab.process({ config, ...words() })
  waypost.signal('SIGSTOP')
  const stoppedMs = performance.now()
  await lab.until(() => performance.now() - stoppedMs > 3_300)
  waypost.signal('SIGCONT')
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(waypost.hasExited(), false)
})
