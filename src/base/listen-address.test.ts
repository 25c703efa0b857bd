import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readListenAddress } from './listen-address.ts'

test('what is no place to listen says what is wrong with it', () => {
  const why = (text: string) => {
    const read = readListenAddress(text)
    return read.kind === 'no' ? read.why : undefined
  }
  assert.equal(why('0.0.0.0:25'), undefined)
  assert.equal(why('[::]:65535'), undefined)
  assert.equal(why('127.0.0.1:25255555'), 'has a port above 65535')
  assert.equal(why('2525'), 'is a port alone: write "0.0.0.0:2525", or "127.0.0.1:2525" for this machine alone')
  assert.equal(why('25255555'), 'is a number alone, and above 65535, the highest port')
  assert.equal(why('127.0.0.1'), 'has no port')
  assert.equal(why('localhost:25'), 'has no IP address before the port')
})
