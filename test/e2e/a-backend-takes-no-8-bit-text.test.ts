import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

const message = Buffer.from('From: a@sender.test\r\nTo: you@example.test\r\n\r\ngrüße\r\n')

test('a backend without 8BITMIME gets 8-bit text as it is, because to convert it breaks its signatures', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ eightBitMime: false })
  await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test', message })).code, 250)
  assert.ok(backend.messages[0]?.content.includes(message))
  assert.ok(!backend.commands.some((line) => line.includes('BODY=')))
})

// RFC 6152 §3.
for (const pipelining of [true, false])
  test(`eightBit: refuse: the sender hears 554 5.6.3 and the backend no 8-bit text, ${pipelining ? 'pipelined' : 'step by step'}`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ eightBitMime: false, pipelining })
    await lab.gateway({ deliver: backend, eightBit: 'refuse' })
    const refused = await lab.send({ to: ['you@example.test', 'me@example.test'], message })
    assert.deepEqual([refused.step, refused.code, refused.enhanced], ['dot', 554, '5.6.3'])
    // 7-bit text goes, over the same session.
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    assert.equal(backend.messages.length, 1)
    assert.equal(backend.sessions.length, 1)
  })

test('eightBit: refuse: one that offers 8BITMIME gets it', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, eightBit: 'refuse' })
  assert.equal((await lab.send({ to: 'you@example.test', message })).code, 250)
  assert.ok(backend.messages[0]?.content.includes(message))
})
