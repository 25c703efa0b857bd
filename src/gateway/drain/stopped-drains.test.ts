import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readStoppedDrains, writeStoppedDrains } from './stopped-drains.ts'

test('stopped drains are kept in the state folder; a file that cannot be read says what to do', async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'waypost-stopped-'))
  t.after(() => rm(state, { recursive: true, force: true }))
  assert.equal((await readStoppedDrains(state)).size, 0)
  const stopped = new Map([['smtp://mail.example.com', 'it refuses what it used to accept']])
  await writeStoppedDrains(state, stopped)
  assert.deepEqual(await readStoppedDrains(state), stopped)
  for (const text of ['[["smtp://mail.exa', '{}'])
    await writeFile(join(state, 'stopped-drains.json'), text).then(() =>
      assert.rejects(readStoppedDrains(state), /stopped-drains\.json cannot be read; remove it/),
    )
})
