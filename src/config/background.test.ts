import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { systemClock } from '../base/clock.ts'
import { createBackgroundReader } from './background.ts'
import { type LoadDeps, loadConfig } from './load.ts'

/** What came of reading in a thread that runs this instead; `after` is called when it has been started. */
async function loadWith(code: string, clock = systemClock, after = () => {}) {
  const read = createBackgroundReader(clock, () => new Worker(code, { eval: true }))
  const deps: LoadDeps = { clock: systemClock, machineName: 'box.example.net', read }
  const loading = loadConfig('/nowhere/waypost.yaml', deps)
  after()
  const loaded = await loading
  return loaded.kind === 'invalid' ? loaded.problems.map(({ file, message }) => `${file} ${message}`) : assert.fail()
}

test('a thread that ends without a word is a problem of the file', async () => {
  assert.deepEqual(await loadWith('process.exit(7)'), [
    '/nowhere/waypost.yaml could not be read: the thread that reads it ended without a word (exit code 7). Try again, and report it if it stays so',
  ])
})

test('one that reads without end is given up after two minutes, whatever it does', async () => {
  for (const busy of ['setInterval(() => {}, 1000)', 'for (;;);']) {
    const clock = createFakeClock()
    const [problem] = await loadWith(busy, clock, () => clock.advance(120_000))
    assert.match(problem ?? '', /^\/nowhere\/waypost\.yaml was not read to its end within 2 minutes/)
  }
})

test('one that lacks memory says so', async () => {
  const worker = () =>
    new Worker('const all = []; for (;;) all.push(Array(1e4).fill({}))', {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
    })
  const read = createBackgroundReader(systemClock, worker)
  await assert.rejects(read('/nowhere', 'box.example.net'), {
    code: 'WAYPOST_READING_ENDED',
    message: /^needs more memory/,
  })
})

test('a fault of ours stays one', async () => {
  const read = createBackgroundReader(systemClock, () => new Worker('throw new TypeError("no")', { eval: true }))
  await assert.rejects(read('/nowhere', 'box.example.net'), TypeError)
})

test('one that ends between two pieces, while nobody listens, ends the reading too', async () => {
  let worker: Worker | undefined
  const read = createBackgroundReader(systemClock, () => {
    worker = new Worker(
      `const { parentPort } = require('node:worker_threads')
      parentPort.postMessage({ kind: 'read' })
      parentPort.on('message', () => parentPort.postMessage({ kind: 'piece', domains: [] }))`,
      { eval: true },
    )
    return worker
  })
  const result = await read('/nowhere', 'box.example.net')
  const pieces = result.kind === 'read' ? result.domains : assert.fail()
  const taking = async () => {
    for await (const piece of pieces) {
      assert.deepEqual(piece, [])
      await worker?.terminate()
    }
  }
  await assert.rejects(taking(), { code: 'WAYPOST_READING_ENDED' })
})
