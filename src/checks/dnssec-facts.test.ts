import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../../test/unit/facts/names.ts'
import { record, rrsigData } from '../../test/unit/facts/records.ts'
import { processorMs } from '../../test/unit/processor-time.ts'
import { denialAt, isInForce, keyTagOf, secondsLeft } from './dnssec-facts.ts'

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
  const at = (label: string, name: string) => denialAt([record(wire(`${label}.example`), nsec3)], wire(name)).kind
  assert.equal(at('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom', 'Example'), 'denial')
  assert.equal(at('35MTHGPGCU1QG68FAB165KLNSNK3DPVL', 'a.example'), 'denial')
  assert.equal(at('35mthgpgcu1qg68fab165klnsnk3dpvl', 'b.example'), 'none')
})

test('more hashing than validators do is not done, and is told', () => {
  const nsec3 = (iterations: number) =>
    record(wire('x.example'), {
      type: 'NSEC3',
      algorithm: 1,
      flags: 0,
      iterations,
      salt: Buffer.alloc(0),
      nextHash: Buffer.alloc(20),
      types: [],
    })
  assert.deepEqual(denialAt([nsec3(150)], wire('example')), { kind: 'none' })
  assert.deepEqual(denialAt([nsec3(151), nsec3(0)], wire('example')), { kind: 'too-many-iterations', iterations: 151 })
})

test('a message full of NSEC3 records is hashed for a few of them', () => {
  const owner = wire('x.example')
  const records = Array.from({ length: 3_000 }, (_, index) =>
    record(owner, {
      type: 'NSEC3',
      algorithm: 1,
      flags: 0,
      iterations: 150,
      salt: Buffer.of(index >> 8, index & 255),
      nextHash: Buffer.alloc(20),
      types: [],
    }),
  )
  assert.ok(processorMs(() => denialAt(records, wire('example'))) < 100)
})

test('times of signatures go round at 2^32 (RFC 4034 §3.1.5)', () => {
  const ms = 2 ** 32 * 1000
  assert.equal(secondsLeft(rrsigData('MX', { expiration: 100 }), ms), 100)
  assert.ok(isInForce(rrsigData('MX', { inception: 2 ** 32 - 10, expiration: 100 }), ms))
  assert.ok(!isInForce(rrsigData('MX', { inception: 10, expiration: 100 }), ms))
})
