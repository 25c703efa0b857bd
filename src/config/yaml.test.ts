import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorMs } from '../../test/unit/processor-time.ts'
import { nearest } from '../base/nearest.ts'
import { createSource, formatProblems, problemOfFile } from './source.ts'
import { keyPlaceOf, parseYaml, placeOf } from './yaml.ts'

function parse(text: string) {
  const source = createSource('f.yaml', text)
  const parsed = parseYaml(source)
  return parsed.kind === 'parsed' ? { ...parsed, source } : assert.fail(formatProblems(parsed.problems))
}

test('scalars stay the text that was written; nothing is null', () => {
  const { root } = parse('a: [no, 007, 1e3, "x", \'it\'\'s\', ~, null, "null", off]\nb:\nc: |\n  two\n  lines\n')
  assert.deepEqual(
    { ...(root.value as object) },
    {
      a: ['no', '007', '1e3', 'x', "it's", null, null, 'null', 'off'],
      b: null,
      c: 'two\nlines\n',
    },
  )
})

test('every value and key knows where it stands', () => {
  const text = 'one: 1\ntwo: { three: [x, "y"] }\nempty:\n'
  const { root } = parse(text)
  const at = (...path: PropertyKey[]) => {
    const { start, end } = placeOf(root, path)
    return text.slice(start, end)
  }
  assert.equal(at('one'), '1')
  assert.equal(at('two', 'three', 0), 'x')
  assert.equal(at('two', 'three', 1), '"y"')
  assert.equal(at('two', 'three'), 'three')
  assert.equal(at('two', 'three', 1, 'deeper'), '"y"')
  assert.equal(at('empty'), 'empty')
  const key = keyPlaceOf(root, ['two', 'three'])
  assert.equal(text.slice(key.start, key.end), 'three')
})

test('a problem is shown with its line and a caret under it', () => {
  const source = createSource('f.yaml', 'ok: 1\n\tbad\u001b[31m: value\r\nlast')
  const shown = formatProblems([source.problem(7, 15, 'wrong'), problemOfFile('g.yaml', 'is not there')])
  assert.equal(shown, 'f.yaml:2:2: wrong\n  2 | \\x09bad\\x1b[31m: value\n          ^^^^^^^^^^^\ng.yaml: is not there')
  assert.equal(
    formatProblems(Array.from({ length: 60 }, () => problemOfFile('f', 'x')))
      .split('\n')
      .at(-1),
    '… and 40 more',
  )
})

test('the caret stands under its text behind what takes two columns, or none', () => {
  const before = 'a: "日本", e\u0301, ü, '
  const source = createSource('f', `${before}한국: b`)
  const [, , caret] = formatProblems([source.problem(before.length, before.length + 2, 'wrong')]).split('\n')
  // a: "日本", é, ü, → 17 columns; 한국 → 4.
  assert.equal(caret, `${' '.repeat('  1 | '.length + 17)}^^^^`)
})

test('a long line is shown around its mistake', () => {
  const source = createSource('f', `${'x'.repeat(5000)}HERE${'y'.repeat(5000)}`)
  const [, line, caret] = formatProblems([source.problem(5000, 5004, 'wrong')]).split('\n')
  assert.ok((line ?? '').length < 200)
  assert.equal(line?.indexOf('HERE'), caret?.indexOf('^^^^'))
})

test('a row of carriage returns in a line takes no time', () => {
  const source = createSource('f', `${'\r'.repeat(100_000)}a: b`)
  assert.ok(processorMs(() => assert.equal(source.problem(100_000, 100_001, 'wrong').sourceLine, source.text)) < 300)
})

test('the nearest word is one that was probably meant, or none', () => {
  const keys = ['deliver', 'balance', 'recipients', 'addresses', 'onDefer']
  assert.equal(nearest('delivr', keys), 'deliver')
  assert.equal(nearest('dleiver', keys), 'deliver')
  assert.equal(nearest('ondefer', keys), 'onDefer')
  assert.equal(nearest('recipient', keys), 'recipients')
  assert.equal(nearest('auth', keys), undefined)
  assert.equal(nearest('', keys), undefined)
  assert.equal(nearest('x'.repeat(100_000), keys), undefined)
})
