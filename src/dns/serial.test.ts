import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNewerSerial, nextSerial, serialStyle } from './serial.ts'

const nowMs = Date.UTC(2026, 10, 24, 23, 59)
const nowSeconds = nowMs / 1000

test('RFC 1982: newer is what lies ahead by less than half of all', () => {
  assert.ok(isNewerSerial(1, 0))
  assert.ok(!isNewerSerial(0, 1))
  assert.ok(!isNewerSerial(7, 7))
  assert.ok(isNewerSerial(0, 0xffff_ffff))
  assert.ok(isNewerSerial(0x7fff_ffff, 0))
  assert.ok(!isNewerSerial(0x8000_0000, 0) && !isNewerSerial(0, 0x8000_0000))
})

test('the next serial keeps the style', () => {
  const cases: readonly (readonly [current: number, next: number, style: string])[] = [
    [2026112300, 2026112400, 'date'],
    [2026112400, 2026112401, 'date'],
    [2026112499, 2026112500, 'date'],
    [2026112507, 2026112508, 'date'],
    [1999123199, 2026112400, 'date'],
    [nowSeconds - 1000, nowSeconds, 'time'],
    [nowSeconds, nowSeconds + 1, 'time'],
    [nowSeconds + 90_000, nowSeconds + 90_001, 'count'],
    [1, 2, 'count'],
    [0, 1, 'count'],
    [2026133100, 2026133101, 'count'],
    [2026023000, 2026023001, 'count'],
    [0xffff_ffff, 1, 'count'],
  ]
  for (const [current, serial, style] of cases)
    assert.deepEqual(nextSerial(current, nowMs), { kind: 'serial', serial, style }, String(current))
})

test('what the servers have already is counted in, or the way out is told', () => {
  assert.deepEqual(nextSerial(5, nowMs, 9), { kind: 'serial', serial: 10, style: 'count' })
  assert.deepEqual(nextSerial(9, nowMs, 5), { kind: 'serial', serial: 10, style: 'count' })
  assert.deepEqual(nextSerial(2026112400, nowMs, 2026112455), { kind: 'serial', serial: 2026112456, style: 'date' })
  // The zone went from a date to a clock, which is lower.
  assert.deepEqual(nextSerial(nowSeconds - 5, nowMs, 2026112400), { kind: 'serial', serial: 2026112401, style: 'time' })
  const stuck = nextSerial(1, nowMs, 1 + 2 ** 31)
  assert.ok(stuck.kind === 'stuck')
  assert.match(stuck.why, /set the zone's to 2147483650/)
})

test('the next one is newer, and never 0', () => {
  const serial = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 0xffff_fffe, 0xffff_ffff, 2 ** 31))
  fc.assert(
    fc.property(serial, serial, (current, live) => {
      const next = nextSerial(current, nowMs, live)
      if (next.kind === 'stuck') return
      assert.ok(isNewerSerial(next.serial, current) && isNewerSerial(next.serial, live) && next.serial !== 0)
      assert.equal(next.style, serialStyle(current, nowMs))
    }),
  )
  fc.assert(fc.property(serial, (current) => assert.equal(nextSerial(current, nowMs).kind, 'serial')))
})
