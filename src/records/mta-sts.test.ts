import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HostName } from '../dns/name.ts'
import { isCoveredBySts, parseStsPolicy, parseStsRecord, selectStsRecord } from './mta-sts.ts'

const policy = (text: string) => parseStsPolicy(Buffer.from(text))
const example = `version: STSv1
mode: enforce
mx: mail.example.com
mx: *.example.net
mx: backupmx.example.com
max_age: 604800
`

test('the record of RFC 8461 §3.1, and its variants', () => {
  for (const [text, id] of [
    ['v=STSv1; id=20160831085700Z;', '20160831085700Z'],
    ['v=STSv1;id=1', '1'],
    ['v=STSv1 ; id=a ; ', 'a'],
    ['v=STSv1; x-new=1; id=a; id=b', 'a'],
  ] as const)
    assert.deepEqual(parseStsRecord(text), { kind: 'record', record: { id } }, text)
})

test('a record that is wrong is told where', () => {
  const bad: readonly (readonly [text: string, column: number, why: RegExp])[] = [
    ['v=STSv1', 8, /"id" is missing/],
    ['v=STSv1;', 9, /"id" is missing/],
    ['v=stsv1; id=1', 1, /does not begin/],
    ['v=STSv12; id=1', 1, /does not begin/],
    [' v=STSv1; id=1', 1, /does not begin/],
    ['v = STSv1; id=1', 1, /does not begin/],
    ['id=1; v=STSv1', 1, /does not begin/],
    ['v=STSv1; id=2026-11-24', 13, /1–32 letters and digits/],
    [`v=STSv1; id=${'1'.repeat(33)}`, 13, /1–32/],
    ['v=STSv1; id=', 13, /1–32/],
    ['v=STSv1; id = 1', 10, /blanks around/],
    ['v=STSv1; ID=1', 14, /"id" is missing/],
    ['v=STSv1;; id=1', 9, /without a name/],
    ['v=STSv1; id=1; x', 16, /no "="/],
    ['v=STSv1; id=1; x=a b', 16, /blank/],
    ['v=STSv1; id=1; -x=a', 16, /no name/],
    ['v=STSv1; id=1; x=\x1b', 16, /not ASCII/],
  ]
  for (const [text, column, why] of bad) {
    const parsed = parseStsRecord(text)
    assert.ok(parsed.kind === 'invalid', text)
    assert.match(parsed.problems[0]?.message ?? '', why, text)
    assert.equal(parsed.problems[0]?.column, column, text)
  }
})

test('which TXT record is meant', () => {
  assert.equal(selectStsRecord(['x', 'v=STSv1; id=1']).kind, 'one')
  assert.equal(selectStsRecord(['v=STSv1 ; id=1']).kind, 'one')
  assert.equal(selectStsRecord(['x', 'v=STSv1 ; id=1']).kind, 'none')
  assert.equal(selectStsRecord(['v=STSv1; id=1', 'v=STSv1; id=1']).kind, 'several')
  assert.equal(selectStsRecord(['v=STSv10; id=1']).kind, 'none')
})

test('the policy of RFC 8461 §3.2, with either line end, and its variants', () => {
  const wanted = {
    mode: 'enforce',
    maxAgeSeconds: 604_800,
    patterns: [
      { host: 'mail.example.com', isWildcard: false },
      { host: 'example.net', isWildcard: true },
      { host: 'backupmx.example.com', isWildcard: false },
    ],
  }
  for (const text of [
    example,
    example.replaceAll('\n', '\r\n'),
    example.trimEnd(),
    example.replaceAll(': ', ':'),
    example.replaceAll(': ', ': \t ').replaceAll('\n', ' \t\n'),
    example.replace('mail.', 'MAIL.'),
    `${example}x-new: grüße, all: of it\n`,
  ])
    assert.deepEqual(policy(text), { kind: 'policy', policy: wanted, badPatterns: [], notes: [] }, text)
  const none = policy('version: STSv1\nmode: none\nmax_age: 0\n')
  assert.deepEqual(none.kind === 'policy' && none.policy, { mode: 'none', maxAgeSeconds: 0, patterns: [] })
})

test('what senders ignore is noted', () => {
  const read = policy(
    `${example}mode: testing\nMX: x.example\n\nmx: a.*.example\nmx: bücher.example\nmx: 192.0.2.1\nmx: x.example.\nmx: a_b.example\n`,
  )
  assert.ok(read.kind === 'policy')
  assert.equal(read.policy.mode, 'enforce')
  assert.deepEqual(
    read.notes.map(({ line, column, message }) => [line, column, message]),
    [
      [7, 1, 'a second "mode"; the first counts'],
      [8, 1, '"MX" is ignored: keys are in lower case'],
      [9, 1, 'an empty line, which the grammar has no place for'],
    ],
  )
  assert.deepEqual(
    read.badPatterns.map(({ line, column }) => [line, column]),
    [
      [10, 5],
      [11, 5],
      [13, 5],
      [14, 5],
    ],
  )
})

test('a policy that is wrong is told where', () => {
  const bad: readonly (readonly [text: string, place: string, why: RegExp])[] = [
    ['', '1:1', /"version" is missing/],
    [example.replace('STSv1', 'STSv2'), '1:10', /"STSv2" is not STSv1/],
    [example.replace('enforce', 'Enforce'), '2:7', /not enforce, testing or none/],
    [example.replace('604800', '31557601'), '6:10', /up to 31557600/],
    [example.replace('604800', '1w'), '6:10', /number of seconds/],
    [example.replace('604800', ''), '6:9', /number of seconds/],
    [example.replace(/mx: .*\n/g, ''), '4:1', /no "mx"/],
    [example.replace('mode: ', 'mode='), '2:1', /no "key: value"/],
    [`\ufeff${example}`, '1:1', /no "key: value"/],
    ['<html>\n', '1:1', /no "key: value"/],
    [`${example}x: \x1b[2J`, '7:4', /characters that no value has/],
    ['x'.repeat(70_000), '1:1', /70000 octets long/],
  ]
  for (const [text, place, why] of bad) {
    const read = policy(text)
    assert.ok(read.kind === 'invalid', text)
    const [problem] = read.problems
    assert.match(problem?.message ?? '', why, text)
    assert.equal(`${problem?.line}:${problem?.column}`, place, text.slice(0, 100))
  }
})

test('a wildcard stands for one label (RFC 8461 §4.1)', () => {
  const read = policy(example)
  assert.ok(read.kind === 'policy')
  const covered = (host: string) => isCoveredBySts(read.policy, host as HostName)
  assert.ok(covered('mail.example.com') && covered('a.example.net'))
  assert.ok(!covered('example.net') && !covered('x.a.example.net') && !covered('a.mail.example.com') && !covered('net'))
})

test('any policy is read, or is told why not', () => {
  const token = fc.constantFrom(
    'version',
    'mode',
    'mx',
    'max_age',
    ':',
    ' ',
    '\n',
    '\r\n',
    '\r',
    'STSv1',
    'enforce',
    '1',
    '*.',
    'a.example',
    '\t',
  )
  const soup = fc
    .array(fc.oneof(token, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 24 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(
      fc.oneof(
        soup,
        soup.map((text) => example + text),
      ),
      (text) => {
        const read = policy(text)
        const problems = read.kind === 'policy' ? [...read.badPatterns, ...read.notes] : read.problems
        for (const { message } of problems) assert.doesNotMatch(message, /[\x00-\x1f\x7f-\x9f]/)
        assert.ok(read.kind === 'policy' || problems.length > 0)
      },
    ),
    { numRuns: 2000 },
  )
})
