import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createOutOfService } from './out-of-service.ts'

const url = 'smtp://10.0.0.11:25'

async function start(t: TestContext) {
  const state = await mkdtemp(join(tmpdir(), 'waypost-out-'))
  t.after(() => rm(state, { recursive: true, force: true }))
  const out = new Set<string>()
  const told: string[] = []
  const setOut = (of: string, isOut: boolean) => {
    told.push(`${of} ${isOut ? 'out' : 'in'}`)
    if (isOut) out.add(of)
    else out.delete(of)
  }
  const at = { folder: state }
  return { at, told, state, outOfService: createOutOfService(() => at.folder, { out, setOut }) }
}

test('what is so already is neither done nor written again', async (t) => {
  const { outOfService, told, state } = await start(t)
  const file = join(state, 'out-of-service.json')
  assert.equal(await outOfService.set(url, true), true)
  const { ino, mtimeMs } = await stat(file)
  assert.equal(await outOfService.set(url, true), false)
  const later = await stat(file)
  assert.deepEqual([later.ino, later.mtimeMs], [ino, mtimeMs])
  assert.equal(await outOfService.set(url, false), true)
  assert.equal(await outOfService.set(url, false), false)
  assert.deepEqual(told, [`${url} out`, `${url} in`])
})

test('what could not be written down is done again when it is said again', async (t) => {
  const { outOfService, at, state } = await start(t)
  // No folder can stand below a file.
  await writeFile(join(state, 'a file'), '')
  at.folder = join(state, 'a file', 'state')
  await assert.rejects(outOfService.set(url, true))
  at.folder = state
  assert.equal(await outOfService.set(url, true), true)
  assert.deepEqual(JSON.parse(await readFile(join(state, 'out-of-service.json'), 'utf8')), [url])
  assert.equal(await outOfService.set(url, true), false)
})
