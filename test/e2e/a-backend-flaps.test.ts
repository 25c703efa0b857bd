/** A backend that is there for five seconds and away for five, again and again: everything arrives in the end, and no copy without need. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost } from '../lab/chaos.ts'
import { createFastClock, sleepOn } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'

test('200 messages are held, more come, and the backend flaps', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(1)]
  const clock = createFastClock(20)
  const backend = await lab.backend({
    async afterDot(message) {
      oracle.arrived(message)
      await sleepOn(clock, 100)
      return undefined
    },
  })
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock })
  await sendMany(lab, oracle, 1, random)
  await backend.kill()
  for (let number = 0; number < 200; number++) await sendMany(lab, oracle, 1, random)
  let isOver = false
  let flaps = 0
  const flapping = (async () => {
    while (!isOver) {
      await backend.restart()
      await sleepOn(clock, 5_000)
      oracle.brokenOff(backend)
      await backend.kill()
      await sleepOn(clock, 5_000)
      flaps++
    }
  })()
  const codes: number[] = []
  for (let number = 0; number < 40; number++) codes.push(...(await sendMany(lab, oracle, 1, random)))
  assert.ok(
    codes.every((code) => code === 250),
    codes.join(),
  )
  const before = flaps
  await lab.until(() => flaps >= before + 10)
  isOver = true
  await flapping
  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  oracle.logged(gateway.lines.map(({ event, fields }) => ({ event, ...fields })))
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})
