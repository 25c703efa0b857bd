import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '../base/clock.ts'
import { createLineOutput } from './line-output.ts'

async function filePath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-lines-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'waypost.log')
}

const content = (path: string) => readFile(path, 'utf8').catch(() => '')

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
}

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}\n`)

test('a few lines are written soon, and many, each line once and in order', async (t) => {
  const path = await filePath(t)
  const output = createLineOutput(path, systemClock, () => assert.fail('no error was due'))
  output.write('one\n')
  output.write('two\n')
  await until(async () => (await content(path)) === 'one\ntwo\n')
  const many = lines(50_000)
  for (const line of many) output.write(line)
  await output.flushed()
  assert.equal(await content(path), `one\ntwo\n${many.join('')}`)
  output.write('last\n')
  output.end()
  await until(async () => (await content(path)).endsWith('last\n'))
})

test('what was not handed over is there when flushSync returns', async (t) => {
  const path = await filePath(t)
  const output = createLineOutput(path, systemClock, () => assert.fail('no error was due'))
  for (const line of lines(100)) output.write(line)
  output.flushSync()
  assert.equal(await content(path), lines(100).join(''))
  output.end()
})

test('a process that ends while lines are written leaves each of them once', async (t) => {
  const path = await filePath(t)
  const script = `
    import { createLineOutput } from ${JSON.stringify(new URL('line-output.ts', import.meta.url))}
    import { systemClock } from ${JSON.stringify(new URL('../base/clock.ts', import.meta.url))}
    const output = createLineOutput(process.argv[1], systemClock, () => process.abort())
    process.on('exit', () => output.flushSync())
    for (let line = 0; line < 50_000; line++) output.write(\`line \${line}\\n\`)
    process.exit()`
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, path])
  // Those that a thread was writing may stand behind the others.
  const byNumber = (one: string, other: string) => Number(one.slice(5)) - Number(other.slice(5))
  const found = (await content(path)).split(/(?<=\n)/)
  assert.equal(found.sort(byNumber).join(''), lines(50_000).join(''))
})

test('a pipe that is full takes the lines when it is read again, and what is given up ends the waiting', async (t) => {
  const path = await filePath(t)
  await promisify(execFile)('mkfifo', [path])
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  t.after(() => closeSync(pipe))
  let errors = 0
  const output = createLineOutput(pipe, systemClock, () => errors++)
  const many = lines(20_000).join('')
  output.write(many)
  let read = ''
  await until(async () => {
    const room = Buffer.alloc(many.length)
    try {
      read += room.toString('latin1', 0, readSync(pipe, room))
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
    }
    return read.length >= many.length
  })
  assert.equal(read, many)
  assert.equal(errors, 0)
  output.write(many)
  output.hurry(1)
  await output.flushed()
  assert.equal(errors, 1)
  output.flushSync()
})

test('a file that was moved away keeps what was written before, and the new one gets the rest', async (t) => {
  const path = await filePath(t)
  const output = createLineOutput(path, systemClock, () => assert.fail('no error was due'))
  output.write('old\n')
  await until(async () => (await content(path)) === 'old\n')
  await rename(path, `${path}.1`)
  output.reopen()
  await until(async () => (await content(path)) === '' && (await readFile(path).catch(() => undefined)) !== undefined)
  output.write('new\n')
  await until(async () => (await content(path)) === 'new\n')
  assert.equal(await content(`${path}.1`), 'old\n')
  output.end()
})
