/** The long form of `test/e2e/the-gateway-is-killed-again-and-again.test.ts`: kill -9 at 200 seeded moments, and a torn log between lives. */
import { test } from 'node:test'
import { assertNothingLost, runChaos, seedFor, summaryOf } from '../lab/chaos.ts'
import { startLab } from '../lab/lab.ts'
import { tearLog } from '../lab/tear-log.ts'

test('killed 200 times: nothing is lost, nothing is changed, and no copy is made without need', async (t) => {
  const lab = await startLab(t, 7_200_000)
  const report = await runChaos(lab, { seed: seedFor(t), kills: 200 })
  t.diagnostic(summaryOf(report))
  assertNothingLost(report)
})

test('killed 50 times, with a torn write behind the last COMMIT each time: the same', async (t) => {
  const lab = await startLab(t, 3_600_000)
  const report = await runChaos(lab, { seed: seedFor(t), kills: 50, betweenLives: tearLog })
  t.diagnostic(summaryOf(report))
  assertNothingLost(report)
})
