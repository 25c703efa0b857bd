import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeExchanger, changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host, ip, wire } from '../../../../test/unit/facts/names.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { redundancyRules } from './rules.ts'
import { singlePointOfFailure } from './single-point-of-failure.ts'

const google = (): Facts => {
  const facts = factsOf()
  const exchangers = facts.exchangers.map((one, index) => {
    const name = ['aspmx.l.google.com', 'alt1.aspmx.l.google.com'][index] ?? ''
    return { ...one, name: wire(name), host: host(name), zone: wire('google.com') }
  })
  const [own] = facts.zones
  if (!own) throw new Error('the fixture has a zone')
  return { ...facts, exchangers, zones: [own, { ...own, apex: wire('google.com') }] }
}

test('two machines in two networks and three name servers: nothing takes all mail away', () => {
  assert.deepEqual(outcomesOf(singlePointOfFailure, factsOf()), [])
})

test('a provider and its zone are one notice', () => {
  const finding = only(singlePointOfFailure, google())
  assert.equal(finding.severity, 'notice')
  assert.match(
    finding.seen,
    /(Google Workspace|zone google\.com) or (the zone google\.com|Google Workspace) fails, 100 % of senders wait, and mail is not delivered/,
  )
})

test('what has a rule of its own is told there alone', () => {
  const one = factsOf((facts) => ({ ...facts, exchangers: facts.exchangers.slice(0, 1) }))
  assert.deepEqual(outcomesOf(redundancyRules, one), ['warning single-exchanger'])
  const near = changeAddress(changeAddress(factsOf(), 2, { address: ip('192.0.2.9') }), 3, {
    address: ip('2001:db8:1::9'),
  })
  assert.deepEqual(outcomesOf(redundancyRules, near), ['notice exchangers-same-network'])
})

test('an exchanger and all name servers behind one network', () => {
  // ns2 and ns3 move beside mx1; mx2 is elsewhere, but nobody finds it without name servers.
  const moved = [2, 3, 4, 5].reduce(
    (facts, index) =>
      changeServer(facts, index, {
        address: ip(index % 2 === 0 ? `192.0.2.${index + 60}` : `2001:db8:1::${index + 60}`),
      }),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(redundancyRules, moved), ['notice ns-too-few'])
})

test('senders without IPv6 depend on the one exchanger with IPv4', () => {
  const facts = changeExchanger(factsOf(), 1, (one) => ({ ...one, addresses: one.addresses.slice(1) }))
  const verdicts = redundancyRules.flatMap((rule) =>
    rule.examine(facts, { roots: { issuersOf: () => [], has: () => false } }),
  )
  const texts = verdicts.flatMap((verdict) => (verdict.kind === 'fault' ? [verdict.seen] : []))
  assert.ok(
    texts.some((text) =>
      /mx1\.example\.com .* fails, 100 % of senders wait, and mail of senders without IPv6 is not delivered/.test(text),
    ),
    texts.join('\n'),
  )
})

test('addresses that are not known may be what is left; no mail, no point', () => {
  const unknown = changeExchanger(google(), 1, { a: failed('alt1.aspmx.l.google.com') })
  assert.deepEqual(outcomesOf(singlePointOfFailure, unknown), ['not checked single-point-of-failure: lookup-failed'])
  assert.deepEqual(
    outcomesOf(singlePointOfFailure, factsOf({ mx: answer('example.com', [mxData(0, '.')]), exchangers: [] })),
    [],
  )
})
