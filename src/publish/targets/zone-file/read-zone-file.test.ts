import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readZoneFile } from './read-zone-file.ts'

test('a file of any length comes whole, up to the most that a zone may have, and a short one takes little memory', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-read-zone-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'zone')
  const mebibyte = 1024 * 1024
  for (const length of [0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 7]) {
    const bytes = randomBytes(length)
    await writeFile(path, bytes)
    const read = await readZoneFile(path)
    assert.ok(read.kind === 'read')
    assert.ok(read.bytes.equals(bytes), `${length} octets`)
  }
  await writeFile(path, 'short')
  const before = process.memoryUsage().arrayBuffers
  const all = []
  for (let count = 0; count < 200; count++) all.push(await readZoneFile(path))
  assert.ok(process.memoryUsage().arrayBuffers - before < 20 * mebibyte)
  assert.equal(all.length, 200)
  // A size that says nothing, as files of the kernel have it.
  const kernel = await readZoneFile('/proc/self/status')
  assert.ok(kernel.kind === 'read' && kernel.bytes.length > 100)
})
