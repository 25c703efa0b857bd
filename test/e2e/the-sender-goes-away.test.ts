import assert from 'node:assert/strict'
import { test } from 'node:test'
import { steadyClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

// A sender that heard no answer sends again (RFC 5321 §4.5.4.1): what it left unfinished is given up.
for (const how of ['closes', 'resets'] as const) {
  test(`the sender ${how} in the middle of its message: no backend sees one`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const gateway = await lab.gateway({ deliver: backend })
    const sender = await lab.connect()
    await sender.hello()
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write('Subject: half\r\n\r\nhalf a')
    if (how === 'closes') sender.halfClose()
    else sender.reset()
    await lab.until(() => gateway.find('disconnected').length === 1)
    assert.equal(backend.messages.length, 0)
    assert.ok(!backend.commands.includes('DATA'))
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    assert.equal(backend.messages.length, 1)
  })

  test(`the sender ${how} behind its dot, before our answer: one copy, and the gateway goes on`, async (t) => {
    const lab = await startLab(t)
    const first = await lab.backend({ afterDot: 'silence' })
    const second = await lab.backend()
    const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
    const sender = await lab.connect()
    await sender.hello()
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write('Subject: whole\r\n\r\ntext\r\n.\r\n')
    await lab.until(() => first.messages.length === 1)
    if (how === 'closes') sender.halfClose()
    else sender.reset()
    first.say('250 2.0.0 taken')
    await lab.until(() => gateway.find('disconnected').length === 1)
    assert.deepEqual([first.accepted.length, second.sessions.length], [1, 0])
    first.change({ afterDot: undefined })
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  })
}

test('the sender goes while its recipient is asked for: the backend session is not kept waiting', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: 'silence' })
  const gateway = await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  await sender.write('RCPT TO:<you@example.test>\r\n')
  await lab.until(() => backend.commands.some((line) => line.startsWith('RCPT')))
  sender.reset()
  await lab.until(() => backend.openSessions === 0)
  await lab.until(() => gateway.find('disconnected').length === 1)
  assert.equal(gateway.backends()[0]?.state, 'up')
})

for (const [what, words] of Object.entries({
  'connect to a backend': { connect: 'silence' },
  'wait for its greeting': { greeting: 'silence' },
} as const)) {
  test(`the sender goes while we ${what}: its place is free at once, and the backend no worse for it`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend(words)
    // The place of the only connection that there may be; the budgets are those of production.
    const gateway = await lab.gateway({ deliver: backend, limits: { connections: 1 } })
    const sender = await lab.connect()
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    await sender.write('RCPT TO:<you@example.test>\r\n')
    await lab.until(() => gateway.backends()[0]?.sessions === 1)
    sender.reset()
    const goneMs = steadyClock.monotonicMs()
    await lab.until(() => gateway.find('disconnected').length === 1)
    await lab.until(() => gateway.backends()[0]?.sessions === 0)
    // Long before the 25 s of the connect budget.
    assert.ok(steadyClock.monotonicMs() - goneMs < 15_000)
    assert.equal(gateway.backends()[0]?.state, 'up')
    assert.equal(gateway.find('backend session failed').length, 0)
    const next = await lab.connect()
    await next.hello()
  })
}

test('QUIT in one write with the dot: the message is delivered, and both are answered', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n')
  await sender.expect(250)
  await sender.expect(221)
  assert.equal(await sender.closed(), 'closed')
  assert.equal(backend.messages.length, 1)
})

test('QUIT and FIN in one go with the dot: both are answered all the same', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n')
  sender.halfClose()
  await sender.expect(250)
  await sender.expect(221)
  assert.equal(backend.messages.length, 1)
})

test('RSET in the middle: the first transaction is forgotten, the second delivered to its own recipients', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<first@sender.test>', 250)
  await sender.command('RCPT TO:<one@example.test>', 250)
  await sender.command('RSET', 250)
  await sender.command('RCPT TO:<two@example.test>', 503)
  await sender.command('DATA', 503)
  await sender.untilData('second@sender.test', 'three@example.test')
  await sender.write('Subject: x\r\n\r\ntext\r\n.\r\n')
  await sender.expect(250)
  assert.deepEqual(
    backend.messages.map(({ from, to }) => [from, to]),
    [['second@sender.test', ['three@example.test']]],
  )
  assert.deepEqual(backend.violations, [])
})

test('the sender goes while we ask DNS for the exchangers: its place is free at once', async (t) => {
  const lab = await startLab(t)
  const dns = await lab.dns({ 'example.test': { MX: [[10, 'mx1.example.test']] } })
  dns.fault('*', 'silence')
  const gateway = await lab.gateway({
    deliver: 'mx',
    resolver: { servers: [dns.server], timeoutMs: 100_000, deadlineMs: 100_000 },
  })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  await sender.write('RCPT TO:<you@example.test>\r\n')
  await lab.until(() => dns.asked.length > 0)
  sender.reset()
  await lab.until(() => gateway.find('disconnected').length === 1)
})
