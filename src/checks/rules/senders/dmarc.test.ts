import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { failed, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { txtAt, withDmarc } from '../../../../test/unit/senders.ts'
import type { Facts, View } from '../../facts.ts'
import {
  bimiWithoutEnforcement,
  dmarcAmbiguous,
  dmarcMalformed,
  dmarcMissing,
  dmarcNotEnforced,
  dmarcReportUnauthorised,
} from './dmarc.ts'

const all = [
  dmarcMissing,
  dmarcAmbiguous,
  dmarcMalformed,
  dmarcNotEnforced,
  dmarcReportUnauthorised,
  bimiWithoutEnforcement,
]
const ids = (facts: Facts) => all.filter((rule) => told(rule, facts).length > 0).map(({ id }) => id)
const own = (...texts: string[]) => withDmarc('example.com', { 'example.com': texts })

test('a policy that asks for something is fine, without p where it inherits nothing, with old and unknown tags', async () => {
  assert.deepEqual(ids(factsOf()), [])
  assert.deepEqual(ids(await own('v=DMARC1; p=quarantine; pct=50; rf=afrf; ri=3600; future=1')), [])
})

test('no record on the way up is a notice; one above is inherited', async () => {
  assert.deepEqual(ids(await own()), ['dmarc-missing'])
  assert.deepEqual(ids(await withDmarc('a.b.example.com', { 'example.com': ['v=DMARC1; p=reject'] })), [])
})

test('psd=y above means that the domain below it decides', async () => {
  assert.deepEqual(ids(await withDmarc('example.com', { com: ['v=DMARC1; p=reject; psd=y'] })), [])
})

test('two records are dropped, and the walk goes on', async () => {
  const two = ['v=DMARC1; p=none', 'v=DMARC1; p=reject']
  assert.deepEqual(ids(await own(...two)), ['dmarc-ambiguous'])
  const facts = await withDmarc('mail.example.com', { 'mail.example.com': two, 'example.com': ['v=DMARC1; p=reject'] })
  assert.deepEqual(ids(facts), ['dmarc-ambiguous'])
  assert.match(findingOf(dmarcAmbiguous, facts).seen, /take that of example\.com/)
})

test('a version that is not first, in another case, and a record that says nothing are malformed', async () => {
  assert.deepEqual(ids(await own('p=reject; v=DMARC1')), ['dmarc-malformed'])
  assert.deepEqual(ids(await own('v=dmarc1; p=reject')), ['dmarc-malformed'])
  assert.deepEqual(ids(await own('v=DMARC1; p=rejct')), ['dmarc-malformed'])
  assert.match(findingOf(dmarcMalformed, await own('v=DMARC1; p=\u001b[2J')).seen, /\\x1b/)
})

test('foreign TXT, as of a wildcard, is no record', async () => {
  assert.deepEqual(ids(await own('v=spf1 -all')), ['dmarc-missing'])
})

test('none, test, and none for subdomains ask for nothing', async () => {
  for (const text of [
    'v=DMARC1; p=none',
    'v=DMARC1; p=reject; t=y',
    'v=DMARC1; p=reject; sp=none',
    'v=DMARC1; p=reject; np=none',
    'v=DMARC1; p=bad; rua=mailto:a@example.com',
  ])
    assert.deepEqual(ids(await own(text)), ['dmarc-not-enforced'], text)
  const inherited = await withDmarc('mail.example.com', { 'example.com': ['v=DMARC1; p=reject; sp=none'] })
  assert.deepEqual(ids(inherited), ['dmarc-not-enforced'])
})

test('reports to who has not agreed; several records there, and other tags, are consent', () => {
  const name = 'example.com._report._dmarc.example.net'
  const asking = (txt: View<'TXT'>): Facts => {
    const facts = factsOf()
    return { ...facts, dmarc: { ...facts.dmarc, reportConsents: [{ destination: host('example.net'), txt }] } }
  }
  assert.deepEqual(told(dmarcReportUnauthorised, asking(noSuchName(name))), [`warning ${name} TXT`])
  assert.deepEqual(told(dmarcReportUnauthorised, asking(txtAt(name, 'hello'))), [`warning ${name} TXT`])
  assert.deepEqual(
    told(dmarcReportUnauthorised, asking(txtAt(name, 'v=DMARC1', 'v=DMARC1; rua=mailto:x@example.net'))),
    [],
  )
  assert.deepEqual(told(dmarcReportUnauthorised, asking(failed(name))), [`not-checked lookup-failed ${name} TXT`])
})

test('BIMI wants quarantine or reject', async () => {
  const bimi = txtAt('default._bimi.example.com', 'v=BIMI1; l=https://example.com/logo.svg')
  assert.deepEqual(ids({ ...factsOf(), bimi }), [])
  assert.ok(ids({ ...(await own('v=DMARC1; p=none')), bimi }).includes('bimi-without-enforcement'))
  assert.ok(ids({ ...(await own()), bimi }).includes('bimi-without-enforcement'))
  assert.ok(ids({ ...(await own('v=DMARC1; p=quarantine; t=y')), bimi }).includes('bimi-without-enforcement'))
})

test('look-ups that failed, or were not made, are not checked', () => {
  const facts = factsOf()
  const blind = {
    ...facts,
    dmarc: { ...facts.dmarc, discovery: { kind: 'failed', asked: [], why: 'no answer' } },
  } as const
  const unseen = { ...facts, dmarc: { ...facts.dmarc, discovery: notExamined('not-wanted') } }
  for (const rule of [dmarcMissing, dmarcAmbiguous, dmarcMalformed, dmarcNotEnforced]) {
    assert.deepEqual(told(rule, blind), ['not-checked lookup-failed _dmarc.example.com TXT'])
    assert.deepEqual(told(rule, unseen), ['not-checked not-wanted _dmarc.example.com TXT'])
  }
  assert.deepEqual(told(bimiWithoutEnforcement, { ...facts, bimi: failed('default._bimi.example.com') }), [
    'not-checked lookup-failed default._bimi.example.com TXT',
  ])
})
