import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// Whatever connects to port 25 is a stranger, and most of them are no mail servers.
test('who talks before the greeting is not served', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.write('EHLO sender.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<you@example.test>\r\n')
  const greeting = await sender.reply()
  if (greeting.code === 220) {
    // It came too late to be early. Then EHLO with more behind it is the fault.
    await sender.expect(503)
  } else {
    assert.equal(greeting.code, 554)
    await sender.expect(503)
  }
  sender.destroy()
  await lab.until(() => gateway.find('disconnected').length === 1)
  assert.equal(backend.sessions.length, 0)
})

for (const [what, bytes] of [
  ['an HTTP request', 'GET / HTTP/1.1\r\nHost: mx.waypost.test\r\n\r\n'],
  [
    'an HTTP POST that carries SMTP',
    'POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<you@example.test>\r\nDATA\r\n\r\n.\r\n',
  ],
  ['a TLS ClientHello', Buffer.from('16030100c8010000c40303', 'hex')],
] as const) {
  test(`${what} on the plaintext port: one refusal and the end`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const gateway = await lab.gateway({ deliver: backend })
    const sender = await lab.connect()
    await sender.expect(220)
    await sender.write(bytes)
    const heard = await sender.reply()
    assert.equal(heard.code, 554)
    await sender.closed()
    await lab.until(() => gateway.find('disconnected').length === 1)
    assert.equal(backend.sessions.length, 0)
  })
}

test('commands piggy-backed on STARTTLS are thrown away, not read inside of TLS', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, tls: true })
  const sender = await lab.connect()
  await sender.hello()
  await sender.write('STARTTLS\r\nMAIL FROM:<injected@sender.test>\r\nRCPT TO:<you@example.test>\r\n')
  await sender.expect(220)
  await sender.handshake()
  await sender.command('RCPT TO:<you@example.test>', 503)
  await sender.command('EHLO sender.test', 250)
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\ntext\r\n.\r\n')
  await sender.expect(250)
  assert.equal(backend.messages[0]?.from, 'a@sender.test')
  assert.match(backend.messages[0]?.content.toString('latin1') ?? '', /with ESMTPS id/)
})

test('NUL and CR in addresses and parameters reach no backend', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, limits: { errors: 1_000 } })
  const mails = [
    'MAIL FROM:<a\0@sender.test>',
    'MAIL FROM:<a\r@sender.test>',
    'MAIL FROM:<"a\rb"@sender.test>',
    'MAIL FROM:<a@sender.test> SIZE=\r1',
    'MAIL FROM:<a@sender.test> BODY=8BIT\0MIME',
  ]
  for (const mail of mails) {
    const sender = await lab.connect()
    await sender.hello()
    const heard = await sender.command(mail)
    assert.ok(heard.code >= 500, `${JSON.stringify(mail)}: ${heard.lines}`)
    sender.destroy()
  }
  const recipients = [
    'RCPT TO:<you\0@example.test>',
    'RCPT TO:<you\r@example.test>',
    'RCPT TO:<"you\rRCPT TO:<x@y.test>"@example.test>',
    'RCPT TO:<you@example.test\0.evil.test>',
    'RCPT TO:<you@example.test> ORCPT=rfc822;a\rb',
    'RCPT TO:<you@example.test> ORCPT=rfc822;a\0b',
  ]
  for (const recipient of recipients) {
    const sender = await lab.connect()
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    const heard = await sender.command(recipient)
    assert.ok(heard.code >= 500, `${JSON.stringify(recipient)}: ${heard.lines}`)
    sender.destroy()
  }
  assert.equal(backend.sessions.length, 0)
})
