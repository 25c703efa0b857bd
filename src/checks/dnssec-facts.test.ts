import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../../test/unit/facts/names.ts'
import { record, rrsigData } from '../../test/unit/facts/records.ts'
import { isDenialAt, isInForce, keyTagOf, secondsLeft } from './dnssec-facts.ts'

test('the key tag of RFC 4034 §5.4', () => {
  const key = Buffer.from(
    'AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==',
    'base64',
  )
  assert.equal(keyTagOf({ type: 'DNSKEY', flags: 256, protocol: 3, algorithm: 5, key }), 60_485)
})

test('the hash of RFC 5155 appendix A', () => {
  const nsec3 = {
    type: 'NSEC3',
    algorithm: 1,
    flags: 0,
    iterations: 12,
    salt: Buffer.from('aabbccdd', 'hex'),
    nextHash: Buffer.alloc(20),
    types: [],
  } as const
  assert.ok(isDenialAt(record(wire('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example'), nsec3), wire('Example')))
  assert.ok(isDenialAt(record(wire('35MTHGPGCU1QG68FAB165KLNSNK3DPVL.example'), nsec3), wire('a.example')))
  assert.ok(!isDenialAt(record(wire('35mthgpgcu1qg68fab165klnsnk3dpvl.example'), nsec3), wire('b.example')))
  // More work than a resolver would do is not done.
  assert.ok(
    !isDenialAt(
      record(wire('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example'), { ...nsec3, iterations: 65_535 }),
      wire('example'),
    ),
  )
})

test('times of signatures go round at 2^32 (RFC 4034 §3.1.5)', () => {
  const ms = 2 ** 32 * 1000
  assert.equal(secondsLeft(rrsigData('MX', { expiration: 100 }), ms), 100)
  assert.ok(isInForce(rrsigData('MX', { inception: 2 ** 32 - 10, expiration: 100 }), ms))
  assert.ok(!isInForce(rrsigData('MX', { inception: 10, expiration: 100 }), ms))
})
