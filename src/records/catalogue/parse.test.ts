import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCatalogue } from './parse.ts'

const entry = `
- id: good
  name: Good Mail
  kind: mailbox
  home: https://good.example/
  confidence: observed
  source: its own help
  date: 2026-11
  spf: ['include:spf.good.example']
  forms:
    - { id: standard, name: two hosts, records: [10 mx1.good.example, 20 mx2.good.example] }
`

/** The entry with one thing changed, and what is said of it. */
const mistakes: readonly (readonly [from: string, to: string, says: RegExp])[] = [
  ['id: good', 'id: Good', /^Good: id: /],
  ['kind: mailbox', 'kind: postbox', /^good: kind: /],
  ['home: https://good.example/', 'home: http://good.example/', /^good: home: /],
  ['confidence: observed', 'confidence: sure', /^good: confidence: /],
  ['  source: its own help\n', '', /^good: source: /],
  ['date: 2026-11', 'date: November', /^good: date: /],
  ['  kind: mailbox', '  kind: mailbox\n  colour: red', /^good: .*colour/],
  ['10 mx1.good.example', 'mx1.good.example', /^good: forms\.0\.records\.0: /],
  ['10 mx1.good.example', '70000 mx1.good.example', /above 65535/],
  ['10 mx1.good.example', '10 MX1.good.example', /canonical/],
  ['10 mx1.good.example', '10 mx1..good.example', /two dots/],
  ['10 mx1.good.example', '10 <n>.good.example', /<n> is not declared/],
  ['include:spf.good.example', 'include:spf..good.example', /names no domain/],
  ['include:spf.good.example', 'include:<n>.good.example', /has a part that none/],
  ['include:spf.good.example', 'includ:spf.good.example', /^good: spf\.0: /],
  ['name: two hosts,', 'name: two hosts, hostsOf: nobody,', /no other provider "nobody"/],
  ['name: two hosts,', 'name: two hosts, hostsOf: good,', /no other provider "good"/],
  ['name: two hosts,', 'name: two hosts, when: { region: eu },', /nobody is asked for "region"/],
  ['name: two hosts,', 'name: two hosts, optional: [mx3.good.example],', /"mx3\.good\.example" is optional/],
  [
    '  forms:',
    '  forms:\n    - { id: other, name: other, records: [10 a.good.example] }',
    /nothing tells two current forms apart/,
  ],
  [
    '  forms:',
    '  forms:\n    - { id: standard, name: older, status: obsolete, records: [10 a.good.example] }',
    /same id/,
  ],
  ['  forms:', '  parameters: { n: { shape: number, example: x } }\n  forms:', /not of its own shape/],
  ['  forms:', '  parameters: { host: { shape: word, example: x } }\n  forms:', /cannot be called "host"/],
  ['10 mx1.good.example', '10 mx1.[good.example', /flow/],
]

test('a good entry is read', () => {
  const parsed = parseCatalogue(entry)
  assert.equal(parsed.kind, 'providers', JSON.stringify(parsed))
  if (parsed.kind !== 'providers') return
  const [good] = parsed.providers
  assert.equal(good?.shared, true)
  assert.equal(good?.forms[0]?.confidence, 'observed')
  assert.deepEqual(
    good?.forms[0]?.records.map(({ preference, text }) => [preference, text]),
    [
      [10, 'mx1.good.example'],
      [20, 'mx2.good.example'],
    ],
  )
})

test('every mistake is said, with its entry', () => {
  for (const [from, to, says] of mistakes) {
    assert.ok(entry.includes(from), from)
    const parsed = parseCatalogue(entry.replace(from, to))
    assert.equal(parsed.kind, 'invalid', to)
    if (parsed.kind === 'invalid')
      assert.ok(
        parsed.problems.some((problem) => says.test(problem)),
        `${to}: ${parsed.problems}`,
      )
  }
})

test('the parts that differ are the same in each host of a set, and somebody is asked for them', () => {
  const parameters = '  parameters: { n: { shape: number, example: "1" } }\n'
  const differing = entry.replace('  forms:', `${parameters}  forms:`).replace('10 mx1.good', '10 mx<n>.good')
  const parsed = parseCatalogue(differing)
  assert.ok(parsed.kind === 'invalid' && parsed.problems.some((problem) => /differ in different parts/.test(problem)))
  assert.ok(parsed.kind === 'invalid' && parsed.problems.some((problem) => /nobody is asked for <n>/.test(problem)))
})

test('an id stands there once, and the whole is a list', () => {
  const twice = parseCatalogue(entry + entry)
  assert.deepEqual(twice, { kind: 'invalid', problems: ['good: the id stands there twice'] })
  assert.deepEqual(parseCatalogue('a: b'), { kind: 'invalid', problems: ['not a list of entries'] })
})
