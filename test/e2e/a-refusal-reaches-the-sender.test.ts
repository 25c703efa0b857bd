import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// Who hears the refusal itself sends no backscatter (RFC 5321 §6.2).
test('the backend’s 550 to a recipient reaches the sender in its words', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: '550 5.1.1 No such user here' })
  const second = await lab.backend()
  await lab.gateway({ deliver: [backend, { to: second, preference: 20 }] })
  const sent = await lab.send({ to: 'nobody@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced, sent.text], ['rcpt', 550, '5.1.1', 'No such user here'])
  assert.equal(second.sessions.length, 0)
})

test('what a backend says is made safe: no controls, no 8-bit, no long lines, our code on every line', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    rcpt: { raw: Buffer.from(`550-5.1.1 caf\u00e9 \u0007bell\r\n550 ${'x'.repeat(600)}\r\n`, 'latin1') },
  })
  await lab.gateway({ deliver: backend })
  const dialogue = await lab.connect()
  await dialogue.expect(220)
  await dialogue.command('EHLO sender.test', 250)
  await dialogue.command('MAIL FROM:<a@sender.test>', 250)
  await dialogue.command('RCPT TO:<nobody@example.test>', 550)
  const lines = dialogue.transcript
    .join('\n')
    .split('\n')
    .filter((line) => line.includes('550'))
  assert.ok(lines.length > 0)
  assert.doesNotMatch(lines.join('\n'), /[^\x20-\x7e\n]/)
  assert.ok(lines.every((line) => line.length <= 520))
})

for (const [reply, step] of [
  ['550 5.7.1 Looks like spam', 'dot'],
  ['552 5.3.4 Too big for us', 'dot'],
] as const) {
  test(`${reply} to the ${step} reaches the sender, and no other backend is asked`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ afterDot: reply })
    const second = await lab.backend()
    await lab.gateway({ deliver: [backend, { to: second, preference: 20 }] })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.equal(`${sent.code} ${sent.enhanced} ${sent.text}`, reply)
    assert.equal(second.sessions.length, 0)
  })
}

test('the backend’s refusal of the sender is heard at the first recipient', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ mail: '550 5.1.8 Bad sender domain' })
  await lab.gateway({ deliver: backend })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 550, '5.1.8'])
})
