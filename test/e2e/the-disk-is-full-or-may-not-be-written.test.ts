/**
 * No room on the disk of the state folder, or a file system that has become read-only: what cannot be kept is answered 4yz, what was kept stays, mail
 * that fits in memory is cut through, nothing is drained that could not be written down, and all goes on when there is room.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost } from '../lab/chaos.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'
import { mountSmallDisk } from '../unit/small-disk.ts'

const large = 600_000

test('the disk is full: 452, cut-through goes on, and what was kept is delivered once there is room', async (t) => {
  const disk = mountSmallDisk(t, 16)
  if (!disk) return t.diagnostic('not tested: no file system may be mounted here')
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(1)]
  const backend = await lab.backend()
  const gateway = await lab.gateway(
    { deliver: backend, hold: {}, holdBytes: 2 ** 30 },
    { clock: createFastClock(20), state: join(disk.folder, 'state') },
  )
  // Somebody else's, in whose place the hold can go on later.
  const ballast = join(disk.folder, 'ballast')
  await writeFile(ballast, Buffer.alloc(4 * 2 ** 20))
  // Only so many recipients that nobody knows are taken a minute.
  await sendMany(lab, oracle, 5, random)
  await backend.kill()
  const codes: number[] = []
  while (!codes.includes(452) && codes.length < 100)
    codes.push(...(await sendMany(lab, oracle, 1, random, { size: codes.length % 2 === 0 ? large : 200_000 })))
  assert.ok(codes.filter((code) => code === 250).length > 5, codes.join())
  const filler = join(disk.folder, 'filler')
  await mkdir(filler)
  /** Whatever is left, to the last octet, what the message before took included. */
  const fill = async (name: string) => {
    await lab.until(async () => (await readdir(join(disk.folder, 'state', 'spool'))).length === 0)
    await writeFile(join(filler, name), Buffer.alloc(16 * 2 ** 20)).catch(() => undefined)
  }
  for (const size of [900, 100_000, large]) {
    await fill(`before-${size}`)
    const [code] = await sendMany(lab, oracle, 1, random, { size })
    // What goes into rows may still find a place within what the store has on the disk; it is judged with the others in the end.
    assert.ok(code === 452 || code === 451 || (code === 250 && size < large), `${code} for ${size} octets`)
  }
  const held = gateway.held()

  await backend.restart()
  await lab.until(() => gateway.backends()[0]?.state === 'up')
  assert.deepEqual(await sendMany(lab, oracle, 5, random), [250, 250, 250, 250, 250])
  // Ten were live. The store may have room for what it has to note of some, and no more are under way than those that it waits for.
  const drained = backend.messages.length - 10
  const written = held - gateway.held()
  assert.ok(drained - written <= 10, `${drained} drained, ${written} of them written down`)

  await rm(filler, { recursive: true })
  await rm(ballast)
  // It may have been tried in vain a few times, and waits the longer for it.
  await lab.until(() => gateway.held() === 0, 200_000)
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})

test('the quota of the hold is used up: 452, and room again as soon as something has left', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(2)]
  const backend = await lab.backend()
  // A domain may have a quarter of it, and whoever comes alone half of that.
  const gateway = await lab.gateway({ deliver: backend, hold: {}, holdBytes: 120_000 }, { clock: createFastClock(20) })
  await backend.kill()
  const codes = await sendMany(lab, oracle, 15, random, { size: 1_000 })
  assert.ok(codes.slice(0, 5).every((code) => code === 250) && codes.at(-1) === 452, codes.join())
  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  await backend.kill()
  assert.deepEqual(await sendMany(lab, oracle, 1, random, { size: 1_000 }), [250])
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})

test('the folder of large bodies may not be written: 451 for those, and everything else goes on', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(3)]
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock: createFastClock(20) })
  const spool = join(gateway.state, 'spool')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', spool], { stdio: 'ignore' })
  } catch {
    return t.diagnostic('not tested: no file system may be mounted here')
  }
  lab.atEnd(() => execFileSync('umount', ['-l', spool], { stdio: 'ignore' }))
  assert.deepEqual(await sendMany(lab, oracle, 1, random, { size: large }), [451])
  assert.equal(gateway.find('message refused', { why: 'not-written' }).length, 1)
  const [alert] = gateway.find('the folder of large messages cannot be written')
  assert.match(String(alert?.fields.error), /EROFS/)
  assert.deepEqual(await sendMany(lab, oracle, 2, random), [250, 250])
  await backend.kill()
  assert.deepEqual(await sendMany(lab, oracle, 2, random), [250, 250])
  assert.equal(gateway.held(), 2)
  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})

test('a state folder that is read-only at the start: it says so and ends with 2, and what is held is there later', async (t) => {
  const disk = mountSmallDisk(t, 16)
  if (!disk) return t.diagnostic('not tested: no file system may be mounted here')
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(4)]
  const backend = await lab.backend()
  await backend.kill()
  const config = { domains: { 'example.test': { deliver: backend } }, state: join(disk.folder, 'state') }
  const first = await lab.process({ config })
  assert.deepEqual(await sendMany(lab, oracle, 3, random), [250, 250, 250])
  first.signal('SIGKILL')
  await first.exited

  disk.makeReadOnly()
  const second = await lab.processThatFails({ config, after: first })
  assert.equal((await second.exited).code, 2)
  assert.match(second.stderr, /state/)

  disk.makeWritable()
  await lab.process({ config, after: first })
  await backend.restart()
  await lab.until(() => backend.messages.length === 3)
})

test('a disk that is full at the start: it says what to do and ends with 2, and what is held goes when there is room', async (t) => {
  const disk = mountSmallDisk(t, 16)
  if (!disk) return t.diagnostic('not tested: no file system may be mounted here')
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(6)]
  const backend = await lab.backend()
  await backend.kill()
  const config = { domains: { 'example.test': { deliver: backend } }, state: join(disk.folder, 'state') }
  const first = await lab.process({ config })
  assert.deepEqual(await sendMany(lab, oracle, 3, random), [250, 250, 250])
  // In order, so that its log is moved into the database, and the next start needs room for a new one.
  first.signal('SIGTERM')
  await first.exited

  const filler = join(disk.folder, 'filler')
  await writeFile(filler, Buffer.alloc(16 * 2 ** 20)).catch(() => undefined)
  const second = await lab.processThatFails({ config, after: first })
  assert.equal((await second.exited).code, 2)
  assert.match(second.stderr, /cannot be opened: the disk is full; make room there/)

  await rm(filler)
  await lab.process({ config, after: first })
  await backend.restart()
  await lab.until(() => backend.messages.length === 3)
})

test('SIGTERM while the store cannot be written and mail waits to be drained: it ends', async (t) => {
  const disk = mountSmallDisk(t, 16)
  if (!disk) return t.diagnostic('not tested: no file system may be mounted here')
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(5)]
  const backend = await lab.backend()
  const state = join(disk.folder, 'state')
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock: createFastClock(5), state })
  await backend.kill()
  await sendMany(lab, oracle, 20, random, { size: 100_000 })
  await writeFile(join(disk.folder, 'filler'), Buffer.alloc(16 * 2 ** 20)).catch(() => undefined)
  await backend.restart()
  await lab.until(() => backend.messages.length > 0)
  await gateway.stop()
  await rm(join(disk.folder, 'filler'))
  const heir = await lab.gateway({ deliver: backend, hold: {} }, { clock: createFastClock(20), state })
  await lab.until(() => heir.held() === 0)
  const judged = await oracle.judge([backend], heir.queue)
  assert.deepEqual([judged.lost, judged.changed], [[], []])
})
