import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mountSmallDisk } from '../../../../test/unit/small-disk.ts'
import { systemRandom } from '../../../base/random.ts'
import { replaceZoneFile } from './replace-zone-file.ts'

const old = '@ 300 SOA ns host 1 2 3 4 5\n'

async function folderOf(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-replace-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function fileIn(folder: string) {
  const path = join(folder, 'db.example.test')
  await writeFile(path, old)
  return path
}

const replace = (
  path: string,
  text: string,
  lastLook: (draft: string) => Promise<string | undefined> = async () => undefined,
) => replaceZoneFile({ path, bytes: Buffer.from(text), lastLook, random: systemRandom })

test('a process that is killed between the write and the rename leaves the old file whole', async (t) => {
  const folder = await folderOf(t)
  const path = await fileIn(folder)
  const child = fork(fileURLToPath(new URL('../../../../test/unit/replace-and-die.ts', import.meta.url)), [path])
  const code = await new Promise((resolve) => child.once('exit', (exit, signal) => resolve(signal ?? exit)))
  assert.equal(code, 'SIGKILL')
  assert.equal(await readFile(path, 'utf8'), old)
  // What is left is a draft that no server takes for a zone, and that stops nobody.
  const left = (await readdir(folder)).filter((name) => name !== 'db.example.test')
  assert.ok(left.length === 1 && left[0]?.startsWith('.db.example.test.'), left.join())
  assert.deepEqual(await replace(path, 'new\n'), { kind: 'replaced' })
  assert.equal(await readFile(path, 'utf8'), 'new\n')
})

test('a disk that is full, or read-only: the old file stays, nothing is left behind, and it is told', async (t) => {
  const disk = mountSmallDisk(t, 1)
  // Where nothing may be mounted, a folder that is none has to do.
  if (disk === undefined) {
    const refused = await replace(join(await folderOf(t), 'no/such/folder/db'), 'x')
    assert.ok(refused.kind === 'refused' && /ENOENT/.test(refused.why), JSON.stringify(refused))
    return
  }
  const path = await fileIn(disk.folder)
  const full = await replace(path, 'x'.repeat(2 * 1024 * 1024))
  assert.ok(full.kind === 'refused', JSON.stringify(full))
  assert.match(full.why, /db\.example\.test cannot be written: the disk is full \(ENOSPC\)/)
  assert.deepEqual(await readdir(disk.folder), ['db.example.test'])
  assert.equal(await readFile(path, 'utf8'), old)

  disk.makeReadOnly()
  const locked = await replace(path, 'new\n')
  assert.ok(locked.kind === 'refused', JSON.stringify(locked))
  assert.match(locked.why, /its file system is read-only \(EROFS\)/)
  assert.equal(await readFile(path, 'utf8'), old)
})

test('a file that is marked read-only stays, also for root', async (t) => {
  const path = await fileIn(await folderOf(t))
  await chmod(path, 0o444)
  const refused = await replace(path, 'new\n')
  assert.ok(refused.kind === 'refused' && /is read-only$/.test(refused.why), JSON.stringify(refused))
  assert.equal(await readFile(path, 'utf8'), old)
})

test('whose file it is, and who may read it, stays; where it cannot, nothing is written', async (t) => {
  const folder = await folderOf(t)
  const path = await fileIn(folder)
  await chmod(path, 0o640)
  const isRoot = process.getuid?.() === 0
  if (isRoot) await chown(path, 4321, 1234)
  const before = await stat(path)
  assert.deepEqual(await replace(path, 'new\n'), { kind: 'replaced' })
  const after = await stat(path)
  assert.deepEqual([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode])
  assert.notEqual(after.ino, before.ino)
})

test('a last look that says no leaves everything as it was', async (t) => {
  const folder = await folderOf(t)
  const path = await fileIn(folder)
  const stopped = await replace(path, 'new\n', async (draft) => {
    // It is complete by then.
    assert.equal(await readFile(draft, 'utf8'), 'new\n')
    return 'a reason'
  })
  assert.deepEqual(stopped, { kind: 'stopped', why: 'a reason' })
  assert.deepEqual(await readdir(folder), ['db.example.test'])
  assert.equal(await readFile(path, 'utf8'), old)
})
