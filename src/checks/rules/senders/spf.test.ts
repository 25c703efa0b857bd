import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { aData, mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { seen, txtAt, withSpf } from '../../../../test/unit/senders.ts'
import type { Facts, NamedView } from '../../facts.ts'
import { spfAmbiguous, spfMalformed, spfMissing, spfOpen, spfTooManyLookups, spfVoidLookups } from './spf.ts'

const all = [spfMissing, spfAmbiguous, spfMalformed, spfTooManyLookups, spfVoidLookups, spfOpen]
const ids = (facts: Facts) => all.filter((rule) => told(rule, facts).length > 0).map(({ id }) => id)
const spf = (text: string, ...lookups: NamedView[]) => withSpf([text], lookups)
const txt = (name: string, ...texts: string[]) => seen('TXT', txtAt(name, ...texts))
const exists = (name: string) => seen('A', answer(name, [aData('192.0.2.9')]))
const gone = (name: string) => seen('A', noSuchName(name))
const range = (count: number) => Array.from({ length: count }, (_, index) => `h${index}.example.net`)

test('a good record is fine, in several strings, in any case, with unknown modifiers', async () => {
  assert.deepEqual(ids(factsOf()), [])
  assert.deepEqual(ids(await spf(`V=SPF1 ${'ip4:192.0.2.1 '.repeat(30)}future=x -ALL`)), [])
})

test('no record is a notice; v=spf10 is none', async () => {
  assert.deepEqual(ids(await withSpf([])), ['spf-missing'])
  assert.deepEqual(ids(await withSpf(['v=spf10 -all', 'hello'])), ['spf-missing'])
})

test('two records are ambiguous and nothing else', async () => {
  assert.deepEqual(ids(await withSpf(['v=spf1 -all', 'v=spf1 mx -all'])), ['spf-ambiguous'])
})

test('a syntax error counts, behind "all" too; an unknown mechanism is one', async () => {
  for (const text of [
    'v=spf1 ipv4:192.0.2.1 -all',
    'v=spf1 -all ip4:999.1.1.1',
    'v=spf1 redirect=a.example redirect=b.example',
  ])
    assert.deepEqual(ids(await spf(text)), ['spf-malformed'], text)
  assert.match(findingOf(spfMalformed, await spf('v=spf1 ip4:\u001b[2J -all')).seen, /\\x1b/)
})

test('an include of nothing, of several, and of itself is a permanent error', async () => {
  const text = 'v=spf1 include:a.example.net -all'
  assert.deepEqual(ids(await spf(text, txt('a.example.net'))), ['spf-malformed'])
  assert.deepEqual(ids(await spf(text, txt('a.example.net', 'v=spf1 -all', 'v=spf1 -all'))), ['spf-malformed'])
  assert.deepEqual(ids(await spf('v=spf1 include:example.com -all')), ['spf-malformed'])
  assert.deepEqual(ids(await spf(text, txt('a.example.net', 'v=spf1 -all'))), [])
})

test('eleven look-ups are too many, ten are not; what stands behind "all" and ip4 cost nothing', async () => {
  const terms = (count: number) =>
    range(count)
      .map((name) => `a:${name}`)
      .join(' ')
  const found = range(11).map(exists)
  assert.deepEqual(ids(await spf(`v=spf1 ${terms(10)} ip4:192.0.2.1 -all a:h10.example.net`, ...found)), [])
  const finding = findingOf(spfTooManyLookups, await spf(`v=spf1 ${terms(11)} -all`, ...found))
  assert.match(finding.seen, /11 look-ups of 10: a:h0\.example\.net 1/)
})

test('look-ups of an include are counted with it, and shown as a tree', async () => {
  const inner = `v=spf1 ${range(10)
    .map((name) => `a:${name}`)
    .join(' ')} -all`
  const facts = await spf('v=spf1 include:a.example.net -all', txt('a.example.net', inner), ...range(10).map(exists))
  assert.match(findingOf(spfTooManyLookups, facts).seen, /include:a\.example\.net 11 \(a:h0/)
})

test('an mx with eleven exchangers is beyond its own limit', async () => {
  const names = range(11)
  const mx = seen(
    'MX',
    answer(
      'example.com',
      names.map((name) => mxData(10, name)),
    ),
  )
  const facts = await spf('v=spf1 mx -all', mx, ...names.map(exists))
  assert.deepEqual(ids(facts), ['spf-too-many-lookups'])
})

test('three answers without anything are too many, two are not; A and AAAA count once', async () => {
  const terms = (count: number) =>
    range(count)
      .map((name) => `a:${name}`)
      .join(' ')
  assert.deepEqual(ids(await spf(`v=spf1 ${terms(2)} -all`, ...range(2).map(gone))), [])
  assert.deepEqual(ids(await spf(`v=spf1 ${terms(3)} -all`, ...range(3).map(gone))), ['spf-void-lookups'])
})

test('macros that hang on the message are counted and not asked', async () => {
  assert.deepEqual(ids(await spf('v=spf1 exists:%{i}.s.example.net -all')), [])
})

test('open records: +all, ?all, nothing; inside an include only +all counts; a redirect is followed', async () => {
  assert.deepEqual(ids(await spf('v=spf1 ip4:192.0.2.1 +all')), ['spf-open'])
  assert.deepEqual(ids(await spf('v=spf1 all')), ['spf-open'])
  assert.deepEqual(ids(await spf('v=spf1 ?all')), ['spf-open'])
  assert.deepEqual(ids(await spf('v=spf1 ip4:192.0.2.1')), ['spf-open'])
  const include = 'v=spf1 include:a.example.net -all'
  assert.deepEqual(ids(await spf(include, txt('a.example.net', 'v=spf1 ?all'))), [])
  assert.deepEqual(ids(await spf(include, txt('a.example.net', 'v=spf1 +all'))), ['spf-open'])
  const redirect = 'v=spf1 redirect=a.example.net'
  assert.deepEqual(ids(await spf(redirect, txt('a.example.net', 'v=spf1 -all'))), [])
  assert.deepEqual(ids(await spf(redirect, txt('a.example.net', 'v=spf1 ?all'))), ['spf-open'])
})

test('a look-up that failed leaves the count open, and what was not asked is not checked', async () => {
  const facts = await spf('v=spf1 include:a.example.net -all', seen('TXT', failed('a.example.net')))
  for (const rule of [spfTooManyLookups, spfVoidLookups])
    assert.deepEqual(told(rule, facts), ['not-checked lookup-failed example.com TXT'])
  assert.deepEqual(told(spfOpen, facts), [])
  const unseen = { ...factsOf(), spf: { txt: notExamined('not-wanted'), lookups: [], cost: undefined } }
  for (const rule of all) assert.deepEqual(told(rule, unseen), ['not-checked not-wanted example.com TXT'])
})
