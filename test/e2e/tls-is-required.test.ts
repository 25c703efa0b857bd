import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import type { BackendWords } from '../lab/words.ts'

// RFC 3207 §4.1: who requires TLS sends nothing without it.
const without: Record<string, BackendWords> = {
  'offers no STARTTLS': {},
  'answers STARTTLS with 454': { startTls: '454 4.7.0 TLS not available' },
  'answers STARTTLS with 554': { startTls: '554 5.7.0 No' },
  'says 220 and then no TLS': { startTls: '220 2.0.0 go ahead\r\nwhat is this' },
  'closes within the handshake': { startTls: { say: '220 2.0.0 go ahead', and: 'close' } },
}

for (const [what, words] of Object.entries(without)) {
  test(`TLS is required and the backend ${what}: no mail in clear, the next one gets it under TLS`, async (t) => {
    const lab = await startLab(t)
    const first = await lab.backend(words)
    const second = await lab.backend({ startTls: 'offer' })
    const deliver = [
      { to: first, tls: 'require' },
      { to: second, tls: 'require', preference: 20 },
    ] as const
    await lab.gateway({ deliver }, { clock: createFastClock(20) })
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    assert.ok(!first.commands.some((line) => line.startsWith('MAIL')))
    assert.equal(second.messages[0]?.session.tls, true)
  })
}

test('TLS is required and nobody has it: 451', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: [{ to: backend, tls: 'require' }] })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code], ['rcpt', 451])
  assert.ok(!backend.commands.some((line) => line.startsWith('MAIL')))
})

test('TLS may be: a handshake that fails leads to the same backend in clear, once', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ startTls: { say: '220 2.0.0 go ahead', and: 'close' } })
  const gateway = await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages[0]?.session.tls, false)
  assert.equal(backend.sessions.length, 2)
  assert.equal(gateway.find('tls failed, going on in clear').length, 1)
  backend.hangUp()
  await lab.until(() => backend.openSessions === 0)
  // It is remembered: the next session does not try.
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.commands.filter((line) => line === 'STARTTLS').length, 1)
})

for (const [startTls, alerts] of [
  ['554 5.7.0 No', 1],
  ['454 4.7.0 TLS not available', 0],
] as const) {
  test(`TLS may be: ${startTls} to STARTTLS, and the mail goes in clear; a person hears of what will be said again`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ startTls })
    const gateway = await lab.gateway({ deliver: backend })
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    assert.deepEqual(
      backend.messages.map(({ session }) => session.tls),
      [false],
    )
    assert.equal(gateway.find('tls failed, going on in clear').length, 1 - alerts)
    const told = gateway.find('backend refuses us TLS, going on in clear')
    assert.deepEqual(
      told.map(({ level, fields }) => [level, fields.backend, fields.why]),
      alerts === 1 ? [['alert', backend.url, `the server said ${startTls}`]] : [],
    )
  })
}

test('TLS is off: it is not used where it is offered', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ startTls: 'offer' })
  await lab.gateway({ deliver: [{ to: backend, tls: 'off' }] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages[0]?.session.tls, false)
})

test('smtps: TLS from the first octet', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ implicitTls: true })
  await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages[0]?.session.tls, true)
})

test('smtps to a server that speaks plain SMTP: never in clear, 451', async (t) => {
  const lab = await startLab(t)
  const plain = await lab.backend()
  await lab.gateway({ deliver: plain.url.replace('smtp:', 'smtps:') })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code], ['rcpt', 451])
  assert.equal(plain.messages.length, 0)
  assert.ok(!plain.commands.some((line) => /^(MAIL|EHLO)/.test(line)))
})
