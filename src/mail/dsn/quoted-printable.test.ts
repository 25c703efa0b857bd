import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { quotedPrintable } from './quoted-printable.ts'

/** RFC 2045 §6.7, read back. */
function decode(text: string): Buffer {
  const whole = text.replace(/=\r\n/g, '')
  return Buffer.from(
    whole.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

test('every octet comes back, in short lines of printable ASCII that end in no blank', () => {
  const unit = fc.oneof(
    fc.nat(255).map((octet) => String.fromCharCode(octet)),
    fc.constantFrom(' ', '=', '\r\n', '\t', ' \r\n', 'x'.repeat(74)),
  )
  const text = fc.string({ unit, maxLength: 200 })
  fc.assert(
    fc.property(text, (latin1) => {
      const given = Buffer.from(latin1, 'latin1')
      const found = quotedPrintable(given).toString('latin1')
      assert.deepEqual(decode(found), given)
      for (const line of found.split('\r\n')) assert.match(line, /^[\t\x20-\x7e]{0,76}$(?<![ \t])/)
    }),
    { numRuns: 1000 },
  )
})
