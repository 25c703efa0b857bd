import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// RFC 5321 §4.4: a relay puts its trace field in front, and changes nothing else.
test('one message: the backend has the same bytes behind our Received line, and nothing stays with us', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, hold: {} })
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
  // Nor of one that lay in a file on its way.
  assert.equal((await lab.send({ to: 'you@example.test', body: 'x'.repeat(70).concat('\n').repeat(10_000) })).code, 250)
  assert.equal(gateway.held(), 0)
  await lab.until(async () => (await readdir(join(gateway.state, 'spool'))).length === 0)
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

test('no backend is connected to before the first recipient', async (t) => {
  const lab = await startLab(t)
  const [backend, other] = [await lab.backend(), await lab.backend()]
  await lab.gateway({ domains: { 'example.test': { deliver: backend }, 'other.test': { deliver: other } } })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  // Meanwhile another sender is through from its first word to its last.
  assert.equal((await lab.send({ to: 'you@other.test' })).code, 250)
  assert.equal(backend.sessions.length, 0)
  await sender.command('RCPT TO:<you@example.test>', 250)
  assert.equal(backend.sessions.length, 1)
})

test('what a message says stands in no line of the log, whatever becomes of it', async (t) => {
  const lab = await startLab(t)
  const afterDot = ['250 2.0.0 taken', '550 5.7.1 no', '450 4.2.0 later', '421 4.3.2 closing', 'close']
  const backend = await lab.backend({ afterDot: (_, count) => afterDot[count - 1] })
  const gateway = await lab.gateway({ deliver: backend, hold: {} })
  const message = 'Subject: s3cret\r\nX-Header: s3cret\r\n\r\ns3cret\r\n'
  for (const _ of afterDot) await lab.send({ to: 'you@example.test', message })
  await lab.send({ to: 'you@example.test', message: `${message}s3cret\0` })
  for (const event of ['delivered', 'refused', 'deferred', 'held', 'message refused'])
    assert.ok(gateway.find(event).length > 0, `${event}: ${gateway.text()}`)
  assert.ok(backend.messages.every(({ content }) => content.includes('s3cret')))
  assert.deepEqual(gateway.grep(/s3cret/), [])
})
