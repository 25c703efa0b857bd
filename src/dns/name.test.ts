import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorMs } from '../../test/unit/processor-time.ts'
import { parseName } from './name.ts'

test('a name that composes to 253 octets may be written in several times as many characters', () => {
  // Greek letters with three marks each, of which UTS 46 makes one or two.
  const label = 'α\u0313\u0300\u0345'.repeat(20)
  const parsed = parseName(`${label}.${label}.${label}.${label}.`)
  assert.ok(parsed.kind === 'name' && parsed.name.length > 190, JSON.stringify(parsed))
})

test('a text of any length is no name at once: it is not converted', () => {
  const million = 1_000_000
  const distinct = Array.from({ length: 64_000 }, (_, index) => String.fromCodePoint(0x4e00 + (index % 20_000))).join(
    '',
  )
  for (const text of [
    distinct,
    `${'é.'.repeat(million)}de`,
    `xn--${'a9'.repeat(million)}`,
    'a\u00ad'.repeat(million),
  ]) {
    let parsed = parseName('')
    const ms = processorMs(() => {
      parsed = parseName(text)
    })
    assert.ok(parsed.kind === 'invalid')
    assert.match(parsed.why, /^\d+ characters long, where 253 octets are the most$/)
    assert.ok(ms < 500, `${text.length} characters: ${ms} ms`)
  }
})

test('as much as is converted takes no time to speak of', () => {
  const text = Array.from({ length: 1_016 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join('')
  const ms = processorMs(() => assert.equal(parseName(text).kind, 'invalid'))
  assert.ok(ms < 1_000, `${ms} ms`)
})

test('what is too long in plain letters says by how much', () => {
  assert.deepEqual(parseName(`${'a.'.repeat(150)}de`), { kind: 'invalid', why: '302 octets long, 253 are the most' })
})
