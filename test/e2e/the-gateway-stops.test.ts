import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabGateway } from '../lab/gateway.ts'
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

/** The state of each recipient that is held. */
const states = async ({ queue }: LabGateway) =>
  (await queue.list({}, 10)).messages.flatMap(({ recipients }) => recipients.map(({ state }) => state))

test('a message behind a backend’s dot at the end of the grace, and there is a hold: 250, and it is kept as one that the backend may have', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  // A quarter of it is for the disk, which may be slow to keep the message.
  const words = { deliver: backend, hold: {}, budgets: { shutdownGraceMs: 2_000 } }
  const first = await lab.gateway(words)
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await lab.until(() => backend.messages.length === 1)
  const stopping = first.stop()
  await sender.expect(250)
  await stopping
  const next = await lab.gateway(words, { state: first.state })
  assert.deepEqual(await states(next), ['unknown'])
  assert.equal(backend.messages.length, 1)
})

test('a late word is still listened for: the session is closed, and the message stays one that the backend may have', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const words = { deliver: backend, hold: {}, budgets: { dotMs: 600, bodyReserveMs: 100 } }
  const first = await lab.gateway(words)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.openSessions, 1)
  await first.stop()
  await lab.until(() => backend.openSessions === 0)
  // That we hung up is no word of the backend.
  assert.equal(first.find('late verdict').length, 0)
  const next = await lab.gateway(words, { state: first.state })
  assert.deepEqual(await states(next), ['unknown'])
  assert.equal(backend.messages.length, 1)
})
