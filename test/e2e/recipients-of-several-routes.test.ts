import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// One answer to the dot cannot tell of two backends, so a transaction has one route (452: RFC 5321 §4.5.3.1.10).
const codes = (sent: { recipients: readonly { code: number; enhanced: string | undefined }[] }) =>
  sent.recipients.map(({ code, enhanced }) => `${code} ${enhanced}`)

test('the first recipient’s route decides; those of another route are asked to come again', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend()]
  await lab.gateway({ domains: { 'one.test': { deliver: one }, 'other.test': { deliver: other } } })
  for (const pipelined of [false, true]) {
    const to = ['a@one.test', 'b@other.test', 'c@one.test', 'd@other.test']
    const sent = await lab.send({ to, pipelined })
    assert.equal(sent.code, 250)
    assert.deepEqual(codes(sent), ['250 2.1.5', '452 4.5.3', '250 2.1.5', '452 4.5.3'])
    assert.deepEqual(one.messages.at(-1)?.to, ['a@one.test', 'c@one.test'])
    assert.equal(other.sessions.length, 0)
  }
})

test('a first recipient that was refused decides nothing', async (t) => {
  const lab = await startLab(t)
  const one = await lab.backend({ rcpt: '550 5.1.1 No' })
  const other = await lab.backend()
  await lab.gateway({ domains: { 'one.test': { deliver: one }, 'other.test': { deliver: other } } })
  for (const pipelined of [false, true]) {
    const sent = await lab.send({ to: ['a@one.test', 'b@other.test'], pipelined })
    assert.equal(sent.code, 250)
    assert.deepEqual(codes(sent), ['550 5.1.1', '250 2.1.5'])
  }
  assert.equal(other.messages.length, 2)
})

test('two domains with equal lists of backends are one route where the configuration says so', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const deliver = [backend]
  const running = await lab.process({
    config: { domains: { 'one.test': { deliver }, 'other.test': { deliver } } },
  })
  const sent = await lab.send({ to: ['a@one.test', 'b@other.test'], via: running })
  assert.equal(sent.code, 250)
  assert.deepEqual(codes(sent), ['250 2.1.5', '250 2.1.5'])
  assert.deepEqual(backend.messages[0]?.to, ['a@one.test', 'b@other.test'])
})

test('the same address twice: both are answered 250, and the backend has it once', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  for (const pipelined of [false, true]) {
    const sent = await lab.send({ to: ['you@example.test', 'you@EXAMPLE.test', 'you@example.test'], pipelined })
    assert.equal(sent.code, 250)
    assert.deepEqual(codes(sent), ['250 2.1.5', '250 2.1.5', '250 2.1.5'])
    assert.deepEqual(backend.messages.at(-1)?.to, ['you@example.test'])
  }
})

test('the 1,001st recipient hears 452 4.5.3, and the message goes to the thousand', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  const to = Array.from({ length: 1_001 }, (_, number) => `r${number}@example.test`)
  const sent = await lab.send({ to, pipelined: true })
  assert.equal(sent.code, 250)
  assert.ok(
    codes(sent)
      .slice(0, 1_000)
      .every((code) => code === '250 2.1.5'),
  )
  assert.equal(codes(sent)[1_000], '452 4.5.3')
  assert.equal(backend.messages[0]?.to.length, 1_000)
})

for (const on of ['tcp', 'unix'] as const) {
  test(`LMTP over ${on}: one recipient a transaction, and its reply is the sender’s`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({
      protocol: 'lmtp',
      on,
      afterDot: ({ asked }) => (asked?.startsWith('full') ? '452 4.2.2 Over quota' : undefined),
    })
    await lab.gateway({ deliver: backend })
    const sent = await lab.send({ to: ['one@example.test', 'two@example.test'] })
    assert.equal(sent.code, 250)
    assert.deepEqual(codes(sent), ['250 2.1.5', '452 4.5.3'])
    const full = await lab.send({ to: 'full@example.test' })
    assert.deepEqual([full.step, full.code, full.enhanced], ['dot', 452, '4.2.2'])
    assert.deepEqual(
      backend.messages.map(({ to }) => to),
      [['one@example.test'], ['full@example.test']],
    )
    assert.match(backend.commands[0] ?? '', /^LHLO /)
    assert.deepEqual(backend.violations, [])
  })
}

test('LMTP: a connection that is lost behind the dot is unknown, and nobody else is asked', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ protocol: 'lmtp', afterDot: 'close' })
  const second = await lab.backend({ protocol: 'lmtp' })
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.code, sent.enhanced], [451, '4.4.2'])
  assert.equal(gateway.find('outcome unknown').length, 1)
  assert.equal(second.sessions.length, 0)
})
