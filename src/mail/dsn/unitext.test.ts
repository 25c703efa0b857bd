import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { printable } from '../../base/printable.ts'
import { decodeUnitext, encodeUnitext } from './unitext.ts'

const pairs: readonly [encoded: string, address: string][] = [
  ['you@example.test', 'you@example.test'],
  ['j\\x{F6}rg@example.test', 'jörg@example.test'],
  ['\\x{1F600}@example.test', '😀@example.test'],
  ['\\x{10FFFD}', '\u{10fffd}'],
  ['a\\x{2B}b\\x{3D}\\x{5C}\\x{20}c', 'a+b=\\ c'],
]

for (const [encoded, address] of pairs) {
  test(`${address} is written ${encoded}`, () => {
    assert.equal(encodeUnitext(address), encoded)
    assert.equal(decodeUnitext(encoded), address)
  })
}

test('what does not follow the syntax, or would bring what cannot be seen, stays as it is', () => {
  const left = [
    'a\\x{0D}\\x{0A}b',
    'a\\x{0A}',
    'a\\x{41}',
    'a\\x{D800}',
    'a\\x{110000}',
    'a\\x{}',
    'a\\x{F6',
    'a\\y',
    'a+2Bb',
    'a b',
    '',
  ]
  for (const text of [...left, 'a\\x{07}', 'a\\x{7F}', 'a\\x{85}', 'a\\x{202E}b', 'a\\X{F6}'])
    assert.equal(decodeUnitext(text), text)
  assert.equal(decodeUnitext('\\x{f6}\\x{3b4}'), 'öδ')
})

test('an address that can be shown survives, and its written form is printable ASCII for ORCPT', () => {
  const shown = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => printable(text) === text)
  fc.assert(
    fc.property(shown, (address) => {
      const encoded = encodeUnitext(address)
      assert.match(encoded, /^[!-*,-<>-~]+$/)
      assert.equal(decodeUnitext(encoded), address)
    }),
  )
})
