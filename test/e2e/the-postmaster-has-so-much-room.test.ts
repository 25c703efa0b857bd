/**
 * Anybody may write to postmaster (RFC 5321 §4.5.1), so its Maildir in the state folder has a quota, one network has a part of it an hour, and of the
 * disk there stays free what the hold needs.
 */
import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Lab, startLab } from '../lab/lab.ts'
import { mountSmallDisk } from '../unit/small-disk.ts'

/** Whoever is under `trusted` is asked for no more than the quota. */
const trusted = ['127.0.0.0/8']
const hasRoom = '250 2.0.0'
const noRoom = '452 4.3.1'

async function answer(lab: Lab, octets: number, to = 'postmaster@mx.waypost.test'): Promise<string> {
  const { code, enhanced } = await lab.send({ to, body: `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(octets / 72)) })
  return `${code} ${enhanced}`
}

test('a full mailbox: 452 and one alert, over a restart too, until a person has taken mail out', async (t) => {
  const lab = await startLab(t)
  const words = { deliver: await lab.backend(), limits: { postmaster: 128 * 1024 }, trusted }
  const first = await lab.gateway(words)
  const { state } = first
  const box = join(state, 'postmaster', 'new')
  for (let message = 0; message < 3; message++) assert.equal(await answer(lab, 36_000), hasRoom)
  for (let message = 0; message < 2; message++) assert.equal(await answer(lab, 36_000), noRoom)
  assert.equal((await readdir(box)).length, 3)
  assert.equal(first.find("the postmaster's mailbox is full").length, 1)
  await first.stop()

  const second = await lab.gateway(words, { state })
  assert.equal(await answer(lab, 36_000), noRoom)
  await second.stop()
  for (const name of await readdir(box)) await rm(join(box, name))
  await lab.gateway(words, { state })
  assert.equal(await answer(lab, 36_000), hasRoom)
})

test('one network has a quarter of it an hour, and another one is heard meanwhile', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: '550 5.1.1 No such user' })
  await lab.gateway({ deliver: backend, limits: { postmaster: 512 * 1024 } })
  // What its backend refuses lies in the same mailbox.
  for (const to of ['postmaster@mx.waypost.test', 'postmaster@example.test', 'postmaster'])
    assert.equal(await answer(lab, 36_000, to), hasRoom)
  assert.equal(await answer(lab, 36_000), noRoom)
  const other = await lab.send({ to: 'postmaster', source: '127.77.0.1', body: 'from elsewhere' })
  assert.equal(other.code, 250)
})

test('a disk with no more than the hold needs: neither postmaster nor any Maildir on it takes mail', async (t) => {
  const disk = mountSmallDisk(t, 16)
  if (!disk) return t.diagnostic('not tested: no file system may be mounted here')
  const lab = await startLab(t)
  const freeBytes = 8 * 2 ** 20
  const gateway = await lab.gateway(
    { deliver: `maildir:${join(disk.folder, 'box')}`, freeBytes, limits: { postmaster: 64 * 2 ** 20 }, trusted },
    { state: join(disk.folder, 'state') },
  )
  const to = ['postmaster', 'you@example.test'] as const
  for (const each of to) assert.equal(await answer(lab, 100_000, each), hasRoom)
  const ballast = join(disk.folder, 'ballast')
  await writeFile(ballast, Buffer.alloc(freeBytes))
  // What is free is looked at twice a second.
  for (const each of to) await lab.until(async () => (await answer(lab, 1_000, each)) === noRoom)
  await rm(ballast)
  for (const each of to) assert.equal(await answer(lab, 100_000, each), hasRoom)
  assert.equal(gateway.find('maildir cannot be written').length, 0)
})
