import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { createGuesses } from './guesses.ts'

test('what is on its way counts as refused until it is answered, and a message that was taken makes room until the next refusal', () => {
  const client = createGuesses(createFakeClock()).join('192.0.2.1')
  client.begin('one', 3)
  assert.deepEqual([client.hasRoom('one', 3), client.hasRoom('one', 4)], [false, true])
  client.end('one', 3)
  client.taken(2)
  client.begin('one', 2)
  assert.deepEqual([client.hasRoom('one', 0), client.hasRoom('one', 1)], [false, true])
  client.begin('one', 1)
  client.refused()
  assert.deepEqual([client.hasRoom('one', 3), client.hasRoom('one', 4)], [false, true])
})

test('each route has room of its own', () => {
  const client = createGuesses(createFakeClock()).join('192.0.2.1')
  client.begin('silent', 30)
  assert.deepEqual([client.hasRoom('silent', 30), client.hasRoom('other', 1)], [false, true])
})

test('connections of one client are counted together, and who waits looks again with each answer, when one of them goes, or in time', async () => {
  const clock = createFakeClock()
  const guesses = createGuesses(clock)
  const [one, two] = [guesses.join('192.0.2.1'), guesses.join('192.0.2.1')]
  guesses.join('192.0.2.2')
  assert.equal(guesses.size, 2)
  one.begin('one', 1)
  assert.equal(two.hasRoom('one', 1), false)

  const answered = [two.waitForAnswer(1_000), two.waitForAnswer(1_000)]
  one.end('one', 1)
  await Promise.all(answered)
  const left = two.waitForAnswer(1_000)
  one.wake()
  await left
  const late = two.waitForAnswer(1_000)
  clock.advance(1_000)
  await late

  for (const client of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) guesses.leave(client)
  assert.equal(guesses.size, 0)
})
