/** A backend that takes longer for each step than a sender would wait for it gets what is held all the same: nobody waits there (RFC 5321 §4.5.3.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

for (const step of ['mail', 'rcpt', 'data'] as const)
  test(`100 s at ${step.toUpperCase()} are too long for the sender, and not for the hold`, async (t) => {
    const lab = await startLab(t)
    const clock = createFastClock(200)
    const isLate = () => new Promise<undefined>((resolve) => clock.after(100_000, () => resolve(undefined)))
    const backend = await lab.backend({ [step]: isLate })
    const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock })

    assert.equal((await lab.send({ to: 'you@example.test', body: 'in time' })).code, 250)
    assert.equal(gateway.held(), 1)
    assert.equal(backend.messages.length, 0)

    await lab.until(() => gateway.held() === 0)
    assert.equal(backend.messages.length, 1)
  })
