import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../lab/fake-clock.ts'
import { startLab } from '../lab/lab.ts'

// Behind our dot nobody knows (RFC 1047): a second backend would mean a second copy.
for (const [what, words] of [
  ['is silent', { afterDot: 'silence' }],
  ['closes', { afterDot: 'close' }],
  ['resets', { afterDot: 'reset' }],
  ['answers with garbage', { afterDot: 'garbage' }],
] as const) {
  test(`a backend that ${what} after the dot: nobody else gets the message, the sender hears 451, a person is told`, async (t) => {
    const lab = await startLab(t)
    const first = await lab.backend(words)
    const second = await lab.backend()
    const gateway = await lab.gateway({
      deliver: [first, { to: second, preference: 20 }],
      budgets: { dotMs: 400, bodyReserveMs: 100 },
    })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.code, sent.enhanced], [451, '4.4.2'])
    assert.equal(first.messages.length, 1)
    assert.equal(second.sessions.length, 0)
    assert.equal(gateway.find('outcome unknown').length, 1)
  })
}

// 270 s from the sender's dot, which is under the ten minutes of RFC 5321 §4.5.3.2.6.
test('250 after 269 s of silence is a 250, and one copy', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: 'silence' })
  const second = await lab.backend()
  const clock = createFakeClock()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] }, { clock })
  const sending = lab.send({ to: 'you@example.test' })
  await lab.until(() => first.messages.length === 1)
  clock.advance(269_000)
  first.say('250 2.0.0 after all')
  const sent = await sending
  assert.deepEqual([sent.code, sent.text], [250, 'after all'])
  // In so many minutes it is knocked at.
  assert.ok(!second.commands.some((command) => command.startsWith('MAIL')), second.commands.join())
})

test('after 270 s of silence the sender hears 451', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: 'silence' })
  const clock = createFakeClock()
  const gateway = await lab.gateway({ deliver: first }, { clock })
  const sending = lab.send({ to: 'you@example.test' })
  await lab.until(() => first.messages.length === 1)
  clock.advance(270_000)
  // The dot's own wait may begin a moment after the dot has come.
  await lab.until(() => {
    clock.advance(1)
    return gateway.find('outcome unknown').length === 1
  })
  const sent = await sending
  assert.deepEqual([sent.code, sent.enhanced], [451, '4.4.2'])
  assert.ok(clock.monotonicMs() < 271_000)
})
