import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// RFC 5321 §4.4: a relay puts its trace field in front, and changes nothing else.
test('one message: the backend has the same bytes behind our Received line, and nothing stays with us', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  const message = 'From: a@sender.test\r\nTo: you@example.test\r\n\r\nhello\r\n'

  const sent = await lab.send({ to: 'you@example.test', message })

  assert.equal(sent.code, 250)
  assert.equal(backend.messages.length, 1)
  const content = backend.messages[0]?.content.toString('latin1') ?? ''
  const end = content.indexOf('From: a@sender.test')
  assert.match(
    content.slice(0, end),
    /^Received: from sender\.test \(\[127\.\d+\.\d+\.\d+\]\)\r\n\tby mx\.waypost\.test with ESMTP id [0-9A-Z]{26}\r\n\tfor <you@example\.test>;\r\n\t\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$/,
  )
  assert.equal(content.slice(end), message)
  assert.equal(gateway.find('delivered').length, 1)
})

test('with two recipients the Received line names none of them', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  await lab.send({ to: ['a@example.test', 'b@example.test'] })
  assert.deepEqual(backend.messages[0]?.to, ['a@example.test', 'b@example.test'])
  assert.doesNotMatch(backend.messages[0]?.content.toString('latin1') ?? '', /\tfor </)
})

test('lone dots, lines that begin with dots, empty lines and a body of a dot alone arrive as they were written', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  for (const message of [
    'Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n\r\n...\r\n',
    '.\r\n',
    '\r\n',
    '.\r\n.\r\n.\r\n',
    'no header\r\n',
  ]) {
    const sent = await lab.send({ to: 'you@example.test', message })
    assert.equal(sent.code, 250)
    const content = backend.messages.at(-1)?.content.toString('latin1') ?? ''
    assert.equal(content.slice(content.indexOf('+0000\r\n') + 7), message)
  }
})
