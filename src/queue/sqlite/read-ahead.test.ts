import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReadAhead } from './read-ahead.ts'

const body = (octets: number) => ({ content: Buffer.alloc(octets), has8bit: false })

test('a body that came along is there until something is written down of its message', () => {
  const ahead = createReadAhead(100)
  const [first, second] = [body(10), body(20)]
  ahead.put('a', first)
  ahead.put('b', second)
  assert.equal(ahead.get('a'), first)
  assert.equal(ahead.get('a'), first)
  ahead.drop('b')
  assert.equal(ahead.get('b'), undefined)
})

test('beyond its room the oldest are forgotten, and one that comes again counts once', () => {
  const ahead = createReadAhead(100)
  for (const id of ['a', 'b', 'c']) ahead.put(id, body(40))
  assert.equal(ahead.get('a'), undefined)
  for (let times = 0; times < 5; times++) ahead.put('b', body(40))
  assert.ok(ahead.get('c'))
  assert.ok(ahead.get('b'))
  ahead.put('large', body(101))
  assert.equal(ahead.get('large'), undefined)
})
