/** How connections end: time, half-closed and lost ones, refusals, shutdown. */

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { ok, Sender, startServer } from '../../../test/lab/smtp-server.ts'
import { until } from '../../../test/lab/until.ts'
import { parseIp } from '../../base/ip.ts'
import { type Reply, reply } from '../../mail/reply.ts'

const mailAndRcpt = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<you@example.test>\r\n'

/** A verdict that a test gives when it likes. */
function verdict() {
  const { promise, resolve } = Promise.withResolvers<Reply>()
  return { end: () => promise, give: resolve }
}

test('silence: 421 4.4.2 and the end', async (t) => {
  const server = await startServer(t, { budgets: { commandMs: 50 } })
  const sender = await Sender.dial(t, server.port)
  assert.match(await sender.rest(), /^220 .*\r\n421 4\.4\.2 .*\r\n$/)
})

test('octets of a command that trickle in do not move its deadline', async (t) => {
  const server = await startServer(t, { budgets: { commandMs: 150 } })
  const sender = await Sender.dial(t, server.port)
  await sender.expect(/^220/)
  const trickle = setInterval(() => sender.send('x'), 20)
  t.after(() => clearInterval(trickle))
  assert.match(await sender.rest(), /^421 4\.4\.2 .*\r\n$/)
})

test('commands every now and then do not put off the first MAIL: 421 4.4.2', async (t) => {
  const server = await startServer(t, { budgets: { firstMailMs: 1_000 } })
  const sender = await Sender.greeted(t, server.port)
  const noops = setInterval(() => sender.send('NOOP\r\n'), 20)
  t.after(() => clearInterval(noops))
  assert.match(await sender.rest(), /^(?:250 .*\r\n)+421 4\.4\.2 Too long without a mail\r\n$/)
})

test('who has said MAIL in time may take its time; the connection as a whole ends with 421 4.4.2', async (t) => {
  const server = await startServer(t, { budgets: { firstMailMs: 1_500, connectionMs: 2_500 } })
  const sender = await Sender.greeted(t, server.port)
  await sender.say('MAIL FROM:<a@b.example>\r\n', /^250/)
  assert.match(await sender.rest(), /^421 4\.4\.2 The connection has been open for too long\r\n$/)
  assert.equal(server.calls[1], 'reset')
})

test('a message that comes in when the connection has become too old is delivered and answered, then the connection ends', async (t) => {
  const { end, give } = verdict()
  let aheadMs = 0
  const clock = { ...steadyClock, monotonicMs: () => steadyClock.monotonicMs() + aheadMs }
  const server = await startServer(t, { end, clock, budgets: { connectionMs: 3_600_000, messageMs: 7_200_000 } })
  const sender = await Sender.greeted(t, server.port)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  sender.send('hello\r\n.\r\n')
  await until(() => server.calls.includes('end'))
  aheadMs = 3_600_000
  give(ok)
  assert.match(await sender.rest(), /^250 .*\r\n421 4\.4\.2 .*\r\n$/)
  assert.deepEqual(server.messages, ['hello\r\n'])
})

/** Says with each end of a message the begin of the next, so that it is never waited for a command. @returns the last that it heard */
async function sendWithoutPause(sender: Sender, messages: number): Promise<string> {
  sender.send(`${mailAndRcpt}DATA\r\n`)
  for (let sent = 0; sent < messages; sent++) {
    const heard = await sender.expect(/^(354|421) .*\r\n$/m)
    if (!heard.includes('354 ')) return heard
    sender.send(`hello\r\n.\r\n${mailAndRcpt}DATA\r\n`)
  }
  throw new Error(`${messages} messages, and no end`)
}

test('who never pauses hears too when the connection has become too old', async (t) => {
  let aheadMs = 0
  const clock = { ...steadyClock, monotonicMs: () => steadyClock.monotonicMs() + aheadMs }
  const end = async () => {
    aheadMs = 3_600_000
    return ok
  }
  const server = await startServer(t, { end, clock, budgets: { connectionMs: 3_600_000, messageMs: 7_200_000 } })
  const sender = await Sender.greeted(t, server.port)
  const heard = await sendWithoutPause(sender, 100)
  assert.match(heard, /^(?:250 .*\r\n)*421 4\.4\.2 The connection has been open for too long\r\n$/)
  assert.ok(server.messages.length < 10, `${server.messages.length} messages`)
  sender.fin()
  await until(() => server.calls.at(-1) === 'closed')
})

test('shutdown: who never pauses is answered for the message that it is about, and hears 421', async (t) => {
  let closed: Promise<void> | undefined
  const server = await startServer(t, {
    end: async () => {
      closed ??= server.server.close(600_000)
      return ok
    },
  })
  const sender = await Sender.greeted(t, server.port)
  assert.match(await sendWithoutPause(sender, 100), /^250 .*\r\n421 4\.3\.2 .*\r\n$/)
  assert.deepEqual(server.messages, ['hello\r\n'])
  sender.fin()
  await closed
  assert.equal(server.server.sessions, 0)
})

for (const [name, budgets] of [
  ['without an octet for a block', { blockMs: 50 }],
  ['that takes too long as a whole', { messageMs: 100 }],
] as const) {
  test(`a message ${name}: 421 4.4.2, and nothing of it is delivered`, async (t) => {
    const server = await startServer(t, { budgets })
    const sender = await Sender.greeted(t, server.port)
    await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
    const trickle = 'messageMs' in budgets ? setInterval(() => sender.send('x'), 10) : undefined
    t.after(() => clearInterval(trickle))
    sender.send('x')
    assert.match(await sender.rest(), /^421 4\.4\.2 .*\r\n$/)
    assert.equal(server.calls[3], 'abort too-slow')
  })
}

test('QUIT and FIN behind the dot: the sender is still there, and is answered', async (t) => {
  const { end, give } = verdict()
  const server = await startServer(t, { end })
  const sender = await Sender.greeted(t, server.port)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  sender.send('hello\r\n.\r\nQUIT\r\n')
  sender.fin()
  await until(() => server.calls.includes('end'))
  // What came before is read by the time that others are greeted.
  for (let times = 0; times < 3; times++) await Sender.greeted(t, server.port)
  assert.equal(server.peers[0]?.isGone, false)
  give(ok)
  assert.match(await sender.rest(), /^250 .*\r\n221 .*\r\n$/)
})

for (const [first, second] of [
  ['hello\r\n.\r\nQU', 'IT\r\n'],
  ['hello\r\n.\r\nQUIT\r', '\n'],
  ['hello\r\n.\r\n', 'quit\r\n'],
] as const)
  test(`QUIT behind the dot in two pieces, ${JSON.stringify(first.slice(8))} and ${JSON.stringify(second)}: the sender is still there`, async (t) => {
    const { end, give } = verdict()
    const server = await startServer(t, { end })
    const sender = await Sender.greeted(t, server.port)
    await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
    sender.send(first)
    await until(() => server.calls.includes('end'))
    sender.send(second)
    sender.fin()
    for (let times = 0; times < 3; times++) await Sender.greeted(t, server.port)
    assert.equal(server.peers[0]?.isGone, false)
    give(ok)
    assert.match(await sender.rest(), /^250 .*\r\n221 .*\r\n$/)
  })

for (const [name, leave] of [
  ['FIN without QUIT', (sender: Sender) => sender.fin()],
  ['a reset', (sender: Sender) => void sender.socket.resetAndDestroy()],
] as const) {
  test(`${name} while the verdict is awaited: the handler is told at once`, async (t) => {
    const { end, give } = verdict()
    const server = await startServer(t, { end })
    const sender = await Sender.greeted(t, server.port)
    const peer = server.peers[0]
    await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
    sender.send('hello\r\n.\r\n')
    await until(() => server.calls.includes('end'))
    assert.equal(peer?.isGone, false)
    leave(sender)
    await until(() => peer?.isGone === true)
    assert.ok(!server.calls.includes('closed'))
    give(ok)
    await until(() => server.calls.includes('closed'))
    assert.deepEqual(server.calls.slice(2), ['data', 'end', 'closed'])
  })

  test(`${name} within the message: nothing is delivered`, async (t) => {
    const server = await startServer(t)
    const sender = await Sender.greeted(t, server.port)
    await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
    sender.send('hello\r\n.')
    await until(() => server.calls.includes('data'))
    leave(sender)
    await until(() => server.calls.includes('closed'))
    assert.deepEqual(server.calls.slice(2), ['data', 'abort gone', 'closed'])
    assert.equal(server.peers[0]?.isGone, true)
  })
}

test('who asks when the peer has gone already is told at once', async (t) => {
  const server = await startServer(t)
  const sender = await Sender.greeted(t, server.port)
  await sender.say('MAIL FROM:<a@b.example>\r\n', /^250/)
  sender.socket.resetAndDestroy()
  await until(() => server.calls.includes('closed'))
  assert.deepEqual(server.calls, ['mail a@b.example', 'reset', 'closed'])
  assert.equal(server.peers[0]?.isGone, true)
})

test('a connection that is refused hears why in the greeting', async (t) => {
  const server = await startServer(t, {
    onConnect: () => ({ kind: 'refused', reply: reply(421, '4.7.0', 'Too many connections') }),
  })
  const sender = await Sender.dial(t, server.port, '127.0.0.1', 'EHLO x\r\n')
  assert.equal(await sender.rest(), '421 4.7.0 Too many connections\r\n')
})

test('shutdown: idle sessions hear 421; one before its verdict is answered first; both end', async (t) => {
  const { end, give } = verdict()
  const server = await startServer(t, { end })
  const idle = await Sender.greeted(t, server.port)
  const busy = await Sender.greeted(t, server.port)
  const within = await Sender.greeted(t, server.port)
  for (const sender of [busy, within]) await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  busy.send('hello\r\n.\r\n')
  within.send('hello\r\n')
  await until(() => server.calls.includes('end'))
  const closed = server.server.close(10_000)
  assert.match(await idle.rest(), /^421 4\.3\.2 .*\r\n$/)
  idle.fin()
  within.send('.\r\n')
  await until(() => server.messages.length === 2)
  give(ok)
  for (const sender of [busy, within]) {
    assert.match(await sender.rest(), /^250 .*\r\n421 4\.3\.2 .*\r\n$/)
    sender.fin()
  }
  await closed
  assert.equal(server.server.sessions, 0)
  await assert.rejects(Sender.dial(t, server.port), { code: 'ECONNREFUSED' })
})

test('shutdown: behind the grace the rest is cut off without an answer', async (t) => {
  const { end, give } = verdict()
  const server = await startServer(t, { end })
  const sender = await Sender.greeted(t, server.port)
  await sender.say(`${mailAndRcpt}DATA\r\n`, /^354/m)
  sender.send('hello\r\n.\r\n')
  await until(() => server.calls.includes('end'))
  server.peers[0]?.whenGone(() => give(reply(451, '4.3.2', 'Never heard')))
  await server.server.close(20)
  assert.equal(await sender.rest(), '')
  assert.equal(server.server.sessions, 0)
})

test('new options hold for new connections', async (t) => {
  const server = await startServer(t)
  const before = await Sender.greeted(t, server.port)
  server.server.update({ ...server.options, hostname: 'mx2.example.test' })
  await before.say('HELO x\r\n', /^250 mx1\.example\.test/)
  const after = await Sender.dial(t, server.port)
  await after.expect(/^220 mx2\.example\.test/)
})

test('"::" takes IPv6 alone, beside an IPv4 listener on the same port', async (t) => {
  const server = await startServer(t, { address: '0.0.0.0' })
  const any = parseIp('::')
  assert.ok(any)
  await server.server.listen(any, server.port)
  const four = await Sender.dial(t, server.port, '127.0.0.1')
  await four.expect(/^220/)
  const six = await Sender.dial(t, server.port, '::1')
  await six.expect(/^220/)
  assert.deepEqual(
    server.peers.map(({ address, local }) => [address, local.address]),
    [
      ['127.0.0.1', '127.0.0.1'],
      ['::1', '::1'],
    ],
  )
  await assert.rejects(server.server.listen(any, server.port), { code: 'EADDRINUSE' })
})

test('a refused connection that its peer does not close is let go at once', async (t) => {
  const server = await startServer(t, {
    onConnect: () => ({ kind: 'refused', reply: reply(421, undefined, 'Too many connections') }),
  })
  const sockets = Array.from({ length: 20 }, () =>
    connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true }),
  )
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  let heard = 0
  for (const socket of sockets) socket.on('error', () => {}).once('data', () => heard++)
  await until(() => heard === sockets.length)
  const letGoMs = steadyClock.monotonicMs()
  await until(() => server.server.sessions === 0)
  // Whoever is served may take five seconds for its FIN.
  assert.ok(steadyClock.monotonicMs() - letGoMs < 4_500)
  assert.ok(sockets.every((socket) => !socket.writableEnded))
})
