/** Postfix and Dovecot as backends: what lies in their Maildirs is what was sent, behind the gateway's trace field. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startDovecot } from './harness/dovecot.ts'
import { behindTrace, countMaildir, readMaildir, withLf } from './harness/maildir.ts'
import { awkwardMessage, largeMessage } from './harness/messages.ts'
import { startPostfix } from './harness/postfix.ts'

const messages = [awkwardMessage(), largeMessage(3 * 1024 * 1024), Buffer.from('Subject: no body\r\n', 'latin1')]
const sizes = (octets: readonly Buffer[]) => [...octets].sort((a, b) => a.length - b.length)

test('Postfix gets what was sent, plain and by STARTTLS', async (t) => {
  const lab = await startLab(t)
  for (const tls of ['off', 'require'] as const) {
    const postfix = await startPostfix(lab, { tlsIn: true })
    await lab.gateway({ deliver: [{ to: postfix.url, tls }] })
    for (const message of messages) assert.equal((await lab.send({ to: 'you@example.test', message })).code, 250)

    await lab.until(async () => (await countMaildir(postfix.maildir('you'))) === messages.length)
    const delivered = sizes(await readMaildir(postfix.maildir('you'))).map((octets) => behindTrace(octets))
    assert.deepEqual(delivered.map(String), sizes(messages).map(withLf).map(String))
    // Its daemons hand their lines to another one to write; the last word on each message comes behind all others.
    await lab.until(async () => (await postfix.log()).match(/: removed$/gm)?.length === messages.length)
    assert.equal(/TLS connection established from/.test(await postfix.log()), tls === 'require')
  }
})

test('Dovecot gets what was sent by LMTP, over TCP and over a Unix socket', async (t) => {
  const lab = await startLab(t)
  const dovecot = await startDovecot(lab)
  for (const [url, user] of [
    [dovecot.url, 'you'],
    [dovecot.socketUrl, 'two'],
  ] as const) {
    const gateway = await lab.gateway({ deliver: url })
    for (const message of messages) {
      const sent = await lab.send({ to: `${user}@example.test`, message })
      assert.equal(sent.code, 250, `${sent.text}\n${gateway.text()}`)
    }
    await lab.until(async () => (await countMaildir(dovecot.maildir(user))) === messages.length)
    const delivered = sizes(await readMaildir(dovecot.maildir(user))).map((octets) => behindTrace(octets))
    assert.deepEqual(delivered.map(String), sizes(messages).map(withLf).map(String))
  }
})
