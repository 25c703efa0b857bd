/** Processes that are killed, logs that are torn, files that are lost: what was answered is there to the octet, and what is not is told. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../test/lab/until.ts'
import { heldId, heldMessage, lane } from '../../test/unit/held-message.ts'
import { bodyFor } from '../../test/unit/hold-and-die.ts'
import { contentOf } from '../../test/unit/queue-contract/made-queue.ts'
import { systemClock } from '../base/clock.ts'
import { seededRandom } from '../base/random.ts'
import { openStore } from '../store/open.ts'
import { openSqliteQueue, queueModule } from './sqlite/queue.ts'

const program = fileURLToPath(new URL('../../test/unit/hold-and-die.ts', import.meta.url))

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-crash-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function openQueue(t: TestContext, folder: string, maxPages?: number) {
  const size = maxPages === undefined ? {} : { maxPages }
  const opened = await openStore({ folder, modules: [queueModule], ...size }, { clock: systemClock })
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  const corrupt: string[] = []
  const queue = await openSqliteQueue(opened.store, {
    clock: systemClock,
    limits: () => ({ holdBytes: undefined, freeBytes: undefined }),
    corrupt: (id, why) => void corrupt.push(`${id} ${why}`),
    dropped: () => undefined,
  })
  const close = async () => {
    await queue.close()
    await opened.store.close()
  }
  t.after(close)
  return { queue, corrupt, close }
}

/** Runs the program until it has said so many lines, then a little longer, and kills it. @returns what it said */
async function holdAndDie(folder: string, first: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder, String(first), String(first + 1)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    said += text
    if (said.split('\n').length > lines) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return said.split('\n').slice(0, -1)
}

test('a process killed at any moment: what it was told is held is there to the octet', async (t) => {
  const folder = await newFolder(t)
  const random = seededRandom(7)
  const held = new Set<number>()
  let first = 0
  for (let round = 0; round < 5; round++) {
    const said = await holdAndDie(folder, first, 20 + Math.floor(random.number() * 300))
    const going = new Set<number>()
    for (const line of said) {
      const [word, number] = line.split(' ')
      if (word === 'held') held.add(Number(number))
      else if (word === 'going') going.add(Number(number))
      else if (word === 'gone') {
        going.delete(Number(number))
        held.delete(Number(number))
      } else assert.fail(line)
    }
    assert.ok(said.length >= 20)
    const { queue, corrupt, close } = await openQueue(t, folder)
    const there = new Set<string>()
    for (let from: string | undefined; ; ) {
      const page = await queue.list({}, 1000, from)
      for (const { message } of page.messages) there.add(message.id)
      if (page.next === undefined) break
      from = page.next
    }
    for (const number of held) {
      // Asked to go, and killed before the answer: either is right.
      if (going.has(number) && !there.has(heldId(number))) held.delete(number)
      else assert.ok((await contentOf(queue, heldId(number))).equals(bodyFor(number)), `message ${number}`)
    }
    // What was never answered may be there or not, but whole.
    for (const id of there) {
      const number = Number(id.slice(0, 10))
      assert.ok((await contentOf(queue, id)).equals(bodyFor(number)), `message ${number}`)
      first = Math.max(first, number + 1)
    }
    first = Math.max(first, ...held) + 1000
    assert.equal(queue.totals.messages, there.size)
    await queue.swept
    assert.deepEqual(corrupt, [])
    await close()
  }
})

test('a torn log: what stands before the tear is there, whole, and the rest is as if it had never been', async (t) => {
  const folder = await newFolder(t)
  await holdAndDie(folder, 1, 60)
  const random = seededRandom(3)
  const { size } = await stat(join(folder, 'store.db-wal'))
  assert.ok(size > 0)
  const counts: number[] = []
  for (let round = 0; round < 6; round++) {
    const copy = join(await newFolder(t), `copy${round}`)
    await cp(folder, copy, { recursive: true })
    await truncate(join(copy, 'store.db-wal'), Math.floor(random.number() * size))
    const { queue, close } = await openQueue(t, copy)
    await queue.swept
    const { messages } = await queue.list({}, 1000)
    for (const { message } of messages) {
      const number = Number(message.id.slice(0, 10))
      // A file goes when its row is gone for good: a tear that no disk makes brings the row back, and that is told as corrupt.
      if (message.size > 256 * 1024) continue
      assert.ok((await contentOf(queue, message.id)).equals(bodyFor(number)), `message ${number}`)
    }
    counts.push(messages.length)
    assert.deepEqual(await queue.hold(heldMessage({ id: heldId(9_000_000) })), { kind: 'held' })
    await close()
  }
  assert.ok(new Set(counts).size > 1, `the tears made a difference: ${counts}`)
})

test('a file that is lost, short or changed becomes corrupt and is told; a file that nobody names goes', async (t) => {
  const folder = await newFolder(t)
  const first = await openQueue(t, folder)
  const large = Buffer.alloc(400_000, 65)
  for (let number = 1; number <= 4; number++)
    await first.queue.hold(heldMessage({ id: heldId(number), body: large, has8bit: false }))
  await first.close()
  const pathOf = (number: number) => join(folder, 'hold', heldId(number).slice(-2), heldId(number))
  await rm(pathOf(1))
  await truncate(pathOf(2), 1000)
  await writeFile(pathOf(3), Buffer.concat([large.subarray(1), Buffer.from('B')]))
  const [orphan, young] = [`${pathOf(4).slice(0, -4)}ZZ04`, `${pathOf(4).slice(0, -4)}YY04`]
  await writeFile(orphan, 'left behind')
  await writeFile(young, 'on its way')
  await utimes(orphan, new Date(), new Date(Date.now() - 2 * 3_600_000))

  const { queue, corrupt } = await openQueue(t, folder)
  await queue.swept
  await until(() => corrupt.length === 2)
  assert.deepEqual(corrupt.sort(), [
    `${heldId(1)} its file is missing`,
    `${heldId(2)} its file has 1000 octets and not 400000`,
  ])
  assert.equal((await queue.get(heldId(1)))?.recipients[0]?.state, 'corrupt')
  assert.deepEqual((await readdir(join(folder, 'hold', '04'))).sort(), [heldId(4), young.slice(-26)].sort())

  // The right length, and not what was stored: the end of it is never given away.
  const opened = await queue.body(heldId(3))
  assert.equal(opened.kind, 'opened')
  let given = 0
  await assert.rejects(async () => {
    if (opened.kind === 'opened') for await (const block of opened.body.blocks()) given += block.length
  }, /not what was stored/)
  if (opened.kind === 'opened') opened.body.release()
  assert.ok(given < large.length)
  await until(() => corrupt.length === 3)
  assert.deepEqual(
    (await queue.next(lane('main'), 10, new Set())).map(({ message }) => message.id),
    [heldId(4)],
  )
  assert.ok((await contentOf(queue, heldId(4))).equals(large))
})

test('a file of the spool is adopted, and not copied', async (t) => {
  const folder = await newFolder(t)
  const { queue } = await openQueue(t, folder)
  const spooled = join(folder, 'spooled')
  const large = Buffer.alloc(300_000, 66)
  await writeFile(spooled, large)
  const { ino } = await stat(spooled)
  const message = heldMessage({ id: heldId(1), body: large, file: spooled, has8bit: false })
  assert.deepEqual(await queue.hold(message), { kind: 'held' })
  assert.equal((await stat(join(folder, 'hold', heldId(1).slice(-2), heldId(1)))).ino, ino)
  assert.ok((await contentOf(queue, heldId(1))).equals(large))
  await queue.settle({ id: heldId(1), recipients: [{ index: 0, to: { kind: 'gone' } }] })
  assert.deepEqual(await readdir(join(folder, 'hold', heldId(1).slice(-2))), [])
})

test('a store that takes nothing more says so before it is asked, until there is room', async (t) => {
  const { queue } = await openQueue(t, await newFolder(t), 100)
  const held: string[] = []
  const mayHold = () =>
    queue.wouldHold({ size: 0, recipients: 1, domains: ['example.test'], client: undefined }).kind === 'held'
  assert.equal(mayHold(), true)
  for (let number = 0; number < 100; number++) {
    const { kind } = await queue.hold(heldMessage({ id: heldId(number), body: Buffer.alloc(20_000, 66) }))
    if (kind !== 'held') break
    held.push(heldId(number))
  }
  assert.equal(mayHold(), false)
  for (const id of held) await queue.settle({ id, recipients: [{ index: 0, to: { kind: 'gone' } }] })
  await until(mayHold)
})
