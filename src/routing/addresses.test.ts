import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type IpAddress, ipFromBytes, isIpv6 } from '../base/ip.ts'
import { interleave, limitAddresses } from './addresses.ts'

const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes),
  fc.uint8Array({ minLength: 15, maxLength: 15 }).map((bytes) => ipFromBytes(Uint8Array.of(0x20, ...bytes))),
)
const hosts = fc.array(fc.uniqueArray(address, { minLength: 1, maxLength: 30 }).map(interleave), { maxLength: 20 })

test('interleaved: IPv6 first, in turn, the order within a family kept, duplicates once', () => {
  const at = ['192.0.2.1', '2001:db8::1', '192.0.2.2', '192.0.2.1', '192.0.2.3', '2001:db8::2'] as IpAddress[]
  assert.deepEqual(interleave(at), ['2001:db8::1', '192.0.2.1', '2001:db8::2', '192.0.2.2', '192.0.2.3'])
  assert.deepEqual(interleave([]), [])
})

test('the limit: as many as there may be, two hosts and both families where they exist, order kept', () => {
  fc.assert(
    fc.property(hosts, fc.integer({ min: 4, max: 12 }), (list, most) => {
      const left = limitAddresses(list, most)
      const before = list.flat()
      const after = left.flat()
      assert.equal(left.length, list.length)
      assert.equal(after.length, Math.min(most, before.length))
      assert.ok(left.filter((own) => own.length > 0).length >= Math.min(2, list.length))
      for (const isFamily of [isIpv6, (one: IpAddress) => !isIpv6(one)])
        assert.equal(after.some(isFamily), before.some(isFamily))
      for (const [index, own] of left.entries()) {
        const places = own.map((one) => list[index]?.indexOf(one) ?? -1)
        assert.deepEqual(
          places,
          [...places].sort((a, b) => a - b),
        )
      }
    }),
    { numRuns: 500 },
  )
})
