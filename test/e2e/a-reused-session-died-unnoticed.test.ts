import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeBackend } from '../lab/backend.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import type { BackendWords } from '../lab/words.ts'

// That session's end says nothing of the backend.
/** Ten messages, one behind the other; no sender may notice anything, and nobody but this backend may be asked. */
async function tenMessages(lab: Lab, words: BackendWords, between: (backend: FakeBackend) => unknown = () => {}) {
  const backend = await lab.backend(words)
  const spare = await lab.backend()
  const gateway = await lab.gateway({ deliver: [backend, { to: spare, preference: 20 }] })
  for (let message = 0; message < 10; message++) {
    const sent = await lab.send({ to: 'you@example.test' })
    assert.equal(sent.code, 250, sent.transcript.join('\n'))
    await between(backend)
  }
  assert.equal(backend.accepted.length, 10)
  assert.equal(spare.sessions.length, 0)
  assert.equal(gateway.backends()[0]?.state, 'up')
  return { backend, gateway }
}

test('the backend closes each session when a message was taken', async (t) => {
  const lab = await startLab(t)
  const { backend } = await tenMessages(lab, { afterDot: { say: '250 2.0.0 taken', and: 'close' } })
  assert.equal(backend.sessions.length, 10)
})

test('the backend resets each session when a message was taken', async (t) => {
  const lab = await startLab(t)
  await tenMessages(lab, { afterDot: { say: '250 2.0.0 taken', and: 'reset' } })
})

for (const fault of ['421 4.7.0 One message a session', 'close', 'reset'] as const) {
  test(`the backend answers the second MAIL of a session with ${fault}`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const spare = await lab.backend()
    backend.change({
      mail: () => {
        const session = backend.sessions.at(-1)
        const mails = session?.commands.filter((line) => line.startsWith('MAIL')).length ?? 0
        return mails > 1 ? fault : undefined
      },
    })
    const gateway = await lab.gateway({ deliver: [backend, { to: spare, preference: 20 }] })
    for (let message = 0; message < 6; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    assert.equal(backend.accepted.length, 6)
    assert.equal(spare.sessions.length, 0)
    assert.equal(gateway.backends()[0]?.state, 'up')
  })
}

test('the backend is restarted between messages', async (t) => {
  const lab = await startLab(t)
  await tenMessages(lab, {}, async (backend) => {
    await backend.kill()
    await backend.restart()
  })
})

test('the backend says 421 out of turn while the session is idle', async (t) => {
  const lab = await startLab(t)
  await tenMessages(lab, {}, (backend) => backend.say('421 4.4.2 Idle too long'))
})

test('the backend dies at DATA of a reused session: once more, on a fresh one', async (t) => {
  const lab = await startLab(t)
  const { backend } = await tenMessages(lab, { data: (_, count) => (count === 2 ? 'close' : undefined) })
  assert.equal(backend.sessions.length, 2)
})

test('the backend answers the dot of a reused session with 421: once more, on a fresh one', async (t) => {
  const lab = await startLab(t)
  const closing = '421 4.3.2 Closing'
  const { backend } = await tenMessages(lab, { afterDot: (_, count) => (count === 2 ? closing : undefined) })
  assert.equal(backend.sessions.length, 2)
})

test('a fresh session that ends as well is the backend’s word: the next one gets the message', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ mail: (_, count) => (count > 1 ? 'close' : undefined) })
  const spare = await lab.backend()
  await lab.gateway({ deliver: [backend, { to: spare, preference: 20 }] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([backend.accepted.length, spare.accepted.length], [1, 1])
  // The reused one and one fresh one, no more.
  assert.equal(backend.sessions.length, 2)
})

test('a session serves a hundred messages, then a new one is opened', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  for (let message = 0; message < 205; message++) {
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
    await sender.expect(250)
  }
  const messages = backend.sessions.map(({ commands }) => commands.filter((line) => line === 'DATA').length)
  assert.deepEqual(messages, [100, 100, 5])
  await lab.until(() => backend.sessions[0]?.commands.at(-1) === 'QUIT')
})

test('a session that was idle for 5 s is closed with QUIT', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const clock = createFastClock(20)
  await lab.gateway({ deliver: backend }, { clock })
  const startMs = clock.monotonicMs()
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await lab.until(() => backend.openSessions === 0)
  assert.ok(clock.monotonicMs() - startMs >= 4_900)
  assert.equal(backend.sessions[0]?.commands.at(-1), 'QUIT')
})
