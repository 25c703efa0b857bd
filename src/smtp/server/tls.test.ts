import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sender, startServer } from '../../../test/lab/smtp-server.ts'
import { until } from '../../../test/lab/until.ts'

test('STARTTLS: offered, taken, everything said before is forgotten, and the mail comes in TLS', async (t) => {
  const server = await startServer(t, { isTls: true })
  const sender = await Sender.dial(t, server.port)
  await sender.expect(/^220/)
  await sender.say('EHLO sender.example\r\n', /^250 STARTTLS\r\n/m)
  await sender.say('MAIL FROM:<before@b.example>\r\n', /^250/)
  await sender.say('STARTTLS\r\n', /^220 2\.0\.0/)
  await sender.upgrade()
  await sender.say('MAIL FROM:<a@b.example>\r\n', /^503/)
  assert.doesNotMatch(await sender.say('EHLO sender.example\r\n', /^250 .*\r\n/m), /STARTTLS/)
  await sender.say('STARTTLS\r\n', /^503/)
  await sender.say('MAIL FROM:<a@b.example>\r\nRCPT TO:<you@example.test>\r\nDATA\r\n', /^354/m)
  await sender.say(`${'0123456789\r\n'.repeat(20_000)}.\r\nQUIT\r\n`, /^250 .*\r\n221 .*\r\n/)
  await sender.rest()
  assert.deepEqual(server.messages, ['0123456789\r\n'.repeat(20_000)])
  assert.deepEqual(server.calls.slice(0, 3), ['mail before@b.example', 'reset', 'mail a@b.example in TLS'])
})

for (const [name, commands] of [
  ['a command', 'MAIL FROM:<evil@example.com>\r\n'],
  [
    'many commands',
    'EHLO evil.example\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<v@example.test>\r\nDATA\r\nx\r\n.\r\n',
  ],
  ['half a command', 'EHLO evil'],
  ['as much as we hold', 'NOOP\r\n'.repeat(11_000)],
] as const) {
  test(`${name} behind STARTTLS in clear never runs, before or within TLS`, async (t) => {
    const server = await startServer(t, { isTls: true })
    const sender = await Sender.dial(t, server.port)
    await sender.expect(/^220/)
    await sender.say('EHLO sender.example\r\n', /^250 STARTTLS\r\n/m)
    sender.send(`STARTTLS\r\n${commands}`)
    const heard = await sender.expect(/^220 2\.0\.0/)
    assert.equal(heard.split('\r\n').length, 2)
    // What had not arrived with STARTTLS is no TLS record, and the handshake fails; else what follows has to be our own dialogue.
    const isSecure = await sender.upgrade().then(
      () => true,
      () => false,
    )
    if (isSecure) {
      await sender.say('MAIL FROM:<a@b.example>\r\n', /^503 5\.5\.1 Say EHLO first\r\n$/)
      await sender.say('EHLO sender.example\r\n', /^250 .*\r\n/m)
    }
    sender.socket.destroy()
    await until(() => server.calls.includes('closed'))
    assert.deepEqual(server.calls, ['closed'])
    if (commands.length < 200) assert.ok(isSecure)
  })
}

test('a handshake that does not come is given up', async (t) => {
  const server = await startServer(t, { isTls: true, budgets: { handshakeMs: 50 } })
  const sender = await Sender.greeted(t, server.port)
  await sender.say('STARTTLS\r\n', /^220/)
  assert.equal(await sender.rest(), '')
  await until(() => server.calls.includes('closed'))
})

test('plain commands where the handshake should be: the connection ends', async (t) => {
  const server = await startServer(t, { isTls: true })
  const sender = await Sender.greeted(t, server.port)
  await sender.say('STARTTLS\r\n', /^220/)
  sender.send('EHLO again\r\nMAIL FROM:<a@b.example>\r\n')
  await sender.rest()
  await until(() => server.calls.includes('closed'))
  assert.deepEqual(server.calls, ['closed'])
})

test('FIN instead of a handshake: the connection ends without waiting', async (t) => {
  const server = await startServer(t, { isTls: true })
  const sender = await Sender.greeted(t, server.port)
  await sender.say('STARTTLS\r\n', /^220/)
  sender.fin()
  await sender.rest()
  await until(() => server.calls.includes('closed'))
})
