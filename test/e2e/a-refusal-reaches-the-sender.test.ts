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
  const { lines } = await dialogue.command('RCPT TO:<nobody@example.test>', 550)
  assert.match(lines[0] ?? '', /^550-5\.1\.1 caf\?/)
  assert.match(lines.at(-1) ?? '', /^550 5\.1\.1 x{400}/)
  // RFC 5321 §4.5.3.1.5: 512 octets with CRLF.
  for (const line of lines) assert.match(line, /^550[ -]5\.1\.1 [\x20-\x7e]{0,500}$/)
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

for (const reply of ['550 5.1.8 Bad sender domain', '552 5.3.4 Message size exceeds fixed limit'])
  test(`${reply} to MAIL is heard at the first recipient, and no other backend is asked`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ mail: reply })
    const second = await lab.backend()
    await lab.gateway({ deliver: [backend, { to: second, preference: 20 }] })
    const sent = await lab.send({ to: 'you@example.test', mailParameters: 'SIZE=1000000' })
    assert.deepEqual([sent.step, `${sent.code} ${sent.enhanced} ${sent.text}`], ['rcpt', reply])
    assert.equal(second.sessions.length, 0)
  })

for (const reply of ['550 5.7.1 Not from you', '554 5.5.1 No valid recipients'])
  test(`${reply} to DATA reaches the sender, no other backend is asked, and nothing is held`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ data: reply })
    const second = await lab.backend()
    const gateway = await lab.gateway({ deliver: [backend, { to: second, preference: 20 }], hold: {} })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.step, `${sent.code} ${sent.enhanced} ${sent.text}`], ['dot', reply])
    assert.deepEqual([second.sessions.length, gateway.held()], [0, 0])
  })
