import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RdataOf } from '../../dns/rdata.ts'
import { nameFromText, type WireName } from '../../dns/wire-name.ts'
import type { View } from '../facts.ts'
import { mailtoDomains } from './senders.ts'

const named = nameFromText('_dmarc.example.test.')
const name = (named.kind === 'name' ? named.name : '') as WireName

function seen(...texts: readonly string[]): View<'TXT'> {
  const records = texts.map((text) => {
    const data: RdataOf<'TXT'> = { type: 'TXT', strings: [Buffer.from(text, 'latin1')] }
    return { name, class: 1, ttlSeconds: 60, data }
  })
  const how = { trust: 'untold', ttlSeconds: 60, bytes: 0, extendedErrors: [], tookMs: 0 } as const
  return { kind: 'answer', name, canonicalName: name, aliases: [], ...how, records }
}

const dmarc = /^v=DMARC1/

for (const [text, domains] of [
  [
    'v=DMARC1; rua=mailto:a@one.test,mailto:b@two.test!10m; ruf=MAILTO:c@three.test?x=y',
    'one.test two.test three.test',
  ],
  ['v=DMARC1; rua=mailto:a@one.test, mailto:b@ONE.test', 'one.test'],
  ['v=DMARC1; rua=a@one.test,https://b@two.test', ''],
  ['v=DMARC1; rua=mailto:@one.test,mailto:b@,mailto:c@..', 'one.test'],
  [`v=DMARC1; rua=mailto:${'a'.repeat(300)}@one.test,mailto:a@${'a'.repeat(300)}.test`, ''],
  ['v=spf1; rua=mailto:a@one.test', ''],
  [
    'v=DMARC1; rua=mailto:1@a.t,mailto:2@b.t,mailto:3@c.t,mailto:4@d.t,mailto:5@e.t,mailto:6@f.t',
    'a.t b.t c.t d.t e.t',
  ],
] as const)
  test(`destinations of ${text.slice(0, 80)}`, () => {
    assert.equal(mailtoDomains(seen(text), dmarc).join(' '), domains)
  })

// With one look back for each "mailto:" it took a second for each of these.
test('long records take a time that grows with their length alone', () => {
  const long = `v=DMARC1; rua=${'mailto:'.repeat(9_000)}`
  const startedMs = performance.now()
  assert.deepEqual(mailtoDomains(seen(...Array.from({ length: 60 }, () => long)), dmarc), [])
  assert.ok(performance.now() - startedMs < 10_000)
})
