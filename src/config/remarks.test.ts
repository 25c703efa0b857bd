import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../../test/config-folder.ts'
import type { Loaded } from './load.ts'

test('an address that looks like a pattern of another program is taken by the letter, and probably not meant', async (t) => {
  const { summary } = await load(
    t,
    `domains:
  a.example:
    deliver: mx
    addresses:
      "s*les@": mx
      "/^sales/@": mx
      "^sales*@": mx
      "sales*@": mx
      "sales+x@": mx
`,
  )
  assert.deepEqual(
    summary.remarks.map(({ line, column }) => `${line}:${column}`),
    ['5:7', '6:7', '7:7'],
  )
  assert.match(summary.remarks[0]?.message ?? '', /^"s\*les@" is no pattern: .* "prefix\*@" alone$/)
})

test('a name without a dot is in order, and probably not meant', async (t) => {
  const { summary } = await load(t, 'domains:\n  a.example: { deliver: mx }\n  example: { deliver: mx }\n')
  assert.deepEqual(
    summary.remarks.map(({ line, column, message }) => `${line}:${column} ${message}`),
    [
      '3:3 example has no dot, and no mail of the world comes for such a name: write the whole one, such as example.com',
    ],
  )
})

test('a configuration without any domain is in order, and probably not meant', async (t) => {
  const remarksOf = (loaded: Loaded) =>
    loaded.summary.remarks.map(({ line, column, message }) => `${line}:${column} ${message}`)
  const none =
    'no domain is declared, so all mail is refused but that for postmaster: write the domains that are yours, such as "domains: { example.com: { deliver: smtp://mail.example.com } }"'
  assert.deepEqual(remarksOf(await load(t, 'domains: {}\n')), [`1:1 ${none}`])
  assert.deepEqual(remarksOf(await load(t, 'state: .\ninclude: a.yaml\n', { 'a.yaml': 'domains: {}\n' })), [
    `2:1 ${none}`,
  ])
  assert.deepEqual(
    remarksOf(await load(t, 'include: a.yaml\n', { 'a.yaml': 'domains: { a.example: { deliver: mx } }' })),
    [],
  )
})
