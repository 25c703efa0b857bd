import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../test/lab/until.ts'
import type { NoteOperations } from '../../test/unit/notes-tables.ts'
import { mountSmallDisk } from '../../test/unit/small-disk.ts'
import { systemClock } from '../base/clock.ts'
import { StoreFailure } from './failure.ts'
import { openStore, type StoreOptions, whyNotOpened } from './open.ts'
import type { Store, StoreState } from './store.ts'

const notes = new URL('../../test/unit/notes-tables.ts', import.meta.url)
const oldNotes = new URL('../../test/unit/old-notes-tables.ts', import.meta.url)

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-store-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function open(t: TestContext, folder: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  const opened = await openStore({ folder, modules: [notes], ...options }, { clock: systemClock })
  if (opened.kind !== 'opened') throw new Error(whyNotOpened(opened, folder))
  t.after(() => opened.store.close())
  return opened.store
}

const roomOf = (store: Store) => store.room<NoteOperations>('notes')

test('what was written is there when the store is opened again', async (t) => {
  const folder = await newFolder(t)
  const store = await open(t, folder)
  const octets = await roomOf(store).write('put', 'a', { payload: [Buffer.from('one '), Buffer.from('two')] })
  assert.equal(octets, 7)
  await store.close()
  const again = roomOf(await open(t, folder))
  assert.deepEqual(Buffer.from((await again.read('content', 'a')) ?? []).toString(), 'one two')
})

test('it is durable: write-ahead log, synced at each COMMIT, and for its owner alone', async (t) => {
  const folder = join(await newFolder(t), 'below')
  const room = roomOf(await open(t, folder))
  assert.equal(await room.write('pragma', 'journal_mode'), 'wal')
  assert.equal(await room.write('pragma', 'synchronous'), 2)
  assert.equal(await room.write('pragma', 'auto_vacuum'), 2)
  assert.equal(await room.write('pragma', 'journal_size_limit'), 64 * 1024 * 1024)
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
})

test('a second opener is told that the store is in use, until the first has closed', async (t) => {
  const folder = await newFolder(t)
  const store = await open(t, folder)
  const second = await openStore({ folder, modules: [notes] }, { clock: systemClock })
  assert.deepEqual(second, { kind: 'in-use' })
  assert.match(whyNotOpened({ kind: 'in-use' }, folder), /in use: another Waypost runs on it/)
  await store.close()
  await open(t, folder)
})

test('an operation that fails takes nobody along, and leaves nothing', async (t) => {
  const room = roomOf(await open(t, await newFolder(t)))
  const outcomes = await Promise.allSettled([
    room.write('put', 'a'),
    room.write('putAndBreak', 'b'),
    room.write('put', 'a'),
    room.write('put', 'c'),
  ])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  const [, broken] = outcomes
  assert.match(
    String(broken?.status === 'rejected' && broken.reason),
    /notes\.putAndBreak: TypeError: broken on purpose/,
  )
  assert.deepEqual(await room.read('names', undefined), ['a', 'c'])
})

test('results are told in the order of the operations, before their promises resolve', async (t) => {
  const room = roomOf(await open(t, await newFolder(t)))
  const told: string[] = []
  await Promise.all(
    Array.from({ length: 1000 }, async (_, number) => {
      await room.write('put', String(number), { committed: () => void told.push(`committed ${number}`) })
      assert.ok(told.includes(`committed ${number}`))
    }),
  )
  assert.deepEqual(
    told,
    Array.from({ length: 1000 }, (_, number) => `committed ${number}`),
  )
})

test('a database is brought forward from each earlier version, and one of a later version is left alone', async (t) => {
  const folder = await newFolder(t)
  const early = await open(t, folder, { modules: [oldNotes] })
  await roomOf(early).write('put', 'a')
  await early.close()

  const late = await open(t, folder)
  assert.deepEqual(await roomOf(late).read('colors', undefined), ['grey'])
  await late.close()

  const refused = await openStore({ folder, modules: [oldNotes] }, { clock: systemClock })
  assert.deepEqual(refused, { kind: 'newer', room: 'notes', version: 3, known: 1 })
  assert.match(refused.kind === 'newer' ? whyNotOpened(refused, folder) : '', /written by a later Waypost/)
  // Nothing was changed, and nothing is locked.
  await open(t, folder)
})

test('what is no database is told as corrupt', async (t) => {
  const folder = await newFolder(t)
  await writeFile(
    join(folder, 'store.db'),
    'this is a letter and no database, and long enough to be looked at as one'.repeat(50),
  )
  const opened = await openStore({ folder, modules: [notes] }, { clock: systemClock })
  assert.equal(opened.kind === 'failed' && opened.failure.code, 'corrupt')
})

test('a folder that may not be written is told as read-only', async (t) => {
  const disk = mountSmallDisk(t, 8)
  if (!disk) return t.diagnostic('not tested: this user may not mount a file system')
  disk.makeReadOnly()
  const refused = await openStore({ folder: disk.folder, modules: [notes] }, { clock: systemClock })
  assert.equal(refused.kind === 'failed' && refused.failure.code, 'read-only')
  assert.match(
    refused.kind === 'failed' ? whyNotOpened(refused, '/state') : '',
    /^the store in \/state cannot be written by this user \(.*\): its files belong to another one, .*see "ls -l \/state"$/,
  )
  disk.makeWritable()
  await (await open(t, disk.folder)).close()
})

test('a real disk that is full, filled by somebody else: it goes on when there is room', async (t) => {
  const disk = mountSmallDisk(t, 8)
  if (!disk) return t.diagnostic('not tested: this user may not mount a file system')
  const store = await open(t, disk.folder)
  const room = roomOf(store)
  await room.write('put', 'a', { payload: [Buffer.alloc(100_000, 1)] })
  const filler = join(disk.folder, 'filler')
  await writeFile(filler, Buffer.alloc(64 * 1024 * 1024)).catch(() => undefined)
  await assert.rejects(
    room.write('put', 'b', { payload: [Buffer.alloc(100_000)] }),
    (error) => error instanceof StoreFailure && (error.code === 'full' || error.code === 'io'),
  )
  assert.deepEqual(await room.read('names', undefined), ['a'])
  await rm(filler)
  await until(() => store.state.kind === 'writable')
  await room.write('put', 'c', { payload: [Buffer.alloc(100_000)] })
  await store.close()
  assert.deepEqual(await roomOf(await open(t, disk.folder)).read('names', undefined), ['a', 'c'])
})

test('a full disk: writes fail as full, what was written stays, and it goes on when there is room', async (t) => {
  const folder = await newFolder(t)
  const store = await open(t, folder, { maxPages: 100 })
  const states: StoreState[] = []
  store.onState((state) => states.push(state))
  const room = roomOf(store)
  const held: string[] = []
  let failure: unknown
  for (let number = 0; number < 100 && !failure; number++) {
    const name = String(number).padStart(3, '0')
    await room.write('put', name, { payload: [Buffer.alloc(20_000)] }).then(
      () => held.push(name),
      (error: unknown) => {
        failure = error
      },
    )
  }
  assert.ok(failure instanceof StoreFailure)
  assert.equal(failure.code, 'full')
  assert.equal(store.state.kind, 'failing')
  assert.ok(held.length > 5)
  assert.deepEqual(await room.read('names', undefined), held)
  for (const name of held.splice(0, 8)) await room.write('remove', name)
  await until(() => store.state.kind === 'writable')
  await room.write('put', 'zzz', { payload: [Buffer.alloc(20_000)] })
  assert.deepEqual(await room.read('names', undefined), [...held, 'zzz'])
  assert.deepEqual(
    states.map(({ kind }) => kind),
    ['failing', 'writable'],
  )
})

test('what an outage took is given back to the disk when it is over', async (t) => {
  const folder = await newFolder(t)
  const store = await open(t, folder)
  const room = roomOf(store)
  const sizeOf = async () => (await stat(join(folder, 'store.db'))).size
  const names = Array.from({ length: 100 }, (_, number) => String(number))
  await Promise.all(names.map((name) => room.write('put', name, { payload: [Buffer.alloc(250_000)] })))
  await until(async () => (await sizeOf()) > 20_000_000)
  await Promise.all(names.map((name) => room.write('remove', name)))
  // 16 MiB stay for the next one.
  await until(async () => (await sizeOf()) < 18_000_000)
  assert.ok((await sizeOf()) > 15_000_000)
})

test('what is asked for when the store is closed fails as closed', async (t) => {
  const store = await open(t, await newFolder(t))
  const room = roomOf(store)
  const last = room.write('put', 'last')
  await Promise.all([store.close(), store.close()])
  await last
  await assert.rejects(room.write('put', 'b'), (error) => error instanceof StoreFailure && error.code === 'closed')
  await assert.rejects(
    room.read('names', undefined),
    (error) => error instanceof StoreFailure && error.code === 'closed',
  )
  assert.equal(store.state.kind, 'closed')
})
