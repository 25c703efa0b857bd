import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readJsonFile, writeJsonFile } from './json-file.ts'

test('what was written is read; what is missing, damaged or unreadable is told apart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-json-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'kept.json')
  const read = () => readJsonFile(path, (json) => (typeof json === 'number' ? json : undefined))
  assert.deepEqual(await read(), { kind: 'missing' })
  await writeJsonFile(path, 7)
  assert.deepEqual(await read(), { kind: 'read', value: 7 })
  await writeJsonFile(path, 'seven')
  assert.deepEqual(await read(), { kind: 'damaged' })
  await writeFile(path, '[')
  assert.deepEqual(await read(), { kind: 'damaged' })
  await rm(path)
  await mkdir(path)
  await assert.rejects(read(), { code: 'EISDIR' })
})
