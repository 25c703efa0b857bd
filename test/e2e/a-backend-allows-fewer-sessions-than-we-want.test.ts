import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

test('a backend that allows two sessions: a dozen senders at once are all served, in turn, and it stays up', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    greeting: () => (backend.openSessions > 2 ? '421 4.7.0 Too many connections from you' : undefined),
  })
  const gateway = await lab.gateway({ deliver: backend })
  // The first two connections are made before the rush, as on any day.
  await Promise.all([1, 2].map(() => lab.send({ to: 'you@example.test' })))

  const sent = await Promise.all(Array.from({ length: 12 }, () => lab.send({ to: 'you@example.test' })))

  assert.deepEqual(
    sent.map(({ code }) => code),
    Array(12).fill(250),
  )
  assert.equal(backend.messages.length, 14)
  assert.deepEqual(
    gateway.backends().map(({ state }) => state),
    ['up', 'up'],
  )
})
