import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

// The budgets of MAIL and of each RCPT: the sender's own timers (RFC 5321 §4.5.3.2) run meanwhile.
for (const [step, words, budgets] of [
  ['MAIL', { mail: 'silence' }, { mailMs: 400 }],
  ['RCPT', { rcpt: 'silence' }, { rcptMs: 400 }],
] as const) {
  for (const pipelining of [true, false]) {
    test(`a backend that is silent at ${step}: the sender hears 451 within the budget (pipelining: ${pipelining})`, async (t) => {
      const lab = await startLab(t)
      const backend = await lab.backend({ ...words, pipelining })
      const gateway = await lab.gateway({ deliver: backend, budgets })
      const started = performance.now()
      const sent = await lab.send({ to: 'you@example.test' })
      const ms = performance.now() - started
      assert.deepEqual([sent.step, sent.code], ['rcpt', 451])
      // The client's own limits are 30 and 60 s.
      assert.ok(ms >= 390 && ms < 30_000, `${ms} ms`)
      assert.equal(backend.messages.length, 0)
      assert.equal(gateway.backends()[0]?.state, 'up')
    })
  }
}

for (const [step, words] of [
  ['MAIL', { mail: 'silence' }],
  ['RCPT', { rcpt: 'silence' }],
] as const) {
  test(`a backend that is silent at ${step}: another one gets the mail, because budget is left`, async (t) => {
    const lab = await startLab(t)
    const silent = await lab.backend(words)
    const second = await lab.backend()
    // The client waits 30 s for MAIL and 60 s for RCPT, so a minute and more is left.
    await lab.gateway(
      {
        deliver: [silent, { to: second, preference: 20 }],
      },
      { clock: createFastClock(20) },
    )
    const sent = await lab.send({ to: 'you@example.test' })
    assert.equal(sent.code, 250)
    assert.deepEqual([silent.messages.length, second.messages.length], [0, 1])
  })
}

test('backends that are silent at MAIL, one after the other: the sender hears 451 when the budget of MAIL is spent, and no more are asked', async (t) => {
  const lab = await startLab(t)
  const [first, second, third] = [
    await lab.backend({ mail: 'silence' }),
    await lab.backend({ mail: 'silence' }),
    await lab.backend(),
  ]
  const clock = createFastClock(20)
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }, { to: third, preference: 30 }] }, { clock })
  const startedMs = clock.monotonicMs()
  const sent = await lab.send({ to: 'you@example.test' })
  const seconds = (clock.monotonicMs() - startedMs) / 1000
  assert.deepEqual([sent.step, sent.code], ['rcpt', 451])
  // 30 s for the first, and what is left of 50 s for the second.
  assert.ok(seconds >= 49 && seconds < 95, `${seconds} s`)
  assert.deepEqual([first.messages.length, second.messages.length, third.messages.length], [0, 0, 0])
})
