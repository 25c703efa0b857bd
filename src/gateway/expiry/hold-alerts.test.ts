import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectLog } from '../../../test/lab/log.ts'
import type { Lane, LaneSummary } from '../../queue/queue.ts'
import { holdPolicy } from '../../routing/hold-policy.ts'
import type { Way } from '../ways/lanes.ts'
import { createHoldAlerts } from './hold-alerts.ts'

const lane = 'example.test' as Lane
const route = { id: 'example.test', entries: [], balance: 'round-robin', onDefer: 'pass' } as const
const way: Way = { lane, route, domain: undefined, policy: holdPolicy({}, {}) }
const minuteMs = 60_000

test('that mail is held is told once when it has waited for five minutes, and once when none waits any more', () => {
  const { log, find } = collectLog()
  const alerts = createHoldAlerts({ log, wayOfLane: () => way })
  const waiting: LaneSummary[] = [{ lane, ready: 3, waiting: 0, unknown: 1, oldestMs: 0 }]
  alerts.look(waiting, 4 * minuteMs)
  assert.deepEqual(find('mail is held'), [])
  for (const minute of [5, 6, 60]) alerts.look(waiting, minute * minuteMs)
  assert.deepEqual(
    find('mail is held').map(({ level, fields }) => [level, fields.held]),
    [['alert', 4]],
  )
  alerts.look([], 61 * minuteMs)
  alerts.look([], 62 * minuteMs)
  assert.equal(find('no mail waits any more').length, 1)
})
