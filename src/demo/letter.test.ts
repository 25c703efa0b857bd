import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readNumber, writeLetter } from './letter.ts'

const run = '00ffab12'
const written = (id: number) => writeLetter(id, run, 'example.test', 0).bytes.toString('latin1')

test('a message is known again by its number, and only by the run that wrote it', () => {
  for (const id of [0, 1, 999_999]) assert.equal(readNumber(written(id), run), id)
  assert.equal(readNumber(written(3), '00ffab13'), undefined)
  // What the gateway puts in front changes nothing.
  assert.equal(readNumber(`Received: from a\r\n\tby b;\r\n now\r\n${written(5)}`, run), 5)
})

test('a number in the text of a message, or in a header that is cut off, is none', () => {
  assert.equal(readNumber(`Subject: hello\r\n\r\nX-Demo-Message: ${run} 4\r\n`, run), undefined)
  assert.equal(readNumber(`Subject: hello\r\nX-Demo-Message: ${run} \r\n`, run), undefined)
  assert.equal(readNumber('', run), undefined)
})

test('lines end in CRLF and nothing is longer than a line may be', () => {
  const text = written(12)
  assert.ok(text.endsWith('\r\n'))
  assert.doesNotMatch(text, /[^\r]\n|\r[^\n]/)
  assert.ok(text.split('\r\n').every((line) => line.length <= 78))
})
