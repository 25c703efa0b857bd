import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// RFC 5321 §3.3 lets a sender begin one transaction after the other.
test('100 messages on one connection of a sender: each arrives once, in order, over few backend sessions', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  for (let number = 0; number < 100; number++) {
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write(`Subject: ${number}\r\n\r\ntext\r\n.\r\n`)
    await sender.expect(250)
  }
  await sender.quit()
  const subjects = backend.messages.map(({ content }) => /^Subject: (\d+)/m.exec(content.toString('latin1'))?.[1])
  assert.deepEqual(
    subjects,
    Array.from({ length: 100 }, (_, number) => String(number)),
  )
  assert.equal(backend.sessions.length, 1)
  assert.deepEqual(backend.violations, [])
})

test('MAIL, 50 RCPT and DATA in one write: 52 replies in order, one message for 50', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const to = Array.from({ length: 50 }, (_, number) => `r${number}@example.test`)
  const sent = await lab.send({ to, pipelined: true })
  assert.equal(sent.code, 250)
  assert.deepEqual(
    sent.recipients.map(({ code }) => code),
    to.map(() => 250),
  )
  assert.equal(backend.messages.length, 1)
  assert.deepEqual(backend.messages[0]?.to, to)
})

test('of 50 pipelined recipients the third and the last are unknown: the replies stay in order', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    rcpt: (address) => (address === 'r2@example.test' || address === 'r49@example.test' ? '550 5.1.1 No' : undefined),
  })
  await lab.gateway({ deliver: backend })
  const to = Array.from({ length: 50 }, (_, number) => `r${number}@example.test`)
  const sent = await lab.send({ to, pipelined: true })
  assert.equal(sent.code, 250)
  const codes = to.map((_, number) => (number === 2 || number === 49 ? 550 : 250))
  assert.deepEqual(
    sent.recipients.map(({ code }) => code),
    codes,
  )
  assert.equal(backend.messages[0]?.to.length, 48)
})

test('a backend without PIPELINING, one command at a time, gets the same', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ pipelining: false })
  await lab.gateway({ deliver: backend })
  const to = Array.from({ length: 20 }, (_, number) => `r${number}@example.test`)
  assert.equal((await lab.send({ to, pipelined: true })).code, 250)
  assert.deepEqual(backend.messages[0]?.to, to)
  assert.deepEqual(backend.violations, [])
})
