import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'

test('one client with 30 messages that a backend digests slowly leaves sessions to others, whose mail goes through at once', async (t) => {
  const lab = await startLab(t)
  const digested = gate<string>()
  const backend = await lab.backend({
    afterDot: ({ from }) => (from === 'slow@sender.test' ? digested.promise : undefined),
  })
  const gateway = await lab.gateway({ deliver: backend, budgets: { sessionMs: 200 } })

  // Of the 20 sessions it has 18; what is more than that waits, and is put off.
  const putOff: string[] = []
  const slow = Array.from({ length: 30 }, async () => {
    const sent = await lab.send({ from: 'slow@sender.test', to: 'you@example.test', source: '127.0.0.2' })
    if (sent.code !== 250) putOff.push(`${sent.step} ${sent.code} ${sent.enhanced}`)
  })
  await lab.until(() => backend.messages.length === 18 && putOff.length === 12)
  assert.deepEqual(putOff, Array(12).fill('rcpt 451 4.3.2'))

  for (let message = 0; message < 2; message++)
    assert.equal((await lab.send({ to: 'you@example.test', source: '127.0.0.3' })).code, 250)

  // And what it has sent arrives.
  digested.open('250 2.0.0 taken')
  await Promise.all(slow)
  assert.deepEqual([putOff.length, backend.messages.length, await gateway.held()], [12, 20, 0])
  assert.equal(gateway.backends()[0]?.state, 'up')
})
