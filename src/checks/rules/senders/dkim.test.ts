import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { failed, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { txtAt } from '../../../../test/unit/senders.ts'
import type { Facts, View } from '../../facts.ts'
import { dkimNameMissing, dkimSelectorFaulty } from './dkim.ts'

const withDkim = (change: Partial<Facts['dkim']>, facts = factsOf()): Facts => ({
  ...facts,
  dkim: { ...facts.dkim, ...change },
})
const parent = noSuchName('_domainkey.example.com')
const owner = 's1._domainkey.example.com'
const selected = (txt: View<'TXT'>) => withDkim({ selectors: [{ selector: 's1', txt }] })
const rsa = (bits: number, type: 'spki' | 'pkcs1' = 'spki') =>
  generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ type, format: 'der' }).toString('base64')
const [k512, k1024, k2048] = [rsa(512), rsa(1024), rsa(2048)]

test('a domain with a name for keys is fine, and so is one that does not send', () => {
  assert.deepEqual(told(dkimNameMissing, factsOf()), [])
  assert.deepEqual(told(dkimSelectorFaulty, factsOf()), [])
  const silent = { ...factsOf(), spf: { txt: txtAt('example.com', 'v=spf1 -all'), lookups: [], cost: undefined } }
  assert.deepEqual(told(dkimNameMissing, withDkim({ parent }, silent)), [])
})

test('no name for keys is a hint where SPF lets the domain send, and a key that is there refutes it', () => {
  assert.deepEqual(told(dkimNameMissing, withDkim({ parent })), ['notice _domainkey.example.com TXT'])
  const txt = txtAt(owner, `v=DKIM1; p=${k2048}`)
  assert.deepEqual(told(dkimNameMissing, withDkim({ parent, selectors: [{ selector: 's1', txt }] })), [])
})

test('a selector that is missing, revoked, there twice or unreadable is a warning', () => {
  const warning = [`warning ${owner} TXT`]
  for (const txt of [
    noSuchName(owner),
    txtAt(owner, 'v=DKIM1; p='),
    txtAt(owner, `v=DKIM1; p=${k2048}`, `v=DKIM1; p=${k2048}`),
    txtAt(owner, 'v=DKIM1; p=AAAA'),
    txtAt(owner, 'v=DKIM1'),
    txtAt(owner, `v=DKIM2; p=${k2048}`),
    txtAt(owner, `v=DKIM1; p=${k512}`),
    txtAt(owner, 'v=DKIM1; k=ed25519; p=AAAA'),
  ])
    assert.deepEqual(told(dkimSelectorFaulty, selected(txt)), warning)
})

test('1024 bits are a notice, 2048 are fine, in either form, and Ed25519 too', () => {
  assert.match(findingOf(dkimSelectorFaulty, selected(txtAt(owner, `v=DKIM1; p=${k1024}`))).seen, /1024 bits/)
  assert.deepEqual(told(dkimSelectorFaulty, selected(txtAt(owner, `k=rsa; p=${k2048}`))), [])
  assert.deepEqual(told(dkimSelectorFaulty, selected(txtAt(owner, `p=${rsa(2048, 'pkcs1')}`))), [])
  const edwards = Buffer.alloc(32, 3).toString('base64')
  assert.deepEqual(told(dkimSelectorFaulty, selected(txtAt(owner, `v=DKIM1; k=ed25519; p=${edwards}`))), [])
})

test('look-ups that failed are not checked', () => {
  assert.deepEqual(told(dkimSelectorFaulty, selected(failed(owner))), [`not-checked lookup-failed ${owner} TXT`])
  assert.deepEqual(told(dkimNameMissing, withDkim({ parent: notExamined('not-wanted') })), [
    'not-checked not-wanted _domainkey.example.com TXT',
  ])
})
