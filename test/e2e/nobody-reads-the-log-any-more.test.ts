/** Whoever read the log has gone (`waypost serve | head`): mail is carried all the same, and the process ends when it is told to. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { type Lab, startLab } from '../lab/lab.ts'

test('the log has no reader any more: mail goes on, a reload too, and SIGTERM ends the process', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const config = { domains: { 'example.test': { deliver: [backend] } } }
  const running = await lab.process({ config })
  running.stopReading()
  for (let message = 0; message < 3; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  running.signal('SIGHUP')
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages.length, 4)
  running.signal('SIGTERM')
  assert.equal((await running.exited).code, 0)
})

/** A pipe that takes nothing more, as that of a reader which is there and stuck. */
async function fullPipe(lab: Lab): Promise<number> {
  const path = join(lab.folder, 'stuck')
  await promisify(execFile)('mkfifo', [path])
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  lab.atEnd(() => closeSync(pipe))
  for (const size of [4096, 1]) {
    for (let isFull = false; !isFull; ) {
      try {
        writeSync(pipe, Buffer.alloc(size, '\n'))
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
        isFull = true
      }
    }
  }
  return pipe
}

test('the reader of the log is stuck: mail goes on, and SIGTERM ends the process', async (t) => {
  const lab = await startLab(t)
  const config = { domains: { 'example.test': { deliver: [await lab.backend()] } } }
  const running = await lab.process({ config, stderr: await fullPipe(lab) })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  running.signal('SIGTERM')
  assert.equal((await running.exited).code, 0)
})

test('the reader of the log is stuck, and so is a backend: a second SIGTERM ends the process at once', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const config = { shutdownGrace: '280s', domains: { 'example.test': { deliver: [backend] } } }
  const running = await lab.process({ config, stderr: await fullPipe(lab) })
  const sent = lab.send({ to: 'you@example.test' }).catch(() => undefined)
  await lab.until(() => backend.messages.length === 1)
  // Two that are sent together may arrive as one.
  await lab.until(() => {
    running.signal('SIGTERM')
    return running.hasExited()
  })
  await sent
})
