import assert from 'node:assert/strict'
import { test } from 'node:test'
import { styleText } from 'node:util'
import fc from 'fast-check'
import { printable, printableLines } from './printable.ts'

test('lines: line ends and our own colours stay, and nothing else that a terminal obeys', () => {
  const red = styleText('red', 'x', { validateStream: false })
  const dim = styleText('dim', 'y', { validateStream: false })
  assert.equal(printableLines(`${red} ${dim}\nz\n`), `${red} ${dim}\nz\n`)
  assert.equal(
    printableLines('\x1b[8mhidden\x1b]0;title\x07\r\x9b2J\u202e'),
    '\\u001b[8mhidden\\u001b]0;title\\u0007\\u000d\\u009b2J\\u202e',
  )
  assert.equal(printableLines('Grüße 漢字 😀'), 'Grüße 漢字 😀')
})

test('property: JSON stays the JSON that it was, and what is printable stays as it is', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 60 })
  fc.assert(
    fc.property(anything, (text) => {
      const line = JSON.stringify({ text })
      assert.equal(JSON.parse(printableLines(line)).text, text)
      const safe = printable(text)
      assert.equal(printableLines(safe), safe)
      assert.doesNotMatch(
        printableLines(text).replaceAll(/\x1b\[(?:1|2|22|31|32|33|39)m/g, ''),
        /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/,
      )
    }),
  )
})
