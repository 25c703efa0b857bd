import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import {
  choice,
  count,
  duration,
  list,
  oneOrMore,
  optionalFlag,
  parsed,
  secret,
  section,
  size,
  text,
} from './option.ts'

const wrong = (schema: z.ZodType, input: unknown) => schema.safeParse(input).error?.issues.map((issue) => issue.message)

test('a duration takes a number with its unit, within its range', () => {
  const schema = duration('…', { default: '10s', least: '100ms', most: '14d' })
  assert.equal(schema.parse(undefined), 10_000)
  assert.equal(schema.parse('300ms'), 300)
  assert.equal(schema.parse('5m'), 300_000)
  assert.equal(schema.parse('14d'), 14 * 86_400_000)
  for (const bad of ['10', '10 sec', '99ms', '15d', '-1s', '1.5s', '', 's', '10S', '1e3s', null, 10])
    assert.match(wrong(schema, bad)?.join() ?? '', /a length of time with its unit, such as 10s/, String(bad))
})

test('a size takes octets by 1024 and by 1000', () => {
  const schema = size('…', { default: '50MiB', least: '1KiB', most: '1GiB' })
  assert.equal(schema.parse(undefined), 50 * 1024 ** 2)
  assert.equal(schema.parse('2048'), 2048)
  assert.equal(schema.parse('50 MB'), 50_000_000)
  assert.equal(schema.parse('1GiB'), 1024 ** 3)
  for (const bad of ['50M', '1023', '2GiB', '1kib', ''])
    assert.match(wrong(schema, bad)?.join() ?? '', /a size such as 50MiB/)
})

test('counts are whole numbers within their range, read from text', () => {
  const schema = count('…', { default: 20, least: 1, most: 1000 })
  assert.equal(schema.parse(undefined), 20)
  fc.assert(fc.property(fc.integer({ min: 1, max: 1000 }), (number) => schema.parse(String(number)) === number))
  for (const bad of ['0', '1001', '1.0', '0x10', ' 1', '1e2', '-1', null])
    assert.deepEqual(wrong(schema, bad), ['a whole number from 1 to 1000'])
})

test('choices, flags, lists and texts say what they take', () => {
  assert.equal(choice('…', ['repair', 'reject'], 'repair').parse(undefined), 'repair')
  assert.deepEqual(wrong(choice('…', ['repair', 'reject'], 'repair'), 'x'), ['one of repair, reject'])
  assert.equal(optionalFlag('…').parse('true'), true)
  assert.deepEqual(wrong(optionalFlag('…'), 'yes'), ['true or false'])
  assert.deepEqual(oneOrMore('…', 'words', text('…', 'a word'), 2).parse('one'), ['one'])
  assert.deepEqual(oneOrMore('…', 'words', text('…', 'a word'), 2).parse(['one', 'two']), ['one', 'two'])
  assert.deepEqual(list('…', 'words', text('…', 'a word'), 2).parse(undefined), [])
  assert.deepEqual(wrong(list('…', 'words', text('…', 'a word'), 2), ['a', 'b', 'c']), ['at most 2 of them'])
})

test('a parsed text says why it is none', () => {
  const schema = parsed('…', 'an even number', (input) =>
    Number(input) % 2 === 0 ? { kind: 'value', value: Number(input) } : { kind: 'no', why: 'is odd' },
  )
  assert.equal(schema.parse('4'), 4)
  assert.deepEqual(wrong(schema, '5'), ['an even number; this is odd'])
})

test('a secret is named, never written', () => {
  const schema = secret('…')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what people write
  assert.deepEqual(schema.parse('${SMTP_PASSWORD}'), { kind: 'environment', variable: 'SMTP_PASSWORD' })
  assert.deepEqual(schema.parse('file:secrets/smtp'), { kind: 'file', path: 'secrets/smtp' })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what people write
  for (const bad of ['hunter2', '$HOME', '${A} ${B}', 'file:', '${}', ''])
    assert.match(wrong(schema, bad)?.join() ?? '', /never the secret itself/)
})

test('an unknown key in a section is an issue that names it', () => {
  const issues = section('…', { a: text('…', 'a word').optional() }).safeParse({ a: 'x', b: 'y' }).error?.issues
  assert.deepEqual(
    issues?.map((issue) => issue.code === 'unrecognized_keys' && issue.keys),
    [['b']],
  )
})

test('default, range and sentence reach the JSON Schema', () => {
  const schema = section('Limits.', { connections: count('At once.', { default: 20, least: 1, most: 1000 }) })
  const { properties } = z.toJSONSchema(schema, { io: 'input' }) as {
    properties: Record<string, Record<string, unknown>>
  }
  assert.equal(properties.connections?.description, 'At once.')
  assert.equal(properties.connections?.type, 'integer')
  assert.equal(properties.connections?.minimum, 1)
  assert.equal(properties.connections?.maximum, 1000)
})
