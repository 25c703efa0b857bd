import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { aData, nsData } from '../../../../test/unit/facts/records.ts'
import { direct, response } from '../../../../test/unit/facts/servers.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { IpAddress } from '../../../base/ip.ts'
import { rcodes } from '../../../dns/types.ts'
import type { DirectOutcome } from '../../facts.ts'
import { nsOpenRecursor } from './ns-open-recursor.ts'

const foreign = 'waypost-77.example.net'
/** @param address  not of those for documentation, which nobody reaches */
const withForeign = (outcome: DirectOutcome, address = '9.9.9.10') =>
  changeServer(factsOf(), 2, (server) => ({
    ...server,
    address: address as IpAddress,
    asked: [...server.asked.filter(({ recursion }) => !recursion), direct(foreign, 'A', outcome, { recursion: true })],
  }))

test('a foreign name is looked up: found, or known not to exist', () => {
  const found = response(foreign, 'A', [aData('192.0.2.9')], {
    message: { recursionAvailable: true, authoritative: false },
  })
  assert.equal(only(nsOpenRecursor, withForeign(found)).severity, 'warning')
  const none = response(foreign, 'A', [], {
    zone: 'net',
    message: { recursionAvailable: true, authoritative: false, rcode: rcodes.nxDomain },
  })
  assert.deepEqual(outcomesOf(nsOpenRecursor, withForeign(none)), ['warning ns-open-recursor'])
})

test('a server at an address that strangers do not reach answers no stranger: that is a notice', () => {
  const found = response(foreign, 'A', [aData('192.0.2.9')], { message: { recursionAvailable: true } })
  const { severity, seen } = only(nsOpenRecursor, withForeign(found, '127.0.0.53'))
  assert.equal(severity, 'notice')
  assert.match(seen, /The address is loopback, so that we are no stranger: /)
})

test('refusing is right, also with RA set; a referral is no recursion', () => {
  const refused = response(foreign, 'A', [], {
    authorities: [],
    message: { recursionAvailable: true, rcode: rcodes.refused },
  })
  assert.deepEqual(outcomesOf(nsOpenRecursor, withForeign(refused)), [])
  const referral = response(foreign, 'A', [], {
    authorities: [nsData('a.root-servers.net')],
    message: { recursionAvailable: true },
  })
  assert.deepEqual(outcomesOf(nsOpenRecursor, withForeign(referral)), [])
  assert.deepEqual(outcomesOf(nsOpenRecursor, factsOf()), [])
})

test('what was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(nsOpenRecursor, withForeign(notExamined('rate-limited'))), [
    'not checked ns-open-recursor: rate-limited',
  ])
})
