/** The wall clock is put forward or back by a day while mail is held and deferred: nothing is lost, nothing expires of it, nothing waits a day. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost } from '../lab/chaos.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { createJumpingClock } from '../lab/jumping-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'

const dayMs = 86_400_000

for (const [name, byMs] of [
  ['back', -dayMs],
  ['forward', dayMs],
] as const) {
  test(`a day ${name}`, async (t) => {
    const lab = await startLab(t)
    const [oracle, random] = [createOracle(), seededRandom(1)]
    const clock = createJumpingClock(createFastClock(100))
    let isCalm = false
    const backend = await lab.backend({
      afterDot: ({ to }) => (isCalm ? undefined : to[0] === 'user2@example.test' ? 'reset' : '450 4.2.0 not now'),
    })
    const gateway = await lab.gateway({ deliver: backend, onDefer: 'hold', hold: { holdMs: 14 * dayMs } }, { clock })
    // Two wait, one is unknown, and more are held for the route.
    assert.deepEqual(await sendMany(lab, oracle, 3, random), [250, 250, 250])
    await backend.kill()
    assert.deepEqual(await sendMany(lab, oracle, 5, random), [250, 250, 250, 250, 250])
    assert.equal(gateway.held(), 8)

    clock.jump(byMs)
    isCalm = true
    await backend.restart()
    await lab.until(() => gateway.held() === 0)
    assert.deepEqual(gateway.find('expired'), [])
    assertNothingLost(await oracle.judge([backend], gateway.queue))
  })
}
