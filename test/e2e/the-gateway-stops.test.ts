import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// RFC 5321 §3.8: 421 to who is told in time; behind a dot that a backend has, silence is the only honest answer.
test('idle sessions hear 421, one in a transaction at its next command, and nobody new is let in', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  const idle = await lab.connect()
  await idle.hello()
  const stopping = gateway.stop()
  assert.equal((await idle.expect(421)).enhanced, '4.3.2')
  await idle.closed()
  await assert.rejects(lab.send({ to: 'you@example.test' }), { code: 'ECONNREFUSED' })
  await stopping
  assert.equal(backend.openSessions, 0)
})

test('a message on its way in is taken to its end, answered, and then the session ends', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, budgets: { shutdownGraceMs: 5_000 } })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\nx\r\n')
  const stopping = gateway.stop()
  await sender.write('.\r\n')
  await sender.expect(250)
  await sender.expect(421)
  await stopping
  assert.equal(backend.accepted.length, 1)
})

test('a message behind a backend’s dot at the end of the grace: closed without an answer, towards both', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({ deliver: backend, budgets: { shutdownGraceMs: 100 } })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await lab.until(() => backend.messages.length === 1)
  await gateway.stop()
  assert.equal(await sender.nextReply(), undefined)
  await lab.until(() => backend.openSessions === 0)
})

test('a backend that answers within the grace: 250', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({ deliver: backend, budgets: { shutdownGraceMs: 5_000 } })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await lab.until(() => backend.messages.length === 1)
  const stopping = gateway.stop()
  backend.say('250 2.0.0 taken')
  await sender.expect(250)
  await stopping
})
