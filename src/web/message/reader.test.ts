import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { systemClock } from '../../base/clock.ts'
import { createMessageReader } from './reader.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll('\n', '\r\n')))

test('a message in two forms is read: text, and HTML that was made harmless', async () => {
  const read = await createMessageReader(systemClock).read(
    bytes(`Received: by x
From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>
To: you@example.com
Subject: Offer \u202egpj.exe
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

Hello \u202eworld
--a
Content-Type: text/html

<p onclick="x()">Hello<script>1</script></p>
--a--
--b
Content-Type: application/pdf; name="bill.pdf"
Content-Transfer-Encoding: base64

aGVsbG8=
--b--
`),
  )
  assert.equal(read.kind, 'read')
  if (read.kind !== 'read') return
  const { subject, from, text, html, attachments } = read.message
  assert.equal(subject, 'Offer \\u202egpj.exe')
  assert.equal(from, 'Jörg <joerg@example.org>')
  assert.match(text ?? '', /^Hello \\u202eworld/)
  assert.equal(html?.trim(), '<p>Hello</p>')
  assert.deepEqual(attachments, [{ name: 'bill.pdf', type: 'application/pdf', octets: 5 }])
})

test('a message that is too deep fails, and nothing else does', async () => {
  const deep = Array.from(
    { length: 500 },
    (_, index) => `Content-Type: multipart/mixed; boundary=b${index}\n\n--b${index}\n`,
  ).join('')
  const read = await createMessageReader(systemClock).read(bytes(`Subject: x\n${deep}`))
  assert.deepEqual(read, { kind: 'failed', why: 'it is no message that can be taken apart' })
})

test('one that takes too long is left, and two at once are the most', async () => {
  const clock = createFakeClock()
  const reader = createMessageReader(clock, () => new Worker('setInterval(() => {}, 1000)', { eval: true }))
  const first = reader.read(bytes('a'))
  const second = reader.read(bytes('b'))
  assert.deepEqual(await reader.read(bytes('c')), { kind: 'busy' })
  clock.advance(10_000)
  assert.deepEqual(await first, { kind: 'failed', why: 'it took too long to take it apart' })
  assert.equal((await second).kind, 'failed')
})
