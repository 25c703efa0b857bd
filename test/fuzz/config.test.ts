/**
 * Random and mutated configurations: whatever stands in the file, it loads or a place in it is named; nothing throws, hangs or grows.
 * `corpus/config` keeps what once went wrong, and one good file of each kind to mutate.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConfigFiles } from '../../src/config/files.ts'
import { readConfig } from '../../src/config/read.ts'
import { formatProblems } from '../../src/config/source.ts'
import { fuzzProperty } from './chance.ts'
import { watchedAsync } from './watchdog.ts'

const corpusFolder = new URL('./corpus/config/', import.meta.url)
const corpus = readdirSync(corpusFolder).map((name) => readFileSync(new URL(name, corpusFolder), 'utf8'))

/** A disk that holds this text as every file that is asked for. */
const filesOf = (text: string): ConfigFiles => ({
  resolve: (folder, path) => `${folder}/${path}`,
  read: async (path) => ({ kind: 'read', path, text }),
  match: async (pattern) => [pattern],
  readSecret: async (path) => ({ kind: 'unreadable', path, why: 'is not there' }),
  copies: new Map(),
})

async function examine(text: string): Promise<void> {
  const started = performance.now()
  const result = await watchedAsync('config', text, () =>
    readConfig('/etc/waypost/waypost.yaml', { files: filesOf(text), machineName: 'box', nowMs: 0 }),
  )
  if (result.kind === 'invalid') {
    assert.ok(result.problems.length > 0)
    for (const problem of result.problems) {
      assert.ok(problem.line >= 1 && problem.column >= 1 && problem.width >= 1, JSON.stringify(problem))
      assert.ok(problem.message.length > 3)
      const line = text.split('\n')[problem.line - 1]
      assert.equal(problem.sourceLine, line?.replace(/\r+$/, ''), JSON.stringify(problem))
    }
    const shown = formatProblems(result.problems)
    assert.ok(shown.length < 100_000 && !/[\x00-\x09\x0b-\x1f\x7f]/.test(shown), JSON.stringify(shown))
  }
  assert.ok(performance.now() - started < 120_000)
}

test('the corpus loads, or says where it is wrong', async () => {
  assert.ok(corpus.length >= 5)
  for (const text of corpus) await examine(text)
})

test('any text loads or names a line', async () => {
  const token = fc.constantFrom(
    'domains',
    'deliver',
    'routes',
    'defaults',
    'limits',
    'include',
    'example.org',
    '*.example.org',
    'mx',
    'maildir:/x/{local}',
    'smtp://h',
    'recipients',
    'any',
    'addresses',
    '"a@"',
    ':',
    ': ',
    '\n',
    '\n  ',
    '\n    ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    '&a ',
    '*a',
    '!t ',
    '|',
    '>',
    '"',
    "'",
    '#',
    '\t',
    '---\n',
    '? ',
    '<<',
    '~',
    '%',
    '\u2028',
    '\0',
    '\r',
    '__proto__',
    '$' + '{X}',
  )
  const soup = fc.array(token, { maxLength: 60 }).map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 200 })), examine),
    fuzzProperty(1500),
  )
})

test('a good file with a wound loads or names a line', async () => {
  const wound = fc.record({
    text: fc.constantFrom(...corpus),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(20),
    put: fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('\n', '  ', ': ', '\t', '- ', '"', '{', ']', '*a', '&a ', '🙂'),
    ),
  })
  await fc.assert(
    fc.asyncProperty(wound, ({ text, at, cut, put }) => {
      const place = Math.floor(at * text.length)
      return examine(text.slice(0, place) + put + text.slice(place + cut))
    }),
    fuzzProperty(1500),
  )
})

test('any values in any places load or name a line', async () => {
  const key = fc.constantFrom(
    'domains',
    'routes',
    'defaults',
    'limits',
    'listen',
    'smtp',
    'tls',
    'budgets',
    'include',
    'file',
    'trusted',
    'deliver',
    'to',
    'weight',
    'recipients',
    'addresses',
    'a.example',
    '*.a.example',
    'x@',
    'state',
    'hostname',
    'resolver',
    'servers',
    'postmaster',
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.oneof(
        fc.string(),
        fc.constantFrom('mx', 'smtp://h', 'any', '10s', '1MiB', 'true', '::1', '127.0.0.1:25'),
        fc.integer(),
        fc.constant(null),
      ),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, value, { maxKeys: 6 }), (file) => examine(JSON.stringify(file, null, 1))),
    fuzzProperty(1500),
  )
})
