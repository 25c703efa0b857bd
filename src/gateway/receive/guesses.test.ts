import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import type { Clock } from '../../base/clock.ts'
import { parseMailbox } from '../../mail/address.ts'
import { createGuesses } from './guesses.ts'

const join = (mostEarned = 30) => createGuesses(createFakeClock(), () => mostEarned).join('192.0.2.1')

const mailboxes = (...names: string[]) =>
  names.map((name) => {
    const parsed = parseMailbox(`${name}@example.test`)
    return parsed.kind === 'mailbox' ? parsed.mailbox : assert.fail(parsed.why)
  })

test('what is on its way counts as refused until it is answered, and a message that was taken makes room until the next refusal', () => {
  const client = join()
  client.begin('one', 3)
  assert.deepEqual([client.hasRoom('one', 3), client.hasRoom('one', 4)], [false, true])
  client.end('one', 3)
  client.taken(() => mailboxes('you', 'me'))
  client.begin('one', 2)
  assert.deepEqual([client.hasRoom('one', 0), client.hasRoom('one', 1)], [false, true])
  client.begin('one', 1)
  client.refused()
  assert.deepEqual([client.hasRoom('one', 3), client.hasRoom('one', 4)], [false, true])
})

test('as many make room as may be refused in a minute, and plus-addresses of one mailbox make room for one', () => {
  const client = join(5)
  client.taken(() => mailboxes('you+one', 'You+two', 'you', '+one', '+two'))
  client.begin('one', 3)
  assert.deepEqual([client.hasRoom('one', 0), client.hasRoom('one', 1)], [false, true])
  client.begin('one', 1)
  client.taken(() => mailboxes('one', 'two', 'three', 'four'))
  assert.deepEqual([client.hasRoom('one', 0), client.hasRoom('one', 1)], [true, true])
  client.begin('one', 1)
  assert.deepEqual([client.hasRoom('one', 0), client.hasRoom('one', 1)], [false, true])
  client.taken(() => assert.fail('it has as much room as there may be'))
})

test('what makes room for more does so for all routes together', () => {
  const client = join()
  client.taken(() => mailboxes('you', 'me', 'them'))
  client.begin('one', 12)
  assert.equal(client.hasRoom('other', 10), true)
  client.begin('other', 10)
  assert.deepEqual([client.hasRoom('one', 10), client.hasRoom('other', 10)], [true, true])
  client.begin('other', 1)
  assert.deepEqual([client.hasRoom('one', 10), client.hasRoom('other', 10)], [false, false])
  assert.equal(client.hasRoom('third', 10), true)
})

test('each route has room of its own', () => {
  const client = join()
  client.begin('silent', 30)
  assert.deepEqual([client.hasRoom('silent', 30), client.hasRoom('other', 1)], [false, true])
})

test('connections of one client are counted together, and who waits looks again with each answer, when one of them goes, or in time', async () => {
  const clock = createFakeClock()
  let cancelled = 0
  const after: Clock['after'] = (delayMs, run) => {
    const timer = clock.after(delayMs, run)
    return { cancel: () => [cancelled++, timer.cancel()] }
  }
  const guesses = createGuesses({ ...clock, after }, () => 30)
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

  // Whose time is over is remembered no more.
  const before = cancelled
  one.wake()
  assert.equal(cancelled, before)

  for (const client of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) guesses.leave(client)
  assert.equal(guesses.size, 0)
})
