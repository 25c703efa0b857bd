import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpAddress } from '../../base/ip.ts'
import { calledBy } from './called-by.ts'

const at = (address: string) => ({ address: address as IpAddress, port: 8225 })

test('a link calls the dashboard by its first name, which its certificate has', () => {
  assert.equal(calledBy(at('192.0.2.2'), 'mx1.beta.test'), 'mx1.beta.test:8225')
  assert.equal(calledBy(at('0.0.0.0'), 'mx1.beta.test'), 'mx1.beta.test:8225')
  assert.equal(calledBy(at('2001:db8::1'), 'mx1.beta.test:443'), 'mx1.beta.test:443')
})

test('without a name it is the address, and on loopback no name of the world leads here', () => {
  assert.equal(calledBy(at('192.0.2.2'), undefined), '192.0.2.2:8225')
  assert.equal(calledBy(at('2001:db8::1'), undefined), '[2001:db8::1]:8225')
  assert.equal(calledBy(at('::'), undefined), 'localhost:8225')
  assert.equal(calledBy(at('127.0.0.1'), 'mx1.beta.test'), '127.0.0.1:8225')
})
