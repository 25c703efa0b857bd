/** The unit for systemd that we ship: its command is run, at other places, as it would be after somebody has broken the configuration. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

test('the service starts again after an end that was none of ours, also with a file that is wrong: then on the last good one', async (t) => {
  const unit = await readFile(new URL('../../examples/systemd/waypost.service', import.meta.url), 'utf8')
  const valuesOf = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value)
  assert.deepEqual([valuesOf('Restart'), valuesOf('StartLimitIntervalSec')], [['on-failure'], ['0']])
  const [program, command, flag, file, ...options] = (valuesOf('ExecStart')[0] ?? '').split(' ')
  assert.deepEqual([program, command, flag], ['/usr/local/bin/waypost', 'serve', '-c'])
  assert.equal(file, '/etc/waypost/waypost.yaml')
  assert.ok(options.includes('--last-good'))

  // All else is read-only (ProtectSystem=strict), so the log that the documents name must lie in one of these.
  assert.deepEqual([valuesOf('StateDirectory'), valuesOf('LogsDirectory')], [['waypost'], ['waypost']])
  for (const page of ['running.md', 'queue.md']) {
    const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
    assert.match(text, /log: \{ file: \/var\/log\/waypost\//)
    assert.doesNotMatch(text, /log: \{ file: (?!\/var\/log\/waypost\/)/)
  }

  const lab = await startLab(t)
  const backend = await lab.backend()
  const first = await lab.process({ config: { domains: { 'example.test': { deliver: backend } } } })
  await first.stop()
  const args = options.map((word) => word.replace('/var/lib/waypost', first.state))
  await lab.process({ config: 'domains: { broken', args, after: first })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
})
