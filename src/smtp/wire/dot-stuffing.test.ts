import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotStuffer, stuffWhole } from './dot-stuffing.ts'
import { Scratch } from './scratch.ts'

/** What a server makes of it (RFC 5321 §4.5.2): plain and slow, to be believed. */
function unstuff(stuffed: string): string {
  assert(stuffed.endsWith('\r\n.\r\n') || stuffed === '.\r\n')
  const lines = stuffed.slice(0, -'.\r\n'.length).split('\r\n')
  return lines.map((line) => (line.startsWith('.') ? line.slice(1) : line)).join('\r\n')
}

function inBlocks(content: string, cuts: readonly number[]): string {
  const stuffer = new DotStuffer()
  const ends = [...cuts].filter((cut) => cut <= content.length).sort((a, b) => a - b)
  let from = 0
  let out = ''
  for (const end of [...ends, content.length]) {
    out += stuffer.stuff(Buffer.from(content.slice(from, end), 'latin1')).toString('latin1')
    from = end
  }
  return out + stuffer.end().toString('latin1')
}

const whole = (...parts: string[]) =>
  stuffWhole(
    parts.map((part) => Buffer.from(part, 'latin1')),
    new Scratch(),
  ).toString('latin1')

test('a dot more on lines that start with one, the lone dot at the end', () => {
  assert.equal(whole('a\r\n.b\r\n..\r\n.\r\n'), 'a\r\n..b\r\n...\r\n..\r\n.\r\n')
  assert.equal(whole('.\r\n'), '..\r\n.\r\n')
  assert.equal(whole(''), '.\r\n')
  assert.equal(whole('a.\r\n'), 'a.\r\n.\r\n')
})

test('content that does not end in CRLF gets one, or its last line would swallow the dot', () => {
  assert.equal(whole('a'), 'a\r\n.\r\n')
  assert.equal(inBlocks('a', []), 'a\r\n.\r\n')
  assert.equal(whole('\n'), '\n\r\n.\r\n')
})

test('a dot that starts a part is at a line start only where the part before ended a line', () => {
  assert.equal(whole('a\r\n', '.b\r\n'), 'a\r\n..b\r\n.\r\n')
  assert.equal(whole('a\r', '\n.b\r\n'), 'a\r\n..b\r\n.\r\n')
  assert.equal(whole('a', '.b\r\n'), 'a.b\r\n.\r\n')
})

test('a block with nothing to add is handed back as it is', () => {
  const block = Buffer.from('no dots here\r\n')
  assert.equal(new DotStuffer().stuff(block), block)
})

const canonical = fc
  .array(fc.stringMatching(/^[.ab\x80]{0,4}$/), { maxLength: 12 })
  .map((lines) => lines.map((line) => `${line}\r\n`).join(''))

test('property: unstuff ∘ stuff is the identity, and CRLF.CRLF stands at the end only', () => {
  fc.assert(
    fc.property(canonical, fc.array(fc.nat(60), { maxLength: 8 }), (content, cuts) => {
      const stuffed = inBlocks(content, cuts)
      assert.equal(stuffed, whole(content))
      assert.equal(unstuff(stuffed), content)
      assert.equal(`\r\n${stuffed}`.indexOf('\r\n.\r\n'), stuffed.length - 3)
    }),
  )
})

test('property: any octets, cut anywhere, give the same, and never an end before the end', () => {
  const octets = fc.array(fc.constantFrom('.', '\r', '\n', 'a'), { maxLength: 40 }).map((all) => all.join(''))
  fc.assert(
    fc.property(octets, fc.array(fc.nat(40), { maxLength: 8 }), (content, cuts) => {
      const stuffed = inBlocks(content, cuts)
      assert.equal(stuffed, whole(content))
      assert.equal(`\r\n${stuffed}`.indexOf('\r\n.\r\n'), stuffed.length - 3)
    }),
  )
})

test('a message of nothing but dot lines is stuffed in one pass', () => {
  const content = '.\r\n'.repeat(400_000)
  const began = performance.now()
  assert.equal(stuffWhole([Buffer.from(content)], new Scratch()).length, content.length * (4 / 3) + 3)
  assert(performance.now() - began < 15_000)
})
