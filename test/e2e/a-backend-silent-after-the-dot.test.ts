import assert from 'node:assert/strict'
import { test } from 'node:test'
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

test('a late 250 within the budget is a 250, and one copy', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: 'silence' })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  const sending = lab.send({ to: 'you@example.test' })
  await lab.until(() => first.messages.length === 1)
  first.say('250 2.0.0 after all')
  const sent = await sending
  assert.deepEqual([sent.code, sent.text], [250, 'after all'])
  assert.equal(second.sessions.length, 0)
})
