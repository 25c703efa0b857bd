import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import type { BackendWords } from '../lab/words.ts'

// A backend's replies are a stranger's octets: RFC 5321 §4.2 is what they should be.
test('every reply in segments of one octet: all is well', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ replySplit: 1 })
  await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages.length, 1)
})

test('a refusal of a hundred lines reaches the sender, every line with its code', async (t) => {
  const lab = await startLab(t)
  const text = Array.from({ length: 100 }, (_, line) => `550${line === 99 ? ' ' : '-'}5.1.1 line ${line}`).join('\r\n')
  const backend = await lab.backend({ rcpt: text })
  await lab.gateway({ deliver: backend })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 550, '5.1.1'])
  const { lines } = sent.recipients[0] ?? { lines: [] }
  assert.ok(lines.every((line) => /^550[- ]5\.1\.1 line \d+$/.test(line)))
  assert.equal(lines[0], '550-5.1.1 line 0')
})

const broken: Record<string, BackendWords> = {
  'a line of 64 KiB': { rcpt: `550 5.1.1 ${'x'.repeat(65_536)}` },
  'lines with two codes': { rcpt: '550-5.1.1 no\r\n250 2.1.5 yes' },
  'ten thousand lines': { rcpt: { raw: '250-yes\r\n'.repeat(10_000) } },
  'no reply but octets': { rcpt: 'garbage' },
}

for (const [what, words] of Object.entries(broken)) {
  test(`${what} in answer to RCPT: that session is over, and the next backend gets the message`, async (t) => {
    const lab = await startLab(t)
    const first = await lab.backend(words)
    const second = await lab.backend()
    await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    assert.deepEqual([first.messages.length, second.messages.length], [0, 1])
    await lab.until(() => first.openSessions === 0)
  })

  test(`${what} in answer to RCPT, and nobody else there: 451`, async (t) => {
    const lab = await startLab(t)
    const only = await lab.backend(words)
    await lab.gateway({ deliver: only })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.code, sent.enhanced], [451, '4.4.1'])
  })
}

test('two replies where one was due: the second is not taken for the answer to what comes next', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ pipelining: false, mail: '250 2.1.0 ok\r\n250 2.1.5 ok', rcpt: '550 5.1.1 No' })
  await lab.gateway({ deliver: backend })
  const sent = await lab.send({ to: 'nobody@example.test' })
  assert.notEqual(sent.code, 250)
  assert.equal(backend.messages.length, 0)
})

test('a backend that answers EHLO with 502 is spoken to with HELO, and nothing of ESMTP', async (t) => {
  // RFC 5321 §4.2.1: a reply of many lines is one reply.
  const lab = await startLab(t)
  const backend = await lab.backend({ ehlo: '502 5.5.1 What?', pipelining: false })
  await lab.gateway({ deliver: backend })
  const message = 'Subject: caf\xe9\r\n\r\nx\r\n'
  const sent = await lab.send({ to: 'you@example.test', message, mailParameters: 'BODY=8BITMIME SIZE=100' })
  assert.equal(sent.code, 250)
  assert.equal(backend.commands[1], 'HELO mx.waypost.test')
  assert.equal(backend.messages[0]?.mail, 'MAIL FROM:<someone@sender.test>')
  assert.deepEqual(backend.violations, [])
})
