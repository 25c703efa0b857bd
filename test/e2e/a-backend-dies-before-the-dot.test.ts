import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// Before the dot has left nothing can have been delivered (RFC 5321 §4.1.1.4), so another backend may have it.
const body = `${'x'.repeat(70)}\n`

test('the backend dies after a part of the body: the second gets it whole, once', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ inBody: { afterBytes: 200_000, do: 'reset' } })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  // More than may be on its way when the end is heard: the dot has not left.
  const sent = await lab.send({ to: 'you@example.test', body: body.repeat(60_000) })
  assert.equal(sent.code, 250)
  assert.equal(first.messages.length, 0)
  assert.equal(second.messages.length, 1)
  assert.equal(
    second.messages[0]?.content
      .toString('latin1')
      .split('\r\n')
      .filter((line) => line === body.trim()).length,
    60_000,
  )
})

test('the backend answers 552 in the middle of the body: that is its verdict', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ inBody: { afterBytes: 100_000, do: { say: '552 5.3.4 Too much', and: 'close' } } })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  const sent = await lab.send({ to: 'you@example.test', body: body.repeat(60_000) })
  assert.deepEqual([sent.code, sent.enhanced], [552, '5.3.4'])
  assert.equal(second.sessions.length, 0)
})
