import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempted } from './attempt.ts'
import { Pace } from './pace.ts'

const ended = (kind: 'route-out' | 'busy' | 'gone' | 'unable' | 'broken'): Attempted =>
  kind === 'unable' || kind === 'broken' ? { kind, endpoint: undefined, why: '' } : { kind, why: '' }

const spoken = (delivered: number): Attempted => ({
  ...{ kind: 'spoken', endpoint: undefined, outcome: delivered > 0 ? 'delivered' : 'refused', delivered },
  ...{ possibleDuplicates: 0, settlement: undefined },
  ...{ refused: [], heard: [], late: undefined, owed: undefined, why: '' },
})

/** How many may be asked about at once. */
function atOnce(pace: Pace): number {
  let asking = 0
  while (!pace.isFull(asking, asking)) asking++
  return asking
}

test('one message at once until one is delivered, then one more with each, to fifty', () => {
  const pace = new Pace()
  assert.equal(atOnce(pace), 1)
  pace.learn(spoken(0), 10, 1)
  assert.equal(atOnce(pace), 1, 'a refusal is no delivery')
  pace.learn(spoken(1), 10, 1)
  assert.equal(atOnce(pace), 2)
  for (let times = 0; times < 100; times++) pace.learn(spoken(1), 10, 1)
  assert.equal(atOnce(pace), 50)
})

test('three times as many may be open, those that are being written down with them', () => {
  const pace = new Pace()
  assert.equal(pace.isFull(0, 2), false)
  assert.equal(pace.isFull(0, 3), true)
})

test('a backend that has enough is asked about one fewer than it was, and then about more with care', () => {
  const pace = new Pace()
  for (let times = 0; times < 9; times++) pace.learn(spoken(1), 10, 1)
  assert.equal(pace.learn(ended('busy'), 10, 6), undefined)
  assert.equal(atOnce(pace), 5)
  for (let times = 0; times < 10; times++) pace.learn(spoken(1), 10, 1)
  assert.equal(atOnce(pace), 5)
})

test('one that has no room for a single one is left alone', () => {
  assert.equal(new Pace().learn(ended('busy'), 10, 1), 'busy')
})

test('a delivery that takes four times as long as usual, and over two seconds, halves the window', () => {
  const pace = new Pace()
  for (let times = 0; times < 9; times++) pace.learn(spoken(1), 600, 1)
  assert.equal(atOnce(pace), 10)
  pace.learn(spoken(1), 2_300, 1)
  assert.equal(atOnce(pace), 11)
  pace.learn(spoken(1), 5_000, 1)
  assert.equal(atOnce(pace), 5)
})

test('three sessions in a row that break are enough, and fifty messages that a backend could not take', () => {
  const breaking = new Pace()
  assert.deepEqual(
    (['broken', 'broken', 'unable', 'broken', 'broken', 'broken'] as const).map((kind) =>
      breaking.learn(ended(kind), 10, 1),
    ),
    [undefined, undefined, undefined, undefined, undefined, 'unable'],
  )
  const unable = new Pace()
  for (let times = 0; times < 49; times++) assert.equal(unable.learn(ended('unable'), 10, 1), undefined)
  unable.learn(spoken(0), 10, 1)
  for (let times = 0; times < 49; times++) assert.equal(unable.learn(ended('unable'), 10, 1), undefined)
  assert.equal(unable.learn(ended('unable'), 10, 1), 'unable')
})

test('nobody to be asked is enough at once, and a message that is gone says nothing', () => {
  assert.equal(new Pace().learn(ended('route-out'), 10, 1), 'route-out')
  assert.equal(new Pace().learn(ended('gone'), 10, 1), undefined)
})

test('one that says nothing for long halves them: a silent backend is not handed the whole queue', () => {
  const pace = new Pace()
  for (let times = 0; times < 49; times++) pace.learn(spoken(1), 10, 1)
  assert.equal(atOnce(pace), 50)
  for (let silent = 0; silent < 50; silent++) pace.narrow()
  assert.equal(atOnce(pace), 1)
})
