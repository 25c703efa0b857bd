import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { sendMessage } from '../lab/send.ts'

// RFC 5321 §6.3
const received = (by: string) =>
  `Received: from a.test (a.test [192.0.2.1])\r\n\tby ${by} with ESMTP id 1;\r\n\tMon, 1 Jan 2024 00:00:00 +0000\r\n`
const withTraces = (count: number, by = 'other.test') =>
  `${received(by).repeat(count)}Subject: x\r\n\r\nReceived: in the body\r\n`

test('100 Received lines are taken, 101 are 554 5.4.6', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test', message: withTraces(100) })).code, 250)
  const sent = await lab.send({ to: 'you@example.test', message: withTraces(101) })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['dot', 554, '5.4.6'])
  assert.equal(backend.messages.length, 1)
})

test('our own name in four of them is taken, in five it is 554 5.4.6', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test', message: withTraces(4, 'MX.waypost.test') })).code, 250)
  const sent = await lab.send({ to: 'you@example.test', message: withTraces(5, 'mx.waypost.test') })
  assert.deepEqual([sent.code, sent.enhanced], [554, '5.4.6'])
  assert.equal(backend.messages.length, 1)
})

test('a backend that stores mail and hands it back to us: the circle ends with 554 5.4.6 at the fifth round', async (t) => {
  const lab = await startLab(t)
  const rounds: number[] = []
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  // What a forwarding server does: it takes the message, and sends it where its MX leads, which is to us.
  for (let round = 1; rounds.at(-1) !== 554 && round < 20; round++) {
    const message = backend.messages.at(-1)?.content ?? Buffer.alloc(0)
    rounds.push((await sendMessage(gateway, { to: 'you@example.test', message })).code)
  }
  assert.deepEqual(rounds, [250, 250, 250, 250, 554])
})
