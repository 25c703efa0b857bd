import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import type { Clock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { askControl, type Control, type ControlHandlers, controlPath, createControl } from './control.ts'

const ask = { clock: steadyClock, timeoutMs: 5000 }

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-control-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

async function start(
  t: TestContext,
  path: string,
  handlers: ControlHandlers,
  errors: unknown[] = [],
): Promise<Control> {
  const control = await createControl({ path, clock: steadyClock, onError: (_, error) => errors.push(error) }, handlers)
  t.after(() => (control.kind === 'listening' ? control.close() : undefined))
  return control
}

test('a command is asked and answered, for its owner alone', async (t) => {
  const path = controlPath(await folder(t))
  const control = await start(t, path, {
    'backend.list': (given) => ({ kind: 'done', result: [given.x, 'ü'] }),
    'backend.drain': () => ({ kind: 'failed', why: 'no such backend' }),
  })
  assert.equal(control.kind, 'listening')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await askControl(path, { command: 'backend.list', arguments: { x: 1 } }, ask), {
    kind: 'done',
    result: [1, 'ü'],
  })
  assert.deepEqual(await askControl(path, { command: 'backend.drain' }, ask), {
    kind: 'failed',
    why: 'no such backend',
  })
  const unknown = await askControl(path, { command: 'toString' }, ask)
  assert.match(unknown.kind === 'failed' ? unknown.why : '', /does not know this command/)
})

test('a handler that throws tells the log, and the asker no more than that', async (t) => {
  const path = controlPath(await folder(t))
  const errors: unknown[] = []
  const bug = new TypeError('a secret detail')
  await start(t, path, { boom: () => Promise.reject(bug) }, errors)
  const asked = await askControl(path, { command: 'boom' }, ask)
  assert.equal(asked.kind, 'failed')
  assert.ok(!JSON.stringify(asked).includes('secret'))
  assert.deepEqual(errors, [bug])
})

test('requests on one connection are answered in their order, however they are cut', async (t) => {
  const path = controlPath(await folder(t))
  await start(t, path, { echo: async (given) => ({ kind: 'done', result: given.x }) })
  const opening = systemDoor.open('client', { kind: 'unix', path })
  if (opening.kind !== 'opened') return assert.fail()
  const { socket } = opening
  t.after(() => socket.destroy())
  const requests = Buffer.from([1, 2, 3].map((x) => `{"command":"echo","arguments":{"x":${x}}}\n`).join(''))
  for (const octet of requests) socket.write(Buffer.from([octet]))
  let heard = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    heard += chunk
    if (heard.split('\n').length > 3) break
  }
  assert.deepEqual(
    heard
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).result),
    [1, 2, 3],
  )
})

test('nonsense is answered, a request without an end is cut off', async (t) => {
  const path = controlPath(await folder(t))
  await start(t, path, {})
  for (const nonsense of ['{', '[]', 'null', '{"command":1}', '{"command":"x","arguments":3}']) {
    const opening = systemDoor.open('client', { kind: 'unix', path })
    if (opening.kind !== 'opened') return assert.fail()
    opening.socket.write(`${nonsense}\n`)
    const [answer] = await once(opening.socket, 'data')
    assert.equal(JSON.parse(String(answer)).kind, 'failed', nonsense)
    opening.socket.destroy()
  }
  const opening = systemDoor.open('client', { kind: 'unix', path })
  if (opening.kind !== 'opened') return assert.fail()
  opening.socket.on('error', () => opening.socket.destroy())
  opening.socket.write('x'.repeat(70_000))
  await once(opening.socket, 'close')
})

test('nobody listens: not running; not ours: forbidden; too slow: no answer', async (t) => {
  const state = await folder(t)
  const path = controlPath(state)
  assert.deepEqual(await askControl(path, { command: 'x' }, ask), { kind: 'not-running' })
  await writeFile(path, '')
  assert.deepEqual(await askControl(path, { command: 'x' }, ask), { kind: 'not-running' })
  await rm(path)

  const fast: Clock = {
    ...steadyClock,
    after: (_, run) => steadyClock.after(1, run),
    monotonicMs: () => steadyClock.monotonicMs() * 1000,
  }
  await start(t, path, { slow: () => new Promise(() => {}) })
  const asked = await askControl(path, { command: 'slow' }, { clock: fast, timeoutMs: 5000 })
  assert.equal(asked.kind, 'no-answer')
  if (process.getuid?.() !== 0) {
    await chmod(path, 0)
    assert.deepEqual(await askControl(path, { command: 'x' }, ask), { kind: 'forbidden' })
  }
})

test('a second gateway on the same folder is told; the socket of a dead one is replaced', async (t) => {
  const path = controlPath(await folder(t))
  const script = `require('node:net').createServer(() => {}).listen(${JSON.stringify(path)}, () => console.log('up'))`
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => other.kill('SIGKILL'))
  await once(other.stdout, 'data')
  // It listens and never answers: alive all the same.
  const fast: Clock = {
    ...steadyClock,
    after: (delayMs, run) => steadyClock.after(delayMs / 20, run),
    monotonicMs: () => steadyClock.monotonicMs() * 20,
  }
  const second = await createControl({ path, clock: fast, onError: () => {} }, {})
  assert.equal(second.kind, 'in-use')

  other.kill('SIGKILL')
  await once(other, 'exit')
  assert.ok(await stat(path))
  assert.equal((await start(t, path, {})).kind, 'listening')
  assert.deepEqual(await askControl(path, { command: 'ping' }, ask), { kind: 'done', result: null })
})
