import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { StoreFailure } from './failure.ts'
import { createGroupCommit } from './group-commit.ts'
import { type Order, unpackCalls } from './protocol.ts'
import type { StoreState } from './store.ts'

/** A writer thread by hand: what was posted, to be answered when the test says so. */
function byHand(t: TestContext) {
  const clock = createFakeClock()
  const orders: Order[] = []
  const states: StoreState[] = []
  const commits = createGroupCommit({
    clock,
    post: (order) => void orders.push(order),
    changed: (state) => states.push(state),
  })
  t.after(() => commits.end('the test is over'))
  const write = (name: string, octets = 0) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    commits.add({
      call: { room: 'notes', operation: 'put', argument: name },
      payload: [Buffer.alloc(octets)],
      octets,
      undo: { room: 'notes', operation: 'remove', argument: name },
      committed() {},
      resolve,
      reject,
    })
    promise.catch(() => undefined)
    return promise
  }
  const last = () => {
    const order = orders.at(-1)
    assert.ok(order)
    return order
  }
  const names = (order: Order) =>
    order.kind === 'batch' ? unpackCalls(order.calls).map(({ argument }) => argument) : order.kind
  const undone = (order: Order) => ('undos' in order ? order.undos.map(({ argument }) => argument) : [])
  const worked = (count: number) =>
    commits.answered({ kind: 'batch', results: Array(count).fill(undefined), failed: [], failure: undefined })
  const broke = (isUnknown: boolean) =>
    commits.answered({ kind: 'batch', results: [], failed: [], failure: { code: 'io', message: 'broke', isUnknown } })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { clock, orders, states, commits, write, last, names, undone, worked, broke, turn }
}

const isUnknown = (expected: boolean) => (error: unknown) =>
  error instanceof StoreFailure && error.isUnknown === expected

test('where nobody writes, a little is written every half minute, and a disk that has become read-only is known by it', (t) => {
  const { clock, orders, states, commits, last } = byHand(t)
  clock.advance(29_000)
  assert.equal(orders.length, 0)
  clock.advance(1_000)
  assert.deepEqual(last(), { kind: 'probe', undos: [], octets: 1024 })
  commits.answered({ kind: 'probe', failure: undefined })
  clock.advance(30_000)
  assert.equal(orders.length, 2)
  commits.answered({ kind: 'probe', failure: { code: 'read-only', message: 'no', isUnknown: false } })
  assert.deepEqual(states, [{ kind: 'failing', code: 'read-only', why: 'no' }])
  clock.advance(1_000)
  assert.deepEqual(last(), { kind: 'probe', undos: [], octets: 65_536 })
  commits.answered({ kind: 'probe', failure: undefined })
  assert.equal(commits.state.kind, 'writable')
})

test('a write puts the next trial off', async (t) => {
  const { clock, orders, write, worked, turn, last } = byHand(t)
  clock.advance(20_000)
  write('a')
  await turn()
  worked(1)
  clock.advance(20_000)
  assert.equal(orders.length, 1)
  clock.advance(10_000)
  assert.equal(last().kind, 'probe')
})

test('what is asked for while a transaction is under way goes together into the next one', async (t) => {
  const { write, orders, names, worked, turn } = byHand(t)
  write('a')
  write('b')
  await turn()
  write('c')
  await turn()
  write('d')
  await turn()
  assert.deepEqual(orders.map(names), [['a', 'b']])
  worked(2)
  await turn()
  assert.deepEqual(orders.map(names), [
    ['a', 'b'],
    ['c', 'd'],
  ])
})

test('many that wait go as a second batch at once, and never a third', async (t) => {
  const { write, orders, worked, turn } = byHand(t)
  write('first')
  await turn()
  for (let number = 0; number < 40; number++) write(String(number))
  await turn()
  assert.equal(orders.length, 2)
  for (let number = 0; number < 40; number++) write(String(number))
  await turn()
  assert.equal(orders.length, 2)
  worked(1)
  await turn()
  assert.equal(orders.length, 3)
})

test('a transaction is bounded in operations and in octets', async (t) => {
  const { write, last, names, worked, turn } = byHand(t)
  for (let number = 0; number < 300; number++) write(String(number))
  await turn()
  assert.equal(names(last()).length, 256)
  worked(256)
  await turn()
  worked(44)
  for (const name of ['a', 'b', 'c']) write(name, 7 * 1024 * 1024)
  await turn()
  assert.deepEqual(names(last()), ['a', 'b'])
})

test('what a failed COMMIT left unknown is never a success, and is taken back first thing', async (t) => {
  const { clock, write, last, undone, broke, worked, commits, states, turn } = byHand(t)
  const first = write('a')
  await turn()
  broke(true)
  await assert.rejects(first, isUnknown(true))
  assert.equal(commits.state.kind, 'failing')

  const second = write('b')
  await turn()
  assert.deepEqual(undone(last()), ['a'])
  broke(true)
  await assert.rejects(second, isUnknown(true))

  // It tries by itself, and is writable only when that has worked.
  clock.advance(1000)
  assert.equal(last().kind, 'probe')
  assert.deepEqual(undone(last()), ['a', 'b'])
  commits.answered({ kind: 'probe', failure: { code: 'io', message: 'still', isUnknown: false } })
  assert.equal(commits.state.kind, 'failing')
  clock.advance(1000)
  clock.advance(1000)
  assert.equal(last().kind, 'probe')
  commits.answered({ kind: 'probe', failure: undefined })
  assert.deepEqual(
    states.map(({ kind }) => kind),
    ['failing', 'writable'],
  )

  write('c')
  await turn()
  assert.deepEqual(undone(last()), [])
  worked(1)
})

test('what failed for certain is not taken back, because it never happened', async (t) => {
  const { write, last, undone, broke, turn } = byHand(t)
  const first = write('a')
  await turn()
  broke(false)
  await assert.rejects(first, isUnknown(false))
  write('b')
  await turn()
  assert.deepEqual(undone(last()), [])
})

test('a disk that gives no answer: who waits is told in time, and what it did after all is taken back', async (t) => {
  const { clock, write, last, undone, worked, commits, turn } = byHand(t)
  const first = write('a')
  await turn()
  const second = write('b')
  for (let second = 0; second < 31; second++) clock.advance(1000)
  await assert.rejects(first, isUnknown(true))
  await assert.rejects(second, isUnknown(false))
  await assert.rejects(write('c'), isUnknown(false))
  assert.equal(commits.state.kind, 'failing')

  worked(1)
  clock.advance(1)
  assert.equal(last().kind, 'probe')
  assert.deepEqual(undone(last()), ['a'])
  commits.answered({ kind: 'probe', failure: undefined })
  assert.equal(commits.state.kind, 'writable')
})
