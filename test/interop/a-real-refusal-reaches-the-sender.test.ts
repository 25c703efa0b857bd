/** What a real backend says of a recipient is what the sender hears, word for word. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startDovecot } from './harness/dovecot.ts'
import { countMaildir } from './harness/maildir.ts'
import { awkwardMessage } from './harness/messages.ts'
import { startPostfix } from './harness/postfix.ts'
import { swaks } from './harness/senders.ts'

test('the 550 5.1.1 of Postfix reaches swaks, and the good recipient beside it gets the message', async (t) => {
  const lab = await startLab(t)
  const postfix = await startPostfix(lab)
  const gateway = await lab.gateway({ deliver: postfix.url })
  const message = awkwardMessage()

  const alone = await swaks({ via: gateway, to: ['nobody@example.test'], message })
  assert.equal(alone.isSent, false)
  assert.match(alone.dialogue, /550 5\.1\.1 <nobody@example\.test>: Recipient address rejected: User unknown/)

  const beside = await swaks({ via: gateway, to: ['nobody@example.test', 'you@example.test'], message })
  assert.match(beside.dialogue, /550 5\.1\.1 <nobody@example\.test>/)
  await lab.until(async () => (await countMaildir(postfix.maildir('you'))) === 1)
})

test('the 550 5.1.1 of Dovecot reaches swaks', async (t) => {
  const lab = await startLab(t)
  const dovecot = await startDovecot(lab)
  const gateway = await lab.gateway({ deliver: dovecot.url })
  const sent = await swaks({ via: gateway, to: ['nobody@example.test'], message: awkwardMessage() })
  assert.equal(sent.isSent, false)
  assert.match(sent.dialogue, /550 5\.1\.1 <nobody@example\.test> User doesn't exist: nobody/)
})
