import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'

// Until the hold exists, each is a 451.
test('all are down before the first recipient: 451 there, and again, without a wait', async (t) => {
  const lab = await startLab(t)
  const backends = [await lab.backend({ connect: 'refuse' }), await lab.backend({ connect: 'refuse' })]
  await lab.gateway({ deliver: backends })
  for (let time = 0; time < 3; time++) {
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.4.1'])
  }
})

test('all go down between the first recipient and the second: 451 for the second, and for the message', async (t) => {
  const lab = await startLab(t)
  const backends = [await lab.backend(), await lab.backend()]
  await lab.gateway({ deliver: backends })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  await sender.command('RCPT TO:<one@example.test>', 250)
  for (const backend of backends) await backend.kill()
  const second = await sender.command('RCPT TO:<two@example.test>', 451)
  assert.equal(second.enhanced, '4.4.1')
  await sender.command('DATA', 354)
  await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
  assert.equal((await sender.expect(451)).enhanced, '4.4.1')
})

test('all go down while the body comes: 451 at the dot', async (t) => {
  const lab = await startLab(t)
  const backends = [await lab.backend(), await lab.backend()]
  await lab.gateway({ deliver: backends })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  for (const backend of backends) await backend.kill()
  await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
  assert.equal((await sender.expect(451)).enhanced, '4.4.1')
  // And the session with the sender goes on.
  for (const backend of backends) await backend.restart()
  await sender.command('NOOP', 250)
})

test('both die in the middle of the body, one behind the other: 451, and no message anywhere', async (t) => {
  const lab = await startLab(t)
  const words = { inBody: { afterBytes: 100_000, do: 'reset' } } as const
  const backends = [await lab.backend(words), await lab.backend(words)]
  await lab.gateway({ deliver: backends })
  const sent = await lab.send({ to: 'you@example.test', body: `${'x'.repeat(70)}\n`.repeat(60_000) })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['dot', 451, '4.4.1'])
  assert.equal(backends.flatMap(({ messages }) => messages).length, 0)
})

test('a backend that reads no more of the body than 270 s − 30 s allow never sees the dot', async (t) => {
  const lab = await startLab(t)
  const pause = gate()
  lab.atEnd(() => pause.open())
  const backend = await lab.backend({ inBody: { afterBytes: 1_000, do: 'pause', until: pause.promise } })
  await lab.gateway({ deliver: backend, budgets: { dotMs: 600, bodyReserveMs: 200 } })
  const sent = await lab.send({ to: 'you@example.test', body: `${'x'.repeat(70)}\n`.repeat(200_000) })
  assert.deepEqual([sent.code, sent.enhanced], [451, '4.4.1'])
  pause.open()
  await lab.until(() => backend.openSessions === 0)
  assert.equal(backend.messages.length, 0)
})

test('`onDefer: hold`: a 4yz about the recipient is ours to keep, so until the hold exists it is 451 4.4.1', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ rcpt: '450 4.2.0 Greylisted' })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }], onDefer: 'hold' })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.4.1'])
  first.change({ rcpt: undefined, afterDot: '452 4.2.2 Over quota' })
  const later = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([later.step, later.code, later.enhanced], ['dot', 451, '4.4.1'])
  assert.equal(second.sessions.length, 0)
})
