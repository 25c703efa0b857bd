import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  parseEnvelopeId,
  parseNotify,
  parseOriginalRecipient,
  parseReturnContent,
  readEnvelopeId,
  readOriginalRecipient,
} from './dsn-request.ts'
import { decodeXtext } from './xtext.ts'

/** RFC 3461 §4, written as its grammar has it, to compare with. */
const encode = (text: string) =>
  [...text]
    .map((character) => {
      const code = character.charCodeAt(0)
      const isPlain = code > 0x20 && code < 0x7f && character !== '+' && character !== '='
      return isPlain ? character : `+${code.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')

const octets = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 60 })
const printables = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 33,
})

test('xtext gives back every octet', () => {
  fc.assert(fc.property(octets, (text) => assert.equal(decodeXtext(encode(text)), text)))
})

test('an identifier of printable ASCII is taken and read as it was meant; any other is not taken', () => {
  fc.assert(
    fc.property(printables, (text) => {
      const envid = parseEnvelopeId(encode(text)) ?? assert.fail(text)
      assert.equal(envid, encode(text))
      assert.equal(readEnvelopeId(envid), text)
      const orcpt = parseOriginalRecipient(`x-Type;${encode(text)}`) ?? assert.fail(text)
      assert.deepEqual(readOriginalRecipient(orcpt), { type: 'x-Type', address: text })
    }),
  )
  fc.assert(
    fc.property(
      octets,
      octets,
      fc.constantFrom('\r', '\n', '\0', '\t', '\x7f', '\x80', '\xff'),
      (before, after, bad) => {
        assert.equal(parseEnvelopeId(encode(`${before.slice(0, 10)}${bad}${after.slice(0, 10)}`)), undefined)
        assert.equal(parseOriginalRecipient(`rfc822;${encode(before + bad + after)}`), undefined)
      },
    ),
  )
})

test('whatever octets come, what is taken cannot end a field', () => {
  const pieces = fc.string({
    unit: fc.constantFrom('a', '+', '+0D', '+0A', '+41', '+2B', '=', ';', 'rfc822;', ' ', '\r', '\n', '\xe4'),
    maxLength: 12,
  })
  fc.assert(
    fc.property(pieces, (text) => {
      const envid = parseEnvelopeId(text)
      if (envid !== undefined) assert.match(`${envid}|${readEnvelopeId(envid)}`, /^[\x21-\x7e]+\|[\x20-\x7e]+$/)
      const orcpt = parseOriginalRecipient(text)
      if (orcpt !== undefined)
        assert.match(`${orcpt}|${readOriginalRecipient(orcpt).address}`, /^[\x21-\x7e]+\|[\x20-\x7e]*$/)
    }),
    { numRuns: 2000 },
  )
})

test('keywords are read in any case, NEVER alone', () => {
  assert.equal(parseReturnContent('hdrs'), 'HDRS')
  assert.equal(parseReturnContent(''), undefined)
  assert.equal(parseNotify('Never'), 'NEVER')
  assert.equal(parseNotify('delay,Success'), 'DELAY,SUCCESS')
  assert.equal(parseNotify('never,never'), undefined)
  assert.equal(parseNotify(''), undefined)
})
