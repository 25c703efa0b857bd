import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeServer, settled, standingClock, tooMany } from '../../test/unit/fake-sessions.ts'
import { Cancel } from '../base/cancel.ts'
import { Pool } from './pool.ts'
import type { PooledSession } from './pooled-session.ts'
import type { Taken, Wish } from './waiting-line.ts'

/** A pool whose server answers at once, when it is asked to. */
function poolOf(most: number) {
  const server = fakeServer()
  const clock = standingClock()
  const pool = new Pool(most, server.open, clock, () => undefined)
  const take = (key: string, more: Partial<Wish> = {}) =>
    pool.take({ key, fresh: false, isFromHold: false, sessionUntilMs: 10_000, readyUntilMs: 10_000, ...more })
  /** So many for the key, which it has in the end. */
  const have = async (count: number, key: string, more?: Partial<Wish>): Promise<PooledSession[]> => {
    const taken = Array.from({ length: count }, () => take(key, more))
    for (const opening of [...server.openings]) opening.succeed()
    return await Promise.all(taken.map(sessionOf))
  }
  return { server, clock, pool, take, have }
}

/** What was taken, which has happened by now. */
async function sessionOf(taking: Taken | Promise<Taken>): Promise<PooledSession> {
  const taken = await Promise.race([taking, settled()])
  assert(taken?.kind === 'taken', taken?.kind ?? 'it waits')
  return taken.pooled
}

const shares = [
  [20, 18],
  [16, 14],
  [8, 7],
  [4, 3],
  [3, 3],
  [1, 1],
] as const

for (const [most, ofOne] of shares)
  test(`of ${most} sessions one key has ${ofOne}, and others do not wait for the rest`, async () => {
    const { server, pool, take, have } = poolOf(most)
    await have(ofOne, 'a')
    void take('a')
    assert.deepEqual(pool.counts, { busy: ofOne, idle: 0, waiting: 1 })
    void take('b')
    assert.deepEqual([pool.counts.busy, server.openings.length], most > ofOne ? [ofOne + 1, 1] : [most, 0])
  })

test('who has its share waits while a session stands free for others, and is served with the next of its own', async () => {
  const { pool, take, have } = poolOf(8)
  const [first] = await have(7, 'a')
  const [other] = await have(1, 'b')
  const waiting = take('a')
  if (other) pool.give(other, 'done')
  assert.deepEqual(pool.counts, { busy: 7, idle: 1, waiting: 1 })
  // What is kept serves the others without waiting, one after the other.
  for (const key of ['b', 'c']) pool.give(await sessionOf(take(key)), 'done')
  assert.deepEqual(pool.counts, { busy: 7, idle: 1, waiting: 1 })
  if (first) pool.lose(first)
  assert.equal(await sessionOf(waiting), other)
  assert.deepEqual(pool.counts, { busy: 7, idle: 0, waiting: 0 })
})

test("the turn of a key that has its share is another one's, and comes when it has less", async () => {
  const { pool, take, have } = poolOf(8)
  const [first, second] = await have(7, 'a')
  const [other] = await have(1, 'b')
  assert(first && second && other)
  const order: string[] = []
  const waiting = ['a', 'a', 'b'].map(async (key) => {
    await take(key)
    order.push(key)
  })
  pool.give(other, 'done')
  await settled()
  assert.deepEqual(order, ['b'])
  pool.give(first, 'done')
  pool.give(second, 'done')
  await Promise.all(waiting)
  assert.deepEqual(order, ['b', 'a', 'a'])
})

test('a session counts until its RSET is answered, while it listens, and while it is being opened', async () => {
  const { server, pool, take, have } = poolOf(8)
  const [reset, listens] = await have(6, 'a')
  assert(reset && listens)
  void take('a')
  assert.equal(server.openings.length, 1)
  assert.equal(
    pool.keepListening(listens, () => undefined),
    true,
  )
  pool.give(reset, 'open')
  const waiting = take('a')
  assert.deepEqual(pool.counts, { busy: 7, idle: 0, waiting: 1 })
  server.sessions[0]?.answerReset?.(true)
  assert.equal(await sessionOf(waiting), reset)
})

test('who wants a fresh session and has its share waits too, and one that stands free makes room for it then', async () => {
  const { server, pool, take, have } = poolOf(4)
  const [first] = await have(3, 'a')
  const [other] = await have(1, 'b')
  assert(first && other)
  pool.give(other, 'done')
  void take('a', { fresh: true })
  assert.equal(pool.counts.waiting, 1)
  pool.give(first, 'done')
  assert.deepEqual([pool.counts, server.openings.length], [{ busy: 3, idle: 1, waiting: 0 }, 1])
})

test('what is held and one key together leave the others their share, and what is held gets its turn', async () => {
  const { pool, take, have } = poolOf(8)
  const [first] = await have(6, 'a')
  assert(first)
  await have(1, 'lane', { isFromHold: true })
  const order: string[] = []
  const wait = async (key: string, isFromHold = false) => {
    await take(key, { isFromHold })
    order.push(key)
  }
  const waiting = [wait('lane', true), ...Array.from({ length: 5 }, () => wait('a'))]
  assert.deepEqual(pool.counts, { busy: 7, idle: 0, waiting: 6 })
  // Whoever passes by is one of four too.
  await have(1, 'b')
  for (let turn = 0; turn < 5; turn++) {
    pool.give(first, 'done')
    await settled()
  }
  assert.deepEqual(order, ['a', 'a', 'a', 'lane', 'a'])
  pool.give(first, 'done')
  await Promise.all(waiting)
  assert.deepEqual(pool.counts, { busy: 8, idle: 0, waiting: 0 })
})

test('what is held has no more than half of the sessions also where all are opened at once', async () => {
  const { server, take } = poolOf(8)
  const taken = Array.from({ length: 6 }, (_, at) => take(`lane ${at}`, { isFromHold: true }))
  assert.equal(server.openings.length, 4)
  assert.deepEqual(await Promise.all(taken.slice(4)), [{ kind: 'busy' }, { kind: 'busy' }])
})

test('the server itself has room for fewer: the share is one of those', async () => {
  const { server, pool, take, have } = poolOf(20)
  const [first] = await have(3, 'a')
  const [other] = await have(1, 'b')
  assert(first && other)
  const waiting = take('a')
  server.openings[0]?.fail(tooMany)
  await settled()
  pool.give(other, 'done')
  assert.deepEqual(pool.counts, { busy: 3, idle: 1, waiting: 1 })
  pool.give(first, 'done')
  assert.equal(await sessionOf(waiting), first)
})

test('whose sender has gone hears that the server has no room for one more: the next of its key is served with what stands free', async () => {
  const { server, pool, take, have } = poolOf(4)
  await have(2, 'a')
  const [other] = await have(1, 'b')
  assert(other)
  pool.give(other, 'done')
  const cancel = new Cancel()
  void take('a', { fresh: true, cancel })
  const waiting = take('a')
  assert.deepEqual(pool.counts, { busy: 3, idle: 1, waiting: 1 })
  cancel.cancel()
  server.openings[0]?.fail(tooMany)
  await settled()
  assert.deepEqual(pool.counts, { busy: 3, idle: 0, waiting: 0 })
  assert.equal(await sessionOf(waiting), other)
})

test('a minute after the server had no room, all who wait are served as soon as anything happens', async () => {
  const { server, pool, clock, take, have } = poolOf(8)
  const [first] = await have(1, 'a')
  assert(first)
  for (const key of ['b', 'c', 'd']) void take(key, { sessionUntilMs: 100_000 })
  for (const opening of [...server.openings]) opening.fail(tooMany)
  await settled()
  assert.deepEqual(pool.counts, { busy: 1, idle: 0, waiting: 3 })
  clock.pass(60_000)
  pool.give(first, 'done')
  assert.deepEqual([pool.counts, server.openings.length], [{ busy: 3, idle: 0, waiting: 0 }, 2])
})
