import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BackendList, backendTable } from './backend-list.ts'

const nowMs = 1_700_000_000_000
const one = {
  ...{ url: 'smtp://10.0.0.1:25', address: '10.0.0.1:25', state: 'up', sinceMs: nowMs - 7_300_000, sinceIsExact: true },
  ...{ sessions: 3, lastError: null, share: 1 },
} satisfies BackendList[number]

test('a line a backend: since when it is so, its place in the route, whom it serves; what is longer stands below', () => {
  const shared = { route: 'example.com', preference: 10, weight: 2, domains: 3 }
  const pool = { route: 'pool', preference: 20, weight: 1, domains: 1, firstDomains: ['solo.example'] }
  const table = backendTable(
    [
      { ...one, routes: [shared] },
      {
        ...one,
        url: 'smtp://mx.example.net:25',
        state: 'down',
        sinceIsExact: false,
        lastError: 'refused',
        routes: [pool],
      },
      {
        ...{ ...one, url: 'maildir:/box', address: '', sinceMs: null, routes: [shared, pool] },
        shares: [
          { route: 'example.com', share: 0 },
          { route: 'pool', share: 1 },
        ],
      },
    ],
    nowMs,
  )
  assert.equal(
    table,
    `BACKEND                   STATE  SINCE  SESSIONS  SHARE  PREF    WEIGHT  FOR
smtp://10.0.0.1:25        up     2 h    3         100 %  10      2       example.com and 2 more
smtp://mx.example.net:25  down   >2 h   3         100 %  20      1       pool: solo.example
  10.0.0.1:25: refused
maildir:/box              up     -      3         100 %  10, 20  2, 1    example.com and 2 more, po…
  0 % of example.com, 100 % of pool
`,
  )
})

test('what can be done stands below what is wrong, and neither is cut', () => {
  const lastError = `the exchangers of example.org cannot be found: ${'because '.repeat(30)}so`
  const mx = {
    ...one,
    url: 'mx',
    address: '',
    state: 'down' as const,
    lastError,
    remedy: 'write { to: mx, private: true }',
  }
  assert.match(backendTable([mx], nowMs), /because so\n {2}write \{ to: mx, private: true \}\n$/)
})

test('a line fits into 100 columns: what it serves is cut', () => {
  const routes = ['a', 'b', 'c', 'd'].map((name) => ({
    ...{ route: `${name.repeat(40)}.example`, preference: 10, weight: 1, domains: 12_345 },
  }))
  const url = 'smtp://cellar.internal.example.com:2525'
  const lines = backendTable([{ ...one, url, routes }], nowMs).split('\n')
  assert.ok(
    lines.every((line) => line.length <= 100),
    lines.join('\n'),
  )
})
