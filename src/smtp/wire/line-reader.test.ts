import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineReader } from './line-reader.ts'

const maxOctets = 32

function read(pieces: readonly string[]): string[] {
  const reader = new LineReader(maxOctets)
  const found: string[] = []
  for (const piece of pieces) {
    reader.feed(Buffer.from(piece, 'latin1'))
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      found.push(typeof line === 'string' ? line : `<${line.kind}>`)
      if (found.at(-1) === '<tls-hello>') return found
    }
  }
  return found
}

const cases: readonly [text: string, found: readonly string[]][] = [
  ['NOOP\r\nQUIT\r\n', ['NOOP', 'QUIT']],
  ['NOOP\nQUIT\r\nRSET\r\n', ['<bare-lf>', 'RSET']],
  ['NOOP\nQUIT\nMAIL\nDATA\r\nRSET\r\n', ['<bare-lf>', 'RSET']],
  ['\n\r\nRSET\r\n', ['<bare-lf>', 'RSET']],
  ['\r\nRSET\r\n', ['', 'RSET']],
  ['NO\rOP\r\nRSET\r\n', ['NO\rOP', 'RSET']],
  ['NOOP\r\r\nRSET\r\n', ['NOOP\r', 'RSET']],
  [`${'x'.repeat(30)}\r\nRSET\r\n`, ['x'.repeat(30), 'RSET']],
  [`${'x'.repeat(31)}\r\nRSET\r\n`, ['<too-long>', 'RSET']],
  [`${'x'.repeat(300)}\r\nRSET\r\n`, ['<too-long>', 'RSET']],
  [`${'x'.repeat(300)}\nQUIT\r\nRSET\r\n`, ['<too-long>', 'RSET']],
  [`${'x'.repeat(300)}\r\r\nRSET\r\n`, ['<too-long>', 'RSET']],
  ['\x16\x03\x01\x02\r\nQUIT\r\n', ['<tls-hello>']],
  ['NO\x16OP\r\n', ['NO\x16OP']],
]

for (const [text, found] of cases) {
  test(`${JSON.stringify(text.slice(0, 60))}, cut at every place, is ${JSON.stringify(found).slice(0, 60)}`, () => {
    for (let first = 0; first <= text.length; first++) {
      assert.deepEqual(read([text.slice(0, first), text.slice(first)]), found)
    }
    assert.deepEqual(read([...text]), found)
  })
}

test('lines do not depend on how they are cut', () => {
  const unit = fc.constantFrom('\r\n', '\r', '\n', 'a', 'NOOP', '\r\n', '\0', '0123456789abcdef')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), fc.array(fc.nat(20), { maxLength: 20 }), (text, cuts) => {
      const pieces: string[] = []
      let at = 0
      for (const cut of cuts) {
        pieces.push(text.slice(at, at + cut))
        at += cut
      }
      pieces.push(text.slice(at))
      assert.deepEqual(read(pieces), read([text]))
    }),
  )
})

test('what stands behind a line is told, and can be forgotten', () => {
  const reader = new LineReader(maxOctets)
  reader.feed(Buffer.from('STARTTLS\r\nMAIL'))
  assert.equal(reader.next(), 'STARTTLS')
  assert.equal(reader.isEmpty, false)
  assert.equal(reader.rest.toString(), 'MAIL')
  assert.equal(reader.tail(2), 'IL')
  assert.equal(reader.next(), undefined)
  assert.equal(reader.tail(2), 'IL')
  assert.equal(reader.isEmpty, false)
  reader.clear()
  assert.equal(reader.isEmpty, true)
  reader.feed(Buffer.from(' FROM:<a@b.example>\r\nX\r\n'))
  assert.equal(reader.next(), ' FROM:<a@b.example>')
})
