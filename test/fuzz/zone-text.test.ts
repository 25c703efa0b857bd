/**
 * Mutated zones: whatever stands in the file, it is read or a place in it is named, an edit keeps what it does not mean, and nothing throws,
 * hangs or grows. `corpus/zone-text` keeps what once went wrong, and some zones to mutate.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseRdata } from '../../src/dns/rdata-text.ts'
import { nameFromText, type WireName } from '../../src/dns/wire-name.ts'
import { editZone } from '../../src/dns/zone-text/edit.ts'
import { parseZone, recordsOf } from '../../src/dns/zone-text/parse.ts'
import { writeZone } from '../../src/dns/zone-text/write.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

const folder = new URL('./corpus/zone-text/', import.meta.url)
const corpus = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }))

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  assert.ok(parsed.kind === 'name')
  return parsed.name
}
const origin = wire('example.com')
const mx = parseRdata(15, '5 mx5.example.net.')
assert.ok(mx.kind === 'rdata')
const edits = ['example.com', 'a.example.com', 'mx1.example.com', 'new.example.com'].map((name) => ({
  name: wire(name),
  code: 15,
  ttlSeconds: 77,
  data: [mx.data],
}))

type Outcome = 'zone' | 'invalid' | 'edited'

const examine = (bytes: Buffer) => watched('zone', bytes, () => read(bytes))

function read(bytes: Buffer): Outcome {
  // Our own time: the machine may have other things to do.
  const started = process.cpuUsage()
  const parsed = parseZone(bytes, { origin, others: 'keep' })
  let outcome: Outcome = parsed.kind
  if (parsed.kind === 'invalid') {
    assert.ok(parsed.problems.length >= 1 && parsed.problems.length <= 21)
    for (const { line, column, message } of parsed.problems) {
      assert.ok(line >= 1 && column >= 1 && message.length > 3 && message.length < 400)
      assert.doesNotMatch(message, /[\x00-\x1f\x7f-\x9f]/)
      assert.ok(line <= bytes.toString('latin1').split('\n').length)
    }
  } else {
    const records = recordsOf(parsed.zone)
    const again = parseZone(Buffer.from(writeZone(records, origin)), { origin, others: 'refuse' })
    assert.ok(again.kind === 'zone' && recordsOf(again.zone).length === records.length)
    const edit = editZone(bytes, edits, { zone: origin, nowMs: 1_795_000_000_000, included: [] })
    if (edit.kind === 'edited') {
      outcome = 'edited'
      assert.equal(editZone(edit.bytes, edits, { zone: origin, nowMs: 0, included: [] }).kind, 'unchanged')
    }
  }
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 4_000_000, `slow: ${bytes.toString('latin1').slice(0, 200)}`)
  return outcome
}

test('the corpus', () => {
  assert.ok(corpus.length >= 6)
  for (const { name, bytes } of corpus) assert.equal(examine(bytes) === 'invalid', name.startsWith('bad-'), name)
})

test('10,000 mutations of the corpus', () => {
  const random = fuzzRandom(1035)
  const pick = (below: number) => Math.floor(random.number() * below)
  const pieces = [
    '\n',
    ' ',
    '\t',
    '(',
    ')',
    '"',
    ';',
    '\\',
    '\\#',
    '.',
    '@',
    '$TTL 1',
    '$ORIGIN x',
    '\r',
    '\r\n',
    '*',
    '9',
    'IN',
    'MX',
    '\x00',
    '\xff',
    '\\300',
    '4294967296',
    'x'.repeat(20_000),
    '\\\n',
    `${'x'.repeat(20_000)}\\\n`,
  ]
  const seen = { zone: 0, invalid: 0, edited: 0 }
  for (let round = 0; round < fuzzRounds(10_000); round++) {
    let bytes = Buffer.from(corpus[pick(corpus.length)]?.bytes ?? [])
    for (let change = pick(3); change >= 0; change--) {
      const at = pick(bytes.length)
      const piece = pick(4) === 0 ? random.bytes(1) : Buffer.from(pieces[pick(pieces.length)] ?? '', 'latin1')
      bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + pick(4) * pick(3))])
    }
    seen[examine(bytes)]++
  }
  // All happen, or the mutations are worth nothing.
  assert.ok(seen.zone > 100 && seen.invalid > 1_000 && seen.edited > 500, JSON.stringify(seen))
})

test('text made to take long or much does neither', () => {
  const head = '$TTL 5\n@ SOA a b 1 2 3 4 5\n'
  const million = 1_000_000
  const texts = [
    '('.repeat(million),
    ')'.repeat(million),
    '"'.repeat(million),
    '"\\\n'.repeat(million / 4),
    '\\'.repeat(million),
    'x'.repeat(million),
    `${'x'.repeat(million)}\\\n`,
    `"${'\\"'.repeat(million / 2)}\\\n`,
    `${'x\\\n'.repeat(million / 3)}`,
    `(${'x\\\n"'.repeat(million / 4)}`,
    'x '.repeat(million / 2),
    `x TXT ${'"" '.repeat(million / 3)}`,
    `x TXT ${'\\000'.repeat(million / 4)}`,
    `x TXT "${'\\"'.repeat(million / 2)}`,
    `x TYPE4711 \\# 65535 ${'00 '.repeat(million / 3)}`,
    `${'x.'.repeat(million / 2)} A 192.0.2.1`,
    '\n'.repeat(million),
    '$ORIGIN x\n'.repeat(million / 10),
    `$GENERATE 1-9 ${'$'.repeat(million)} MX 1 $`,
    `$GENERATE 1-9 ${'${'.repeat(million / 2)} MX 1 $`,
    `x ${'1'.repeat(million)} A 192.0.2.1`,
    `x ${'1h'.repeat(million / 2)} A 192.0.2.1`,
    `x NSEC a ${'A '.repeat(million / 2)}`,
    `x A 192.0.2.1\n${' A 192.0.2.2\n'.repeat(20_000)}`,
  ]
  for (const text of texts) {
    examine(Buffer.from(text))
    examine(Buffer.from(head + text))
  }
})
