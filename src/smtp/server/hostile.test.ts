import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hurriedClock, Sender, startServer } from '../../../test/lab/smtp-server.ts'
import { until } from '../../../test/lab/until.ts'

const mailAndRcpt = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<you@example.test>\r\n'
const evil = 'MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.test>\r\nDATA\r\nforged\r\n.\r\n'

// Forms of an end that are none, with what the whole is answered.
const forms: readonly [form: string, answer: RegExp][] = [
  ['\n.\r\n', /^554 5\.6\.0/],
  ['\r\n.\n', /^554 5\.6\.0/],
  ['\n.\n', /^554 5\.6\.0/],
  ['\r.\r\n', /^554 5\.6\.0/],
  ['\r.\r', /^554 5\.6\.0/],
  ['\r\n.\r', /^554 5\.6\.0/],
  ['\n.\r', /^554 5\.6\.0/],
  ['\r\n.\r\r\n', /^554 5\.6\.0/],
  ['\r\n\0.\r\n', /^554 5\.6\.0/],
  ['\r\n.\0\r\n', /^554 5\.6\.0/],
  ['\n..\r\n', /^250/],
  ['\r\n..\n', /^250/],
  ['\n..\n', /^250/],
]

for (const [form, answer] of forms) {
  test(`${JSON.stringify(form)} in DATA, cut at each of its octets, is one message at most and runs no command`, async (t) => {
    let pieces = 0
    // Refusals are errors, and from the fifth on they wait.
    const server = await startServer(t, { clock: hurriedClock(), write: () => void pieces++ })
    const sender = await Sender.greeted(t, server.port)
    for (let cut = 0; cut <= form.length; cut++) {
      const calls = server.calls.length
      await sender.say(`${mailAndRcpt}DATA\r\n`, /^354 /m)
      pieces = 0
      sender.send(`Subject: x\r\n\r\nhello${form.slice(0, cut)}`)
      // Read before the rest is sent: taken, or refused at once.
      await until(() => pieces > 0 || server.calls.length > calls + 3)
      await sender.say(`${form.slice(cut)}${evil.replace('.\r\n', '..\r\n')}.\r\nNOOP\r\n`, answer)
      const expected = answer.test('250') ? 'end' : /^abort/
      const [mail, rcpt, data, last, ...more] = server.calls.slice(calls)
      assert.deepEqual([mail, rcpt, data, more], ['mail a@b.example', 'rcpt you@example.test', 'data', []])
      assert.match(last ?? '', new RegExp(expected))
      await sender.say('RSET\r\n', /250 2\.0\.0 Ok\r\n$/)
    }
    assert.ok(server.messages.every((message) => message.includes('forged') && !/\r(?!\n)|(?<!\r)\n/.test(message)))
  })
}

for (const [what, text, why, answer] of [
  ['NUL', 'a\0b\r\n', 'nul', /^554 5\.6\.0/],
  ['a bare CR', 'a\rb\r\n', 'bare-cr', /^554 5\.6\.0/],
  ['too much', `${'x'.repeat(70)}\r\n`.repeat(20), 'too-big', /^552 5\.3\.4/],
  ['a loop', 'Received: from a.example by mx1.example.test\r\n'.repeat(6), 'loop', /^554 5\.4\.6/],
] as const)
  test(`DATA is refused for ${what}: the rest, which comes when that is known, is eaten and runs no command`, async (t) => {
    const server = await startServer(t, { limits: { messageBytes: 1_000 } })
    const sender = await Sender.greeted(t, server.port)
    await sender.say(`${mailAndRcpt}DATA\r\n`, /^354 /m)
    sender.send(text)
    await until(() => server.calls.includes(`abort ${why}`))
    const heard = await sender.say(`${evil.slice(0, -'.\r\n'.length)}.\r\nNOOP\r\n`, /\r\n250 .*\r\n$/)
    assert.match(heard, answer)
    assert.deepEqual(server.calls.slice(2), ['data', `abort ${why}`])
  })

test('a bare LF is repaired by default, and refused at the end where that is wanted', async (t) => {
  const repairs = await Sender.greeted(t, (await startServer(t)).port)
  await repairs.say(`${mailAndRcpt}DATA\r\n`, /^354 /m)
  await repairs.say('one\ntwo\r\n.\r\n', /^250/)
  const server = await startServer(t, { bareNewline: 'reject' })
  const sender = await Sender.greeted(t, server.port)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354 /m)
  await sender.say(`one\ntwo\r\n${evil.slice(0, -5)}\r\n.\r\n`, /^550 5\.5\.2/)
  await sender.say('NOOP\r\n', /^250/)
  assert.deepEqual(server.calls.slice(2), ['data', 'abort bare-lf'])
})

test('a bare LF in a command makes one command that is refused, not two', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  await sender.say('NOOP\nMAIL FROM:<evil@example.com>\r\nNOOP\r\n', /^500 5\.5\.2 .*\r\n250 2\.0\.0 .*\r\n$/)
  await sender.say('MAIL FROM:<a@b.example>\rRCPT TO:<x@y.example>\r\nNOOP\r\n', /^500 5\.5\.2 .*\r\n250 .*\r\n$/)
  assert.deepEqual(server.calls, [])
})

test('a line of a megabyte is refused without being kept, and the next one is read', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  sender.send('NOOP ')
  for (let block = 0; block < 16; block++) sender.send('x'.repeat(65_536))
  await sender.say('\r\nNOOP\r\n', /^500 5\.5\.2 .*\r\n250 2.*\r\n$/)
  await sender.say(`NOOP ${'x'.repeat(2041)}\r\n`, /^250/)
  await sender.say(`NOOP ${'x'.repeat(2042)}\r\n`, /^500 5\.5\.2/)
})

test('NUL, CR and 8-bit octets in addresses and parameters never reach the handler', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  for (const [line, answer] of [
    ['MAIL FROM:<a\0@b.example>', /^500 5\.5\.2/],
    ['MAIL FROM:<a@b.example> SIZE=1\0', /^500 5\.5\.2/],
    ['MAIL FROM:<\xe4@b.example>', /^550 5\.6\.7/],
  ] as const)
    await sender.say(`${line}\r\n`, answer)
  await sender.say('MAIL FROM:<a@b.example>\r\n', /^250/)
  await sender.say('RCPT TO:<a\r@b.example>\r\n', /^500 5\.5\.2/)
  assert.deepEqual(server.calls, ['mail a@b.example'])
})

test('who talks before the greeting hears 554, then 503 until QUIT', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.dial(t, server.port, '127.0.0.1', 'EHLO bot\r\nMAIL FROM:<a@b.example>\r\n')
  const heard = await sender.expect(/\r\n503 .*\r\n503 .*\r\n$/)
  assert.match(heard, /^554 (?!\d\.)/)
  await sender.say('QUIT\r\n', /^221/)
  await sender.rest()
  assert.deepEqual(
    server.calls.filter((call) => call !== 'closed'),
    [],
  )
})

test('who waits for the greeting is not taken for one that talked, whoever else connects at that moment', async (t) => {
  const server = await startServer(t)
  const dial = (first?: string) => Sender.dial(t, server.port, '127.0.0.1', first)
  const senders = await Promise.all([dial(), dial('EHLO bot\r\n'), dial(), dial('EHLO bot\r\n')])
  const expected = [/^220 /, /^554 .*\r\n503 /, /^220 /, /^554 .*\r\n503 /]
  await Promise.all(senders.map((sender, at) => sender.expect(expected[at] as RegExp)))
})

for (const [name, first] of [
  ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\n'],
  ['a TLS ClientHello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
] as const) {
  test(`${name} behind the greeting, and before it, is 554 and the end`, async (t) => {
    const server = await startServer(t)
    const polite = await Sender.dial(t, server.port)
    await polite.expect(/^220/)
    polite.send(first)
    assert.match(await polite.rest(), /^554 5\.5\.0 .*\r\n$/)
    const early = await Sender.dial(t, server.port, '127.0.0.1', first)
    assert.match(await early.rest(), /^554 .*\r\n554 5\.5\.0 .*\r\n$/)
    assert.deepEqual(
      server.calls.filter((call) => call !== 'closed'),
      [],
    )
  })
}

for (const [name, text] of [
  ['DATA', `${mailAndRcpt}DATA\r\nhello\r\n.\r\n${evil}`],
  ['a DATA that would be refused', `DATA\r\nhello\r\n.\r\n${evil}`],
  ['EHLO', 'EHLO again\r\nMAIL FROM:<a@b.example>\r\n'],
] as const) {
  test(`octets behind ${name} in the same segment: 503 5.5.0 and the end`, async (t) => {
    const server = await startServer(t)
    const sender = await Sender.greeted(t, server.port)
    sender.send(text)
    assert.match(await sender.rest(), /^(250 .*\r\n)*503 5\.5\.0 .*\r\n$/)
    assert.equal(server.messages.length, 0)
    assert.ok(!server.calls.includes('data'))
  })
}

test('BDAT, which is not offered, ends the session: its octets are no commands', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  sender.send(`${mailAndRcpt}BDAT ${evil.length} LAST\r\n${evil}`)
  assert.match(await sender.rest(), /502 5\.5\.1 .*\r\n$/)
  assert.deepEqual(server.calls.slice(0, 3), ['mail a@b.example', 'rcpt you@example.test', 'reset'])
})

test('who sends commands and never reads our answers is stopped', async (t) => {
  // It hurries the pauses between so many recipients, and not this wait.
  const server = await startServer(t, { clock: hurriedClock(), budgets: { blockMs: 2_100 }, limits: { recipients: 1 } })
  const sender = await Sender.greeted(t, server.port)
  sender.socket.pause()
  sender.send(mailAndRcpt)
  const block = 'RCPT TO:<you@example.test>\r\n'.repeat(2_000)
  const isGone = () => server.calls.includes('closed')
  for (let count = 0; count < 2_000 && !isGone(); count++) {
    sender.send(block)
    await until(() => !sender.socket.writableNeedDrain || isGone())
    // What the machine itself keeps of both ways is far less.
    assert.ok(sender.socket.bytesWritten < 50_000_000, 'it is read on and on')
  }
  await until(isGone)
})
