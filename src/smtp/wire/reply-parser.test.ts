import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeReply, type Reply } from '../../mail/reply.ts'
import { maxReply, maxReplyLine, type ParsedReply, ReplyParser } from './reply-parser.ts'

/** Everything that the parser finds, the octets being cut at `cuts`. */
function parse(text: string, cuts: readonly number[] = []): ParsedReply[] {
  const parser = new ReplyParser()
  const found: ParsedReply[] = []
  const bytes = Buffer.from(text, 'latin1')
  const ends = [...cuts].sort((a, b) => a - b).concat(bytes.length)
  let from = 0
  for (const end of ends) {
    const chunk = Buffer.from(bytes.subarray(from, end))
    from = end
    let next = parser.take(chunk)
    // Its room serves others from now on.
    chunk.fill('2')
    for (; next; next = parser.next()) {
      found.push(next)
      if (next.kind === 'garbage') return found
    }
  }
  return found
}

const replies = (text: string): Reply[] =>
  parse(text).map((found) => {
    assert(found.kind === 'reply', JSON.stringify(found))
    return found.reply
  })

test('a line, with and without enhanced code, blank, text and CR', () => {
  assert.deepEqual(replies('250 2.1.5 Ok\r\n'), [{ code: 250, enhanced: '2.1.5', text: ['Ok'] }])
  assert.deepEqual(replies('250 Ok\r\n'), [{ code: 250, enhanced: undefined, text: ['Ok'] }])
  assert.deepEqual(replies('250\r\n'), [{ code: 250, enhanced: undefined, text: [''] }])
  assert.deepEqual(replies('250 2.0.0\r\n'), [{ code: 250, enhanced: '2.0.0', text: [''] }])
  assert.deepEqual(replies('250 Ok\n'), [{ code: 250, enhanced: undefined, text: ['Ok'] }])
})

test('an enhanced code of another class, or none, is text', () => {
  assert.deepEqual(replies('550 2.1.1 no\r\n'), [{ code: 550, enhanced: undefined, text: ['2.1.1 no'] }])
  assert.deepEqual(replies('550 5.1 no\r\n'), [{ code: 550, enhanced: undefined, text: ['5.1 no'] }])
  assert.deepEqual(replies('550 5.1.1x\r\n'), [{ code: 550, enhanced: undefined, text: ['5.1.1x'] }])
  assert.deepEqual(replies('354 3.1.1 go\r\n'), [{ code: 354, enhanced: undefined, text: ['3.1.1 go'] }])
})

test('several replies in a chunk, a reply of 100 lines', () => {
  assert.deepEqual(
    replies('250 a\r\n550 5.1.1 b\r\n').map((reply) => reply.code),
    [250, 550],
  )
  const lines = Array.from({ length: 100 }, (_, index) => `250${index === 99 ? ' ' : '-'}2.0.0 line ${index}\r\n`)
  const [only, more] = replies(lines.join(''))
  assert.equal(more, undefined)
  assert.equal(only?.text.length, 100)
  assert.equal(only?.text[99], 'line 99')
})

for (const [what, text] of Object.entries({
  letters: 'HTTP/1.1 400 Bad Request\r\n',
  'a code below 200': '150 what\r\n',
  'a code above 599': '600 what\r\n',
  'no blank behind the code': '250ok\r\n',
  'an empty line': '\r\n',
  'two codes in one reply': '250-a\r\n550 b\r\n',
  'a line of 64 KiB': `250 ${'x'.repeat(65_536)}\r\n`,
  'a line without end': `250 ${'x'.repeat(maxReplyLine)}`,
  'a reply without end': '250-x\r\n'.repeat(maxReply / 7 + 1),
})) {
  test(`garbage: ${what}`, () => {
    assert.equal(parse(text).at(-1)?.kind, 'garbage')
    assert.equal(parse(text, [1, 2, 3]).at(-1)?.kind, 'garbage')
  })
}

test('garbage stays garbage: the place in the stream is lost', () => {
  const parser = new ReplyParser()
  parser.take(Buffer.from('what\r\n250 ok\r\n'))
  assert.equal(parser.next()?.kind, 'garbage')
  assert.equal(parser.take(Buffer.from('250 ok\r\n'))?.kind, 'garbage')
})

test('hasInput tells what came unasked', () => {
  const parser = new ReplyParser()
  assert.equal(parser.take(Buffer.from('250 ok\r\n421 bye'))?.kind, 'reply')
  assert.equal(parser.hasInput, true)
  assert.equal(parser.next(), undefined)
  assert.equal(parser.hasInput, true)
  parser.discardInput()
  assert.equal(parser.hasInput, false)
})

const someReply = fc
  .record({
    code: fc.integer({ min: 200, max: 599 }),
    detail: fc.option(fc.tuple(fc.nat(9), fc.nat(99)), { nil: undefined }),
    text: fc.array(fc.stringMatching(/^[A-Za-z][ -~]{0,60}$/), { minLength: 1, maxLength: 5 }),
  })
  .map(({ code, detail, text }): Reply => {
    const kind = Math.floor(code / 100)
    return { code, enhanced: detail && kind !== 3 ? `${kind}.${detail[0]}.${detail[1]}` : undefined, text }
  })

test('property: what was encoded is read again, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(someReply, { maxLength: 4 }), fc.array(fc.nat(400), { maxLength: 20 }), (sent, at) => {
      const text = sent.map(encodeReply).join('')
      const cuts = at.filter((cut) => cut < text.length)
      const read = parse(text, cuts).map((found) => (found.kind === 'reply' ? found.reply : found))
      assert.deepEqual(read, sent)
    }),
  )
})

test('property: octet by octet is the same as all at once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('2', '5', '0', '-', ' ', '.', '\r', '\n', 'x'), { maxLength: 60 }),
      (octets) => {
        const text = octets.join('')
        const each = Array.from({ length: text.length }, (_, index) => index)
        assert.deepEqual(parse(text, each), parse(text))
      },
    ),
  )
})
