import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from './make-folder.ts'

test('a folder is made with all above it, for its owner alone, and once', async (t) => {
  const base = await mkdtemp(join(tmpdir(), 'waypost-folder-'))
  t.after(() => rm(base, { recursive: true }))
  const path = join(base, 'a', 'b', 'c')
  assert.equal(await makeFolder(path), true)
  assert.equal(await makeFolder(path), false)
  assert.equal((await stat(join(base, 'a'))).mode & 0o777, 0o700)
  assert.deepEqual((await Promise.all([1, 2, 3].map(() => makeFolder(join(base, 'x', 'y'))))).includes(true), true)
})

test('where it cannot be made, that is said at once', { timeout: 10_000 }, async (t) => {
  const base = await mkdtemp(join(tmpdir(), 'waypost-folder-'))
  t.after(() => rm(base, { recursive: true }))
  await writeFile(join(base, 'file'), '')
  await assert.rejects(makeFolder(join(base, 'file')), { code: 'EEXIST' })
  await assert.rejects(makeFolder(join(base, 'file', 'below')), { code: 'ENOTDIR' })
  // There Node's own `recursive` never ends.
  await assert.rejects(makeFolder('/proc/waypost'), { code: 'ENOENT' })
  await assert.rejects(makeFolder('/proc/waypost/below'), { code: 'ENOENT' })
})
