/** A backend that is there for five seconds and away for five, again and again: everything arrives in the end, and no copy without need. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost } from '../lab/chaos.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'

const times = 20

test('200 messages are held, more come, and the backend flaps', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(1)]
  const backend = await lab.backend({
    async afterDot(message) {
      oracle.arrived(message)
      await wait(5)
      return undefined
    },
  })
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock: createFastClock(times) })
  await sendMany(lab, oracle, 1, random)
  await backend.kill()
  for (let number = 0; number < 200; number++) await sendMany(lab, oracle, 1, random)
  let isOver = false
  const flapping = (async () => {
    while (!isOver) {
      await backend.restart()
      await wait(5_000 / times)
      oracle.brokenOff(backend)
      await backend.kill()
      await wait(5_000 / times)
    }
  })()
  const codes: number[] = []
  for (let number = 0; number < 40; number++) codes.push(...(await sendMany(lab, oracle, 1, random)))
  assert.ok(
    codes.every((code) => code === 250),
    codes.join(),
  )
  await wait(5_000)
  isOver = true
  await flapping
  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  oracle.logged(gateway.lines.map(({ event, fields }) => ({ event, ...fields })))
  assertNothingLost(await oracle.judge([backend], gateway.queue))
})
