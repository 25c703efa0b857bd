import assert from 'node:assert/strict'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// A Maildir says yes or no for each recipient, and a sender hears one answer: a yes would be the loss of what one did not get.
for (const [gone, stays] of [
  ['first', 'second'],
  ['second', 'first'],
] as const)
  test(`two recipients of a Maildir, and the folder of the ${gone} is gone when the dot comes: 451, never 250`, async (t) => {
    const lab = await startLab(t)
    const base = join(lab.folder, 'boxes')
    for (const name of [gone, stays]) await mkdir(join(base, name), { recursive: true })
    await lab.gateway({ deliver: `maildir:${base}/{local}` })
    const sender = await lab.connect()
    await sender.hello()
    await sender.untilData('a@sender.test', 'first@example.test', 'second@example.test')
    await rm(join(base, gone), { recursive: true })
    await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
    await sender.expect(451)
    // A second copy is what it costs the other.
    assert.equal((await readdir(join(base, stays, 'new'))).length, 1)
  })
