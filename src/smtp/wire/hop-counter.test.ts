import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HopCounter } from './hop-counter.ts'

const hostname = 'mx1.example.com'

function count(pieces: readonly string[]): { received: number; ours: number } {
  const counter = new HopCounter(hostname)
  for (const piece of pieces) counter.push(Buffer.from(piece, 'latin1'))
  counter.end()
  return { received: counter.received, ours: counter.ours }
}

const other =
  'Received: from a.example (b [192.0.2.1])\r\n\tby c.example with ESMTP;\r\n Mon, 1 Jan 2026 00:00:00 +0000\r\n'
const own = 'RECEIVED : from a.example\r\n by MX1.example.com (Waypost) with ESMTP; Mon, 1 Jan 2026 00:00:00 +0000\r\n'

test('fields are counted in the header alone, ours by their "by"', () => {
  const content = `${other}Subject: Received: by ${hostname}\r\n${own}${other}\r\n${own}`
  assert.deepEqual(count([content]), { received: 3, ours: 1 })
})

test('names that only look like ours do not count', () => {
  const fields = [
    `Received: from ${hostname} by a.example; x\r\n`,
    `Received: by x${hostname}; x\r\n`,
    `Received: by ${hostname}.example; x\r\n`,
    `Received: standby ${hostname}x; x\r\n`,
  ]
  assert.deepEqual(count(fields), { received: 4, ours: 0 })
  assert.deepEqual(count([`Received: by ${hostname}`]), { received: 0, ours: 0 })
  assert.deepEqual(count([`Received: by ${hostname}\r\n`]), { received: 1, ours: 1 })
})

test('however it is cut, it counts the same', () => {
  const content = `${own}${other}From: x\r\n${other}${own}\r\nReceived: by ${hostname}\r\n`
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 }), (cuts) => {
      const pieces: string[] = []
      let at = 0
      for (const cut of cuts) {
        pieces.push(content.slice(at, at + cut))
        at += cut
      }
      pieces.push(content.slice(at))
      assert.deepEqual(count(pieces), { received: 4, ours: 2 })
    }),
  )
  assert.deepEqual(count([...content]), { received: 4, ours: 2 })
})

test('what lies beyond 256 KiB of header is not read, and a line without end is not kept', () => {
  const counter = new HopCounter(hostname)
  for (let index = 0; index < 300; index++) counter.push(Buffer.alloc(1024, 'x'))
  counter.push(Buffer.from(`\r\n${own}`))
  counter.end()
  assert.equal(counter.received, 0)
})
