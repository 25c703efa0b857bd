import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { LiveFirst, type Wait } from './live-first.ts'

/** A drain that begins one attempt a millisecond, whenever it may. @returns how many it began in each of the milliseconds */
async function drainFor(
  live: LiveFirst,
  clock: ReturnType<typeof createFakeClock>,
  ms: number,
  each?: (at: number) => void,
) {
  const began: number[] = []
  let standsBack = false
  for (let at = 0; at < ms; at++) {
    each?.(at)
    if (!standsBack) {
      const turn = live.turn()
      if (turn) {
        standsBack = true
        void turn.then(() => {
          standsBack = false
        })
      }
    }
    began.push(standsBack ? 0 : 1)
    clock.advance(1)
    await Promise.resolve()
  }
  return began
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0)

test('without live mail nothing stands back', () => {
  const live = new LiveFirst(createFakeClock())
  assert.equal(live.turn(), undefined)
  assert.equal(live.turn(), undefined)
})

test('nothing begins while a sender waits, nor in the moment in which it says the next thing', async () => {
  const clock = createFakeClock()
  const live = new LiveFirst(clock)
  let wait: Wait
  const began = await drainFor(live, clock, 30, (at) => {
    if (at === 5 || at === 12) wait = live.begin(clock.monotonicMs())
    if (at === 10 || at === 15) live.end(wait, clock.monotonicMs())
  })
  assert.deepEqual(began, [...Array(5).fill(1), ...Array(14).fill(0), ...Array(11).fill(1)])
})

for (const [what, everyMs, tookMs] of [
  ['one message after the other', 3, 2],
  ['many at a time', 10, 60],
] as const)
  test(`where senders wait all the time, ${what}, a fifth of the time is left to the drain`, async () => {
    const clock = createFakeClock()
    const live = new LiveFirst(clock)
    const ends = new Map<number, Wait[]>()
    const began = await drainFor(live, clock, 1250, (at) => {
      for (const wait of ends.get(at) ?? []) live.end(wait, clock.monotonicMs())
      if (at % everyMs === 0) ends.set(at + tookMs, [...(ends.get(at + tookMs) ?? []), live.begin(clock.monotonicMs())])
    })
    assert.ok(Math.abs(sum(began) - 250) <= 15, `${sum(began)}`)
    // At a stretch no more than the tenth of a second.
    assert.ok(!began.join('').includes('0'.repeat(103)))
  })

test('a backend that takes its time, or never comes to an end, holds up nothing that is held', async () => {
  const clock = createFakeClock()
  const live = new LiveFirst(clock)
  const wait = live.begin(clock.monotonicMs())
  const began = await drainFor(live, clock, 1250)
  assert.ok(sum(began) >= 1_140, `${sum(began)}`)
  live.end(wait, clock.monotonicMs())
  clock.advance(5)
  assert.equal(live.turn(), undefined)
})

test('all lanes that stand back go on together', async () => {
  const clock = createFakeClock()
  const live = new LiveFirst(clock)
  const wait = live.begin(clock.monotonicMs())
  const order: string[] = []
  const [first, second] = [live.turn(), live.turn()]
  void first?.then(() => order.push('first'))
  void second?.then(() => order.push('second'))
  live.end(wait, clock.monotonicMs())
  clock.advance(3)
  await Promise.resolve()
  assert.deepEqual(order, [])
  clock.advance(2)
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'second'])
})
