import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { createBudget, createKeyedBudget } from '../../base/limits.ts'
import { type BodyBudgets, IncomingBody, prepareSpool } from './incoming-body.ts'

const kib = 1024

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-body-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

function at(...parts: string[]): () => string {
  const path = join(...parts)
  return () => path
}

function budgets(memory = 64 * kib * kib, spool = 1024 * kib * kib): BodyBudgets {
  return {
    memory: createBudget(() => memory),
    memoryPerNetwork: createKeyedBudget(() => memory / 4),
    spool: createBudget(() => spool),
    spoolPerNetwork: createKeyedBudget(() => spool / 4),
  }
}

async function content(body: { blocks(): readonly Buffer[] | AsyncIterable<Buffer> }): Promise<Buffer> {
  const blocks: Buffer[] = []
  for await (const block of body.blocks()) blocks.push(block)
  return Buffer.concat(blocks)
}

test('whatever the chunks are, the same octets come out, from memory and from the file', async (t) => {
  const path = await folder(t)
  let serial = 0
  const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 70 * kib })), {
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const used = budgets()
      const body = new IncomingBody(at(path, `b${serial++}`), 'net', used)
      const chunks = lengths.map((length, index) => Buffer.alloc(length, 65 + (index % 26)))
      for (const chunk of chunks) {
        const again = Buffer.from(chunk)
        const wait = body.write(again)
        again.fill(0) // the chunk is the caller's again at once
        await wait
      }
      const whole = body.finish(false)
      assert.deepEqual(await content(whole), Buffer.concat(chunks))
      assert.deepEqual(await content(whole), Buffer.concat(chunks), 'a second time')
      assert.equal(whole.size, Buffer.concat(chunks).length)
      whole.release()
      whole.release()
      assert.equal(
        used.memory.used + used.spool.used + used.memoryPerNetwork.used('net') + used.spoolPerNetwork.used('net'),
        0,
      )
    }),
    { numRuns: 60 },
  )
})

test('a thousand one-byte chunks cost one block', async (t) => {
  const used = budgets()
  const body = new IncomingBody(at(await folder(t), 'b'), 'net', used)
  for (let count = 0; count < 1000; count++) assert.equal(body.write(Buffer.from('x')), undefined)
  assert.equal(used.memory.used, 4 * kib)
  body.release()
})

test('beyond 256 KiB memory is given back and a file holds it, which goes with the message', async (t) => {
  const path = join(await folder(t), 'b')
  const used = budgets()
  const body = new IncomingBody(at(path), 'net', used)
  await body.write(Buffer.alloc(200 * kib, 'a'))
  assert.equal(existsSync(path), false)
  await body.write(Buffer.alloc(100 * kib, 'b'))
  assert.equal(used.memory.used, 0)
  assert.equal(existsSync(path), true)
  const whole = body.finish(false)
  assert.equal((await content(whole)).length, 300 * kib)
  whole.release()
  await gone(path)
})

test('a network’s quarter of the memory is full: the file takes over, others are not touched', async (t) => {
  const path = await folder(t)
  const used = budgets(64 * kib)
  const first = new IncomingBody(at(path, 'a'), 'net', used)
  await first.write(Buffer.alloc(30 * kib, 'a'))
  assert.equal(used.memory.used, 0)
  assert.equal((await content(first.finish(false))).length, 30 * kib)
  const other = new IncomingBody(at(path, 'b'), 'other', used)
  assert.equal(other.write(Buffer.alloc(4 * kib)), undefined)
  first.release()
  other.release()
})

test('no room in the spool: the body says so and holds nothing', async (t) => {
  const used = budgets(64 * kib, 40 * kib)
  const body = new IncomingBody(at(await folder(t), 'b'), 'net', used)
  await body.write(Buffer.alloc(9 * kib))
  await body.write(Buffer.alloc(9 * kib))
  assert.equal(body.problem, 'full')
  assert.equal(used.spool.used, 0)
  assert.equal(used.memory.used, 0)
})

test('a file that cannot be written is a problem, not an exception', async (t) => {
  const body = new IncomingBody(at(await folder(t), 'no', 'such', 'folder'), 'net', budgets())
  await body.write(Buffer.alloc(300 * kib))
  assert.equal(body.problem, 'failed')
  assert.match(String(body.failure), /ENOENT/)
})

test('the sender leaves while the file is being written: nothing stays behind', async (t) => {
  const path = await folder(t)
  const body = new IncomingBody(at(path, 'b'), 'net', budgets())
  const writing = body.write(Buffer.alloc(300 * kib))
  body.release()
  await writing
  await gone(join(path, 'b'))
})

test('at the start the spool is emptied: nobody was told 250 for what lies there', async (t) => {
  const path = join(await folder(t), 'spool')
  await prepareSpool(path)
  await writeFile(join(path, 'left-over'), 'x')
  await prepareSpool(path)
  assert.deepEqual(await readdir(path), [])
})

/** Closing and removing is not waited for by anybody but this test. */
async function gone(path: string): Promise<void> {
  const untilMs = performance.now() + 60_000
  while (existsSync(path)) {
    assert.ok(performance.now() < untilMs, `${path} is still there`)
    await new Promise(setImmediate)
  }
}

test('what is only declared takes no room: two senders may announce what both cannot have, and the second to send it hears so', () => {
  const used = budgets(0, 4 * 100 * kib)
  const [first, second] = [new IncomingBody(at('/none/a'), 'net', used), new IncomingBody(at('/none/b'), 'net', used)]
  assert.ok(first.fits(90 * kib))
  assert.ok(second.fits(90 * kib))
  assert.equal(used.spool.used + used.spoolPerNetwork.used('net'), 0)
  assert.ok(!first.fits(110 * kib))
  assert.equal(used.spool.used + used.spoolPerNetwork.used('net'), 0)
})
