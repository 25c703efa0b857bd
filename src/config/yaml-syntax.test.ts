import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorMs } from '../../test/unit/processor-time.ts'
import { createSource, formatProblems } from './source.ts'
import { parseYaml } from './yaml.ts'
import { bracketedAddress } from './yaml-syntax.ts'

/** Text that is no YAML, what is underlined in it, and what is said. */
const mistakes: readonly (readonly [text: string, marked: string, said: RegExp])[] = [
  ['domains:\n  a.example\n    deliver: mx', 'a.example', /a colon is missing: write "a\.example:"$/],
  ['hostname mx.a.example\nstate: x', 'hostname mx.a.example', /a colon is missing: write "hostname: mx\.a\.example"$/],
  ['a.example:\n  deliver:mx # here\n  hold: 3d', 'deliver:mx', /a space is missing: write "deliver: mx"$/],
  ['hostname: a.example\n\n  state: x', 'state', /begins further right than the one above it/],
  ['pool:\n  - mx\n    hold: 3d', 'hold', /begins further right than the one above it/],
  ['a: smtp://10.0.0.1: 25', 'smtp://10.0.0.1: 25', /a value with ": " in it is written in quotes, "smtp:.*: 25"$/],
  ['b:\n  a: x\n c: y', 'c: y', /begins in a column in which none above does/],
  ['b:\n  - x\n - y', '- y', /begins in a column in which none above does/],
  // An empty line comes first: the search for a line above that says something has an end.
  ['\n  \n    , : mx', ', : mx', /begins in a column in which none above does/],
  ['\n  state: x\n y: z', 'y: z', /begins in a column in which none above does/],
  ['b:\n  - x\n  y', 'y', /a key with a colon belongs here.* what stands in a list begins with "- "$/],
  ['b:\n  - x\n  smtp://c', 'smtp://c', /a key with a colon belongs here/],
  ['a: @b', '@b', /no value begins with "@": write it in quotes, "@b"$/],
  ['a: %b # c', '%b', /no value begins with "%": write it in quotes, "%b"$/],
  ['a: &\nb: c', '&', /"&" has a meaning of its own here: write it in quotes$/],
  ['a: "b" c', 'c', /nothing can stand behind the closing quote$/],
  ['a: { b: c } d', 'd', /nothing can stand behind the closing bracket$/],
  ['a: { b: c },\nd: e', ',', /commas stand within \[ \] and \{ \} only: leave this one out$/],
  ['a: b\n}', '}', /"}" closes nothing$/],
  ['a: "b\\q"', '\\q', /"\\q" is no escape: write a backslash twice/],
  ['a: "b\\x4"', '\\x4"', /is no escape/],
  ['a: { b: c\nd: e', '{', /the "{" that opens here is not closed$/],
  ['a: [b,\n  c\nd: e', '[', /the "\[" that opens here is not closed$/],
  ['a: { b: c ]', ']', /"]" closes nothing here: the "{" in front of it wants a "}"$/],
  ['a: { b: c d: e }', 'd', /a comma is missing in front of "d:"$/],
  ['a: [b, "c" "d"]', '"', /a comma is missing in front of this$/],
  ['a: [b,, c]', ',', /there is nothing between two commas$/],
  [
    'a: { b: maildir:/x/{local}/y, c: d }',
    'maildir:/x/{local}/y',
    /in YAML here: write the whole in quotes, "maildir:\/x\/\{local\}\/y"$/,
  ],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what people write
  ['a: { b: ${C} }', '${C}', /in YAML here: write the whole in quotes, "\$\{C\}"$/],
  ['a:\n  \tb: c', '\t', /a tab in the indentation: YAML takes spaces only$/],
]

for (const [text, marked, said] of mistakes) {
  test(`what is no YAML is told where the mistake was made: ${JSON.stringify(text)}`, () => {
    const source = createSource('f.yaml', text)
    const parsed = parseYaml(source)
    const [problem] = parsed.kind === 'invalid' ? parsed.problems : []
    if (!problem) return assert.fail('it was read')
    const { sourceLine, column, width, message } = problem
    assert.equal(sourceLine.slice(column - 1, column - 1 + width), marked, formatProblems([problem]))
    assert.match(message, said)
  })
}

test('a long word is looked at once for an address in brackets', () => {
  assert.ok(processorMs(() => assert.equal(bracketedAddress('a'.repeat(60_000), 30_000), undefined)) < 300)
  const text = 'to: smtp://[2001:db8::1]:25'
  assert.deepEqual(bracketedAddress(text, 12), {
    start: 4,
    end: text.length,
    why: 'brackets make a list in YAML: write it in quotes, "smtp://[2001:db8::1]:25"',
  })
})
