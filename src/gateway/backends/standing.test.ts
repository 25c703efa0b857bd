import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackendReport } from './report.ts'
import { standingOf, standings, standingText } from './standing.ts'

const report = (state: BackendReport['state'], address = '10.0.0.1:25', url = 'smtp://a'): BackendReport => ({
  ...{ url, address, state, sessions: 0, lastError: state === 'up' ? null : `${address} ${state}`, share: 0 },
})
const textOf = (...states: BackendReport['state'][]) =>
  standingText(standingOf(states.map((state, at) => report(state, `10.0.0.${at}:25`))))

test('a backend serves while one of its addresses does, and what is worse is said beside it', () => {
  const one = standingOf([report('up'), report('down', '10.0.0.2:25')])
  assert.deepEqual(one, {
    ...{ serves: true, isUp: true },
    worst: 'down',
    addresses: 2,
    inWorst: 1,
    lastError: '10.0.0.2:25 down',
  })
  assert.equal(textOf('up', 'down'), 'serves, but one of its 2 addresses is down')
  assert.equal(textOf('slow', 'up', 'slow'), 'serves, but 2 of its 3 addresses are slow')
  // What it means, and what comes next.
  assert.match(
    textOf('suspect'),
    /^is suspect \(it did not answer when asked last: it gets mail after the others until it does, and is down at/,
  )
  assert.match(
    textOf('up', 'suspect', 'suspect'),
    /^serves, but 2 of its 3 addresses are suspect \(they did not answer/,
  )
})

test('none that serves: the worst word is that of the backend', () => {
  assert.equal(standingOf([report('slow'), report('down')]).serves, false)
  assert.equal(textOf('slow', 'down'), 'is down')
  assert.equal(textOf('slow', 'slow'), 'is slow')
  assert.equal(textOf('out', 'out'), 'is out of service')
})

test('what no message has asked for is taken for well, and not known of', () => {
  assert.deepEqual([standingOf([]).serves, textOf()], [true, 'is well'])
  const known = standings([
    report('up', '', 'smtp://unasked'),
    report('out', '', 'smtp://out'),
    report('up', '', 'maildir:/m'),
  ])
  assert.deepEqual([...known.keys()], ['smtp://out', 'maildir:/m'])
})
