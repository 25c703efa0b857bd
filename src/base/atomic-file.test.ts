import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { replaceFile } from './atomic-file.ts'

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'waypost-atomic-'))
  t.after(() => rm(made, { recursive: true, force: true }))
  return made
}

test('the file is made, then replaced, for its owner alone; no draft is left', async (t) => {
  const path = join(await folder(t), 'state.json')
  await replaceFile(path, 'first')
  await replaceFile(path, new TextEncoder().encode('second'))
  assert.equal(await readFile(path, 'utf8'), 'second')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(path, '..')), ['state.json'])
})

test('a draft that a crash left behind, longer than what is written now, does no harm', async (t) => {
  const path = join(await folder(t), 'state.json')
  await writeFile(`${path}.new`, 'half of something long')
  await chmod(`${path}.new`, 0o600)
  await replaceFile(path, 'short')
  assert.equal(await readFile(path, 'utf8'), 'short')
})

test('where it cannot be replaced, the old one stays, the error is told and no draft is left', async (t) => {
  const path = join(await folder(t), 'state.json')
  await mkdir(path)
  await assert.rejects(replaceFile(path, 'new'), { code: 'EISDIR' })
  assert.deepEqual(await readdir(join(path, '..')), ['state.json'])
  await assert.rejects(replaceFile(join(path, 'missing', 'file'), 'new'), { code: 'ENOENT' })
})

test('a link that somebody put where the draft goes leads nowhere', async (t) => {
  const made = await folder(t)
  const [path, other] = [join(made, 'export.json'), join(made, 'of-somebody-else')]
  await writeFile(other, 'precious')
  await symlink(other, `${path}.new`)
  await replaceFile(path, 'exported')
  assert.equal(await readFile(other, 'utf8'), 'precious')
  assert.ok((await lstat(path)).isFile())
  assert.equal(await readFile(path, 'utf8'), 'exported')
})
