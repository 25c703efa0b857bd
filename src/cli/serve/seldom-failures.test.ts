import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { type Fields, type Log, silentLog } from '../../base/log.ts'
import { withSeldomFailures } from './seldom-failures.ts'

test('a backend that stays down is written once, for each other reason, and once an hour with how often', () => {
  const lines: string[] = []
  const write = (level: string) => (event: string, fields?: Fields) =>
    void lines.push(
      [level, event, fields?.backend, fields?.detail, fields?.alikeSince].filter((word) => word).join(' '),
    )
  const written: Log = { ...silentLog, debug: write('debug'), info: write('info'), with: () => written }
  const clock = createFakeClock()
  const log = withSeldomFailures(written, clock)
  const fail = (backend: string, detail: string, times = 1) => {
    for (let time = 0; time < times; time++) {
      log.info('backend session failed', {
        backend,
        endpoint: '192.0.2.1:25',
        kind: 'refused',
        step: 'connect',
        detail,
      })
      clock.advance(30_000)
    }
  }
  const infos = () => lines.splice(0).filter((line) => line.startsWith('info'))

  fail('a', 'ECONNREFUSED', 120)
  assert.equal(lines.length, 120, 'all of them are there for who debugs')
  assert.deepEqual(infos(), ['info backend session failed a ECONNREFUSED'])
  fail('a', 'ECONNREFUSED', 2)
  fail('b', 'ECONNREFUSED')
  fail('a', 'EHOSTUNREACH')
  fail('a', 'ECONNREFUSED')
  log.with({}).info('backend session failed', {
    backend: 'b',
    endpoint: '192.0.2.1:25',
    kind: 'refused',
    step: 'connect',
    detail: 'ECONNREFUSED',
  })
  assert.deepEqual(infos(), [
    'info backend session failed a ECONNREFUSED 119',
    'info backend session failed b ECONNREFUSED',
    'info backend session failed a EHOSTUNREACH',
    'info backend session failed a ECONNREFUSED',
  ])

  log.debug('backend session opened', { backend: 'a', endpoint: '192.0.2.1:25' })
  fail('a', 'ECONNREFUSED')
  log.info('backend state', { backend: 'a' })
  log.info('backend state', { backend: 'a' })
  assert.deepEqual(infos(), [
    'info backend session failed a ECONNREFUSED',
    'info backend state a',
    'info backend state a',
  ])
})
