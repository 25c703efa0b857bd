import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// A broken mailbox behind one address must not cost the others of the transaction their mail.
test('one recipient that no backend can take leaves the candidates to the next', async (t) => {
  const lab = await startLab(t)
  const rcpt = (address: string) => (address.startsWith('broken') ? '451 4.3.0 Index is corrupt' : undefined)
  const backends = [await lab.backend({ rcpt }), await lab.backend({ rcpt })]
  await lab.gateway({ deliver: backends })
  const sent = await lab.send({ to: ['broken@example.test', 'you@example.test'] })
  assert.deepEqual(
    sent.recipients.map(({ code }) => code),
    [451, 250],
  )
  assert.equal(sent.code, 250)
  assert.deepEqual(
    backends.flatMap(({ messages }) => messages.map(({ to }) => to)),
    [['you@example.test']],
  )
})

test('a sender that the backend refuses hears the same refusal for every recipient, and nobody else is asked', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ mail: '550 5.1.8 Bad sender domain' })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  const sent = await lab.send({ to: ['a@example.test', 'b@example.test', 'c@example.test'] })
  assert.deepEqual(
    sent.recipients.map(({ code, enhanced }) => `${code} ${enhanced}`),
    Array(3).fill('550 5.1.8'),
  )
  assert.equal(second.sessions.length, 0)
})

test('the same recipient twice in one group is asked for once, and gets one copy', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const to = ['a@example.test', 'b@example.test', 'b@example.test', 'B@Example.Test']
  const sent = await lab.send({ to, pipelined: true })
  assert.deepEqual(
    sent.recipients.map(({ code }) => code),
    [250, 250, 250, 250],
  )
  assert.deepEqual(backend.messages[0]?.to, ['a@example.test', 'b@example.test', 'B@example.test'])
})

test('what is deferred at RCPT is told in the log, with who, to whom and in which words', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: '450 4.2.0 Greylisted' })
  const gateway = await lab.gateway({ deliver: backend })
  await lab.send({ to: 'you@example.test' })
  const [line] = gateway.find('recipient deferred')
  assert.equal(line?.fields.to, 'you@example.test')
  assert.equal(line?.fields.from, 'someone@sender.test')
  assert.equal(line?.fields.reply, '450 4.2.0 Greylisted')
})
