import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { settingsOf } from '../../../test/lab/settings.ts'
import { job } from '../../../test/unit/deliver.ts'
import { createPostmasterQuota, mailboxCost, ownMailbox } from './postmaster-quota.ts'

const space = { freeBytes: 2 ** 40, totalBytes: 2 ** 41, refresh() {}, look: async () => {} }
const block = mailboxCost(1)

/** A quota of so many blocks, in whose Maildir so many files of one block lie. */
async function stage(t: TestContext, blocks: number, files: number) {
  const state = await mkdtemp(join(tmpdir(), 'quota-'))
  t.after(() => rm(state, { recursive: true }))
  const path = join(state, 'postmaster')
  for (const name of ['new', 'cur', 'tmp']) await mkdir(join(path, name), { recursive: true })
  for (let file = 0; file < files; file++) await writeFile(join(path, file % 2 ? 'cur' : 'new', `${file}`), 'x')
  const settings = settingsOf(
    { limits: { postmaster: blocks * block } },
    { state, certificate: '', key: '', address: '127.0.0.1' },
  )
  const clock = createFakeClock()
  const collected = collectLog()
  const quota = createPostmasterQuota(() => settings, { clock, log: collected.log })
  assert.equal(ownMailbox(settings), path)
  return { ...collected, clock, path, take: (cost = block, what = job()) => quota.take(path, cost, what, space), quota }
}

test('what lies there is counted; what is on its way counts too, and counts no more where it came to nothing', async (t) => {
  const { take, quota, find } = await stage(t, 40, 38)
  assert.deepEqual([await take(), await take(), await take()], [true, true, false])
  assert.equal(find("the postmaster's mailbox is full").length, 1)
  quota.done(block, false)
  quota.done(block, true)
  assert.deepEqual([await take(), await take()], [true, false])
})

test('each of many files is counted once', async (t) => {
  // In each of two folders more than are looked at together, and a rest.
  const { take } = await stage(t, 300, 298)
  assert.deepEqual([await take(), await take(), await take()], [true, true, false])
})

test('a full mailbox is counted again, once in a while', async (t) => {
  const { take, path, clock } = await stage(t, 40, 40)
  assert.equal(await take(), false)
  await rm(join(path, 'new', '0'))
  assert.equal(await take(), false)
  clock.advance(10_000)
  assert.equal(await take(), true)
})

test('one network has a hundred messages or a quarter an hour; mail of our own has what there is', async (t) => {
  const large = await stage(t, 40, 0)
  for (let message = 0; message < 10; message++) assert.equal(await large.take(), true)
  assert.equal(await large.take(), false)
  assert.equal(await large.take(block, { ...job(), isFromHold: true }), true)
  large.clock.advance(2 * 3_600_000)
  assert.equal(await large.take(), true)

  const many = await stage(t, 4000, 0)
  for (let message = 0; message < 100; message++) assert.equal(await many.take(), true)
  assert.equal(await many.take(), false)
})
