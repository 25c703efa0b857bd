import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseName } from './name.ts'
import {
  foldName,
  hostFromName,
  isAtOrBelow,
  labelsOf,
  nameFromHost,
  nameFromLabels,
  nameFromText,
  nameText,
  parentOf,
  rootWireName,
  sameName,
  type WireName,
} from './wire-name.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}
const labels = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((octets) => Buffer.from(octets).toString('latin1')),
  { maxLength: 8 },
)

test('any labels go to text and back, as they are', () => {
  fc.assert(
    fc.property(labels, (list) => {
      const parsed = nameFromLabels(list)
      assert.ok(parsed.kind === 'name')
      assert.deepEqual(labelsOf(parsed.name), list)
      const text = nameText(parsed.name)
      assert.match(text, /^[\x21-\x7e]+$/)
      assert.deepEqual(nameFromText(text), parsed)
    }),
  )
})

test('any text is a name or is told why not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      const parsed = nameFromText(text)
      if (parsed.kind === 'name') assert.deepEqual(nameFromText(nameText(parsed.name)), parsed)
      else assert.notEqual(parsed.why, '')
    }),
  )
})

test('escapes', () => {
  assert.deepEqual(labelsOf(wire('a\\.b.c\\032d.\\255\\000')), ['a.b', 'c d', '\xff\0'])
  assert.equal(nameText(wire('a\\.b.c\\032d.\\255\\000')), 'a\\.b.c\\032d.\\255\\000.')
  for (const text of [
    'a..b',
    '.a',
    '..',
    '',
    'a\\',
    'a\\256',
    'a\\12',
    'a b',
    'ä.test',
    `${'a'.repeat(64)}.test`,
    'a.'.repeat(128),
  ])
    assert.equal(nameFromText(text).kind, 'invalid', text)
  assert.equal(nameFromText('a.'.repeat(127)).kind, 'name')
})

test('case is kept and does not count; only A–Z fold', () => {
  const one = wire('ExAmple.TEST')
  assert.equal(nameText(one), 'ExAmple.TEST.')
  assert.ok(sameName(one, wire('example.test')))
  assert.ok(!sameName(wire('\\192.test'), wire('\\224.test')), 'À and à are different octets')
  assert.equal(foldName(wire('A.b')), wire('a.b'))
})

test('above and below', () => {
  assert.ok(isAtOrBelow(wire('a.B.test'), wire('b.test')))
  assert.ok(isAtOrBelow(wire('b.test'), wire('B.test')))
  assert.ok(isAtOrBelow(wire('b.test'), rootWireName))
  assert.ok(!isAtOrBelow(wire('ab.test'), wire('b.test')))
  assert.ok(!isAtOrBelow(wire('test'), wire('b.test')))
  // The label \004test looks like the end "test." in octets, and is none.
  assert.ok(!isAtOrBelow(wire('x\\004test'), wire('test')))
  assert.equal(parentOf(wire('a.b.test')), wire('b.test'))
  assert.equal(parentOf(rootWireName), rootWireName)
})

test('host names go to wire and back; what is none stays none', () => {
  for (const text of ['example.com', 'xn--bcher-kva.example', '_25._tcp.mail.example.com', '.']) {
    const parsed = parseName(text)
    assert.ok(parsed.kind === 'name')
    assert.equal(hostFromName(nameFromHost(parsed.name)), parsed.name)
  }
  assert.equal(hostFromName(wire('MX1.Example.COM')), 'mx1.example.com')
  for (const text of ['a\\.b.test', 'a\\000.test', 'a b'.replace(' ', '\\032'), '\\195\\164.test'])
    assert.equal(hostFromName(wire(text)), undefined, text)
})
