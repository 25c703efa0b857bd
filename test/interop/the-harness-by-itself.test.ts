/** The servers and senders that the interop tests use, with nothing between them: what fails here is not the gateway's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startDovecot } from './harness/dovecot.ts'
import { countMaildir, readMaildir, withLf } from './harness/maildir.ts'
import { startPostfix } from './harness/postfix.ts'
import { nodemailer, swaks } from './harness/senders.ts'

const to = ['you@example.test']
const message = Buffer.from('Subject: direct\r\n\r\n.\r\n..two\r\n\xe4\xf6\r\nend\r\n', 'latin1')

test('swaks and Nodemailer deliver to a lab backend, byte for byte, plain and with STARTTLS', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ startTls: 'offer' })
  for (const send of [swaks, nodemailer]) {
    for (const tls of [false, true]) {
      const sent = await send({ via: backend, to, message, tls })
      assert.ok(sent.isSent, sent.dialogue)
      const arrived = backend.messages.at(-1)
      assert.equal(arrived?.content.toString('latin1'), message.toString('latin1'), send.name)
      assert.equal(arrived?.session.tls, tls)
    }
  }
})

test('Postfix delivers into a Maildir what swaks gave it, and tells of unknown users', async (t) => {
  const lab = await startLab(t)
  const postfix = await startPostfix(lab)
  const sent = await swaks({ via: postfix, to, message })
  assert.ok(sent.isSent, sent.dialogue)
  await lab.until(async () => (await countMaildir(postfix.maildir('you'))) === 1)
  const [delivered] = await readMaildir(postfix.maildir('you'))
  assert.ok(delivered?.toString('latin1').endsWith(withLf(message).toString('latin1')), delivered?.toString('latin1'))
  const refused = await lab.send({ via: postfix, to: 'nobody@example.test' })
  assert.deepEqual([refused.code, refused.enhanced], [550, '5.1.1'])
})

test('Postfix relays to a lab backend, plain and with STARTTLS', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ startTls: 'offer' })
  for (const tlsOut of ['none', 'encrypt'] as const) {
    const postfix = await startPostfix(lab, { relayTo: backend, tlsOut })
    assert.equal((await lab.send({ via: postfix, to, message })).code, 250)
    await lab.until(() => backend.messages.at(-1)?.session.tls === (tlsOut === 'encrypt'))
    assert.ok(backend.messages.at(-1)?.content.toString('latin1').endsWith(message.toString('latin1')))
  }
})

test('Dovecot takes mail by LMTP, and tells of unknown users', async (t) => {
  const lab = await startLab(t)
  const dovecot = await startDovecot(lab)
  const dialogue = await lab.connect(dovecot)
  await dialogue.expect(220)
  await dialogue.command('LHLO lab.test', 250)
  await dialogue.command('MAIL FROM:<someone@sender.test>', 250)
  await dialogue.command('RCPT TO:<nobody@example.test>', 550)
  await dialogue.command('RCPT TO:<you@example.test>', 250)
  await dialogue.command('DATA', 354)
  await dialogue.write('Subject: lmtp\r\n\r\nhello\r\n.\r\n')
  await dialogue.expect(250)
  await lab.until(async () => (await countMaildir(dovecot.maildir('you'))) === 1)
})
