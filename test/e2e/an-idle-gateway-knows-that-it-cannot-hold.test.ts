/** Nobody has sent anything yet, and the disk of the state folder has no room: who looks at the page, the probe or the alerts hears it before mail does. */
import assert from 'node:assert/strict'
import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { enterDashboard } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { mountSmallDisk } from '../unit/small-disk.ts'

test('a full disk is told while no mail comes, and taken back when there is room', async (t) => {
  const disk = mountSmallDisk(t, 32)
  if (!disk) return t.diagnostic('not tested: no file system may be mounted here')
  const lab = await startLab(t)
  const backend = await lab.backend()
  const waypost = await lab.process({
    config: { state: join(disk.folder, 'state'), domains: { 'example.test': { deliver: backend } } },
    dashboard: true,
  })
  const dashboard = await enterDashboard(waypost)
  const whyNotHeld = async () => (await dashboard.call<{ whyNotHeld: string | null }>('/api/overview')).json.whyNotHeld
  const ready = async () => (await fetch(`${dashboard.origin}/readyz`)).status
  const history = async () =>
    (await dashboard.call<{ events: { kind: string }[] }>('/api/history')).json.events.map(({ kind }) => kind)
  assert.deepEqual([await whyNotHeld(), await ready()], [null, 200])

  const { bavail, bsize } = await statfs(disk.folder)
  // A twentieth must be left, and the history is still to be written.
  await writeFile(join(disk.folder, 'filler'), Buffer.alloc(bavail * bsize - 2 ** 20))
  await until(async () => (await whyNotHeld()) === 'the disk has no room for more')
  await until(async () => (await history()).includes('hold-closed'))
  // The backend takes all that comes.
  assert.equal(await ready(), 200)
  await backend.kill()
  for (let time = 0; time < 3; time++) await lab.send({ to: 'you@example.test' })
  await until(async () => (await ready()) === 503)

  await rm(join(disk.folder, 'filler'))
  await until(async () => (await history()).includes('hold-closed-over'))
  // A message that could not be held is remembered for a while; the next one that is held takes it back.
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await until(async () => (await whyNotHeld()) === null)
  await until(async () => (await ready()) === 200)
})
