import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint } from '../../../test/unit/deliver.ts'
import type { HeldRecipient } from '../../queue/queue.ts'
import type { Route } from '../../routing/backend.ts'
import { routeOfTask } from './route-of-task.ts'

const nowMs = 1_700_000_000_000
const [first, spare] = [endpoint({ port: 1 }).backend, endpoint({ port: 2 }).backend]
const route: Route = {
  id: 'example.test',
  entries: [
    { backend: first, preference: 10, weight: 1 },
    { backend: spare, preference: 20, weight: 1 },
  ],
  balance: 'round-robin',
  onDefer: 'pass',
}
const held = (more: Partial<HeldRecipient> = {}) => more as HeldRecipient

/** The URLs of its backends, first choice first, and whether it is bound. */
function asked(...recipients: readonly HeldRecipient[]) {
  const { route: found, bound } = routeOfTask({ recipients }, route, nowMs)
  const entries = found.entries.toSorted((one, other) => one.preference - other.preference)
  return [entries.map(({ backend }) => backend.url), bound]
}

test('what no backend may have goes the way of its route', () => {
  assert.equal(routeOfTask({ recipients: [held()] }, route, nowMs).route, route)
})

test('what a backend may have goes to that one until its time is over, and then to it as the last', () => {
  const behind = (elsewhereMs: number) => held({ backend: first.key, elsewhereMs })
  assert.deepEqual(asked(behind(nowMs + 1)), [[first.url], first.key])
  assert.deepEqual(asked(behind(nowMs)), [[spare.url, first.url], undefined])
  assert.deepEqual(asked(held(), behind(nowMs)), [[spare.url, first.url], undefined])
})

test('one that is on the route no more is waited for all the same', () => {
  assert.deepEqual(asked(held({ backend: 'smtp://gone', elsewhereMs: nowMs + 1 })), [[], 'smtp://gone'])
  assert.equal(asked(held({ backend: 'smtp://gone', elsewhereMs: nowMs }))[1], undefined)
})
