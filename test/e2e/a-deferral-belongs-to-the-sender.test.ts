import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// A 4yz about the recipient or the message is the sender's retry (RFC 5321 §4.2.1): another backend would only be asked too early.
for (const reply of ['450 4.2.0 Greylisted', '452 4.2.2 Over quota', '451 4.7.1 Later', '450 Later']) {
  test(`${reply} to a recipient is passed on, and the second backend is never asked`, async (t) => {
    const lab = await startLab(t)
    const first = await lab.backend({ rcpt: reply })
    const second = await lab.backend()
    await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.step, sent.code], ['rcpt', Number(reply.slice(0, 3))])
    assert.equal(second.sessions.length, 0)
  })
}

for (const step of ['mail', 'data'] as const)
  for (const reply of ['450 4.7.1 Greylisted', '451 Later'])
    test(`${reply} to ${step.toUpperCase()} is passed on, the second backend is never asked, and nothing is held`, async (t) => {
      const lab = await startLab(t)
      const first = await lab.backend({ [step]: reply })
      const second = await lab.backend()
      const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }], hold: {} })
      const sent = await lab.send({ to: 'you@example.test' })
      assert.deepEqual([sent.step, sent.code], [step === 'mail' ? 'rcpt' : 'dot', Number(reply.slice(0, 3))])
      assert.deepEqual([second.sessions.length, gateway.held()], [0, 0])
    })

test('450 at the dot is passed on too; 451 4.3.0 there leads to the next', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: (_, count) => (count === 1 ? '450 4.7.1 Later' : '451 4.3.0 Trouble') })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 450)
  assert.equal(second.messages.length, 0)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(second.messages.length, 1)
})
