import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'

// State folder 0700, umask 077, control.sock 0600: messages and configuration are nobody else's.
const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

/** Everything below the folder, and the folder itself, with its permissions. */
async function modes(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const name of ['.', ...(await readdir(folder, { recursive: true }))]) {
    const stats = await lstat(join(folder, name))
    const kind = stats.isDirectory() ? 'folder' : stats.isSocket() ? 'socket' : 'file'
    found.set(name, `${kind} ${(stats.mode & 0o777).toString(8)}`)
  }
  return found
}

test('every file in the state folder is for its owner alone, however open the umask of who started it is', async (t) => {
  const before = process.umask(0)
  t.after(() => process.umask(before))
  const lab = await startLab(t)
  const answer = gate<string>()
  const slow = await lab.backend({ mail: () => answer.promise })
  const idle = await lab.backend()
  const config = { domains: { 'example.test': { deliver: [slow] }, 'other.test': { deliver: [idle] } } }
  const running = await lab.process({ config })
  const call = (...words: readonly string[]) => promisify(execFile)(waypost, [...words, '-c', running.configFile])

  // A Maildir, what is out of service, a domain that left, the last good configuration, and a body in the spool.
  assert.equal((await lab.send({ to: 'postmaster@mx.waypost.test' })).code, 250)
  await call('backend', 'drain', idle.url)
  await running.configure({ domains: { 'example.test': { deliver: [slow] } } })
  await call('config', 'reload')
  answer.open('250 2.1.0 ok')
  slow.change({ afterDot: 'silence' })
  const sending = lab.send({ to: 'you@example.test', body: `${'x'.repeat(70)}\n`.repeat(10_000) })
  await lab.until(() => slow.messages.length === 1)

  const found = await modes(running.state)
  const names = [...found.keys()]
  for (const part of [/^spool\/./, /^postmaster\/new\/./, /last-good/, /departed/, /out-of-service/, /^control\.sock$/])
    assert.ok(
      names.some((name) => part.test(name)),
      `${part} in ${names.join(' ')}`,
    )
  const wrong = [...found].filter(([, mode]) => mode !== 'folder 700' && mode !== 'file 600' && mode !== 'socket 600')
  assert.deepEqual(wrong, [])
  // Each of these says its own permissions; the umask is for what would forget to. Only Linux tells the umask of another process.
  if (process.platform === 'linux')
    assert.match(await readFile(`/proc/${running.pid}/status`, 'latin1'), /^Umask:\t0077$/m)

  slow.say('250 2.0.0 taken')
  assert.equal((await sending).code, 250)
})
