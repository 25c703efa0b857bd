/** Whatever a server says, cut anywhere: no exception, bounded memory, the same replies. Kept cases: corpus/reply-parser/. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodeReply } from '../../src/mail/reply.ts'
import { type ParsedReply, ReplyParser } from '../../src/smtp/wire/reply-parser.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

const folder = new URL('./corpus/reply-parser/', import.meta.url)
const corpus = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }))

function parse(bytes: Buffer, cutEvery: number): ParsedReply[] {
  const parser = new ReplyParser()
  const found: ParsedReply[] = []
  for (let at = 0; at < bytes.length; at += cutEvery) {
    for (let next = parser.take(bytes.subarray(at, at + cutEvery)); next; next = parser.next()) {
      found.push(next)
      if (next.kind === 'garbage') return found
    }
  }
  return found
}

const check = (bytes: Buffer) => watched('reply', bytes, () => checkCut(bytes))

function checkCut(bytes: Buffer): void {
  const whole = parse(bytes, Math.max(1, bytes.length))
  for (const each of whole) {
    if (each.kind === 'garbage') continue
    assert(each.reply.code >= 200 && each.reply.code <= 599 && each.reply.text.length > 0)
    // What is passed on is safe: no bare CR or LF, no controls, no line over 512 octets.
    const lines = encodeReply(each.reply).split('\r\n')
    assert.equal(lines.pop(), '')
    for (const line of lines) assert.match(line, /^\d{3}[ -][\x20-\x7e]{0,506}$/)
  }
  for (const cutEvery of [1, 2, 7]) assert.deepEqual(parse(bytes, cutEvery), whole)
}

for (const { name, bytes } of corpus) test(`corpus: ${name}`, () => check(bytes))

test('mutations of the corpus', () => {
  const random = fuzzRandom(1)
  const pick = (below: number) => Math.floor(random.number() * below)
  const tokens = ['\r\n', '\n', '\r', '250', '550-', '5.1.1 ', ' ', '-', '\0', '\xff', '354 ', '421 4.3.2 '].map(
    (text) => Buffer.from(text, 'latin1'),
  )
  for (let run = 0; run < fuzzRounds(3_000); run++) {
    let bytes = corpus[pick(corpus.length)]?.bytes.subarray(0, 2_000) ?? Buffer.alloc(0)
    for (let change = pick(6); change >= 0; change--) {
      const at = pick(bytes.length + 1)
      const inserted = tokens[pick(tokens.length)] ?? Buffer.alloc(0)
      bytes = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + pick(3))])
    }
    check(bytes)
  }
})
