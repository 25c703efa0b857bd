import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { controlPath, createControl } from '../gateway/operate/control.ts'
import { holderText, processHandlers } from './state-holder.ts'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-holder-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

const holding = `
const { DatabaseSync } = require('node:sqlite')
const db = new DatabaseSync('lock.db')
db.exec('BEGIN EXCLUSIVE')
process.stdout.write('held')
process.stdin.resume()`

test('who has the lock of the store is told, with what it runs', async (t) => {
  const state = await folder(t)
  const child = spawn(process.execPath, ['-e', holding, 'two words'], {
    cwd: state,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  const text = (await holderText(state)) ?? ''
  assert.ok(text.startsWith(`process ${child.pid} (${process.execPath} -e '`), text)
  child.kill()
  await ended
  assert.equal(await holderText(state), undefined, 'nobody has it')
})

test('where nobody has the lock, the gateway on the control socket tells who it is', async (t) => {
  const state = await folder(t)
  await writeFile(join(state, 'lock.db'), '')
  const place = { path: controlPath(state), clock: systemClock, onError: assert.fail }
  const control = await createControl(place, processHandlers)
  t.after(() => (control.kind === 'listening' ? control.close() : undefined))
  const text = (await holderText(state)) ?? ''
  assert.ok(text.startsWith(`process ${process.pid} (`), text)
})
