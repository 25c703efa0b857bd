/**
 * Mutated messages against the decoder: it never throws, never takes long, and what it reads it can write and read again. The corpus holds
 * whole messages of real servers and every input that once broke something.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decodeMessage, encodeMessage } from '../../src/dns/message.ts'
import { readAnswer } from '../../src/dns/read-answer.ts'
import { hostFromName, nameText } from '../../src/dns/wire-name.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

const folder = new URL('./corpus/dns-message/', import.meta.url)
const corpus = readdirSync(folder)
  .sort()
  .map((name) => ({ name, bytes: Buffer.from(readFileSync(new URL(name, folder), 'utf8').replace(/\s/g, ''), 'hex') }))

const examine = (bytes: Buffer) => watched('DNS message', bytes, () => read(bytes))

function read(bytes: Buffer): 'message' | 'malformed' {
  const started = performance.now()
  const decoded = decodeMessage(bytes)
  assert.ok(performance.now() - started < 10_000, `slow: ${bytes.toString('hex').slice(0, 200)}`)
  if (decoded.kind === 'malformed') return 'malformed'
  const { message } = decoded
  for (const record of [...message.answers, ...message.authorities, ...message.additionals]) {
    assert.match(nameText(record.name), /^[\x21-\x7e]+$/)
    hostFromName(record.name)
  }
  for (const question of message.questions) readAnswer(message, question.name, 'MX')
  // Written uncompressed in places, it may be longer than a message can be; what fits is read as the same.
  const again = decodeMessage(encodeMessage(message))
  assert.ok(again.kind === 'message')
  if (!again.message.truncated || message.truncated) assert.deepEqual(again.message, message)
  return 'message'
}

test('the corpus', () => {
  assert.ok(corpus.length >= 8)
  const kinds = new Map(corpus.map(({ name, bytes }) => [name, examine(bytes)]))
  for (const [name, kind] of kinds) assert.equal(kind, name.startsWith('bad-') ? 'malformed' : 'message', name)
})

test('20,000 mutations of the corpus', () => {
  const random = fuzzRandom(1035)
  const pick = (below: number) => Math.floor(random.number() * below)
  const seen = { message: 0, malformed: 0 }
  for (let round = 0; round < fuzzRounds(20_000); round++) {
    const from = corpus[pick(corpus.length)]?.bytes ?? Buffer.alloc(0)
    let bytes = Buffer.from(from.subarray(0, 4_096))
    for (let change = pick(2); change >= 0; change--) {
      const at = pick(bytes.length)
      const kind = pick(5)
      if (kind === 0) bytes[at] = pick(256)
      else if (kind === 1) bytes[at] = 0xc0 | pick(2)
      else if (kind === 2) bytes = bytes.subarray(0, at)
      else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(pick(8)), bytes.subarray(at)])
      else bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8))
    }
    seen[examine(bytes)]++
  }
  // Both happen, or the mutations are worth nothing.
  assert.ok(seen.message > 2_000 && seen.malformed > 2_000, JSON.stringify(seen))
})

test('5,000 messages of random octets behind a header', () => {
  const random = fuzzRandom(6891)
  for (let round = 0; round < fuzzRounds(5_000); round++) {
    const bytes = random.bytes(12 + Math.floor(random.number() * 200))
    for (const at of [4, 6, 8, 10]) bytes.writeUInt16BE(Math.floor(random.number() * 4), at)
    examine(bytes)
  }
})
