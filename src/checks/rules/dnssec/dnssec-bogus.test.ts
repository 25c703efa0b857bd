import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { mxData, record, rrsigData } from '../../../../test/unit/facts/records.ts'
import { response } from '../../../../test/unit/facts/servers.ts'
import { failed, noData } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { keyTagOf } from '../../dnssec-facts.ts'
import type { DirectOutcome, Facts } from '../../facts.ts'
import { dnssecBogus } from './dnssec-bogus.ts'

const bogus = failed('example.com', 'servfail', 'bogus')
const everywhere = (facts: Facts, type: 'MX' | 'DNSKEY', outcome: DirectOutcome) =>
  [0, 1, 2, 3, 4, 5].reduce((changed, index) => changeAnswer(changed, index, 'example.com', type, outcome), facts)

test('failed validation is told once for a zone, with all names', () => {
  const facts = changeExchanger(factsOf({ mx: bogus }), 0, { a: failed('mx1.example.com', 'servfail', 'bogus') })
  const finding = only(dnssecBogus, facts)
  assert.deepEqual(finding.subject, { kind: 'zone', name: 'example.com' })
  assert.match(finding.seen, /MX example\.com and A mx1\.example\.com/)
})

test('broken servers are not bogus, and the denial is another fault', () => {
  assert.deepEqual(outcomesOf(dnssecBogus, factsOf({ mx: failed('example.com') })), [])
  assert.deepEqual(outcomesOf(dnssecBogus, factsOf({ mx: { ...bogus, unchecked: 'no-data' } })), [])
})

test('the resolver’s own word counts where CD brings nothing', () => {
  const expired = { ...failed('example.com'), extendedErrors: [{ code: 7, text: Buffer.from('\x1b[2J') }] }
  const finding = only(dnssecBogus, factsOf({ mx: expired }))
  assert.match(finding.seen, /DS records|signature expired/)
  assert.doesNotMatch(finding.seen, /\x1b/)
})

test('the cause: a DS record without its key', () => {
  // The fixture's DS names the key 12345, which is none of the zone's.
  assert.match(only(dnssecBogus, factsOf({ mx: bogus })).seen, /DS records at the parent are for the key 12345/)
})

test('the cause: no signatures, or old ones', () => {
  const key = { type: 'DNSKEY', flags: 257, protocol: 3, algorithm: 13, key: Buffer.alloc(64, 9) } as const
  const withDs = (facts: Facts): Facts => ({
    ...facts,
    zones: facts.zones.map((zone) => ({
      ...zone,
      ds: {
        ...noData('example.com'),
        kind: 'answer',
        records: [
          record(wire('example.com'), {
            type: 'DS',
            keyTag: keyTagOf(key),
            algorithm: 13,
            digestType: 2,
            digest: Buffer.alloc(32),
          } as const),
        ],
      },
    })),
  })
  const owner = wire('example.com')
  const unsigned = response('example.com', 'MX', [], {
    authorities: [],
    message: { answers: [record(owner, mxData(10, 'mx1.example.com'))] },
  })
  assert.match(
    only(dnssecBogus, everywhere(withDs(factsOf({ mx: bogus })), 'MX', unsigned)).seen,
    /MX records have no signature/,
  )
})

test('without a resolver that validates nobody knows', () => {
  const facts = factsOf()
  assert.deepEqual(outcomesOf(dnssecBogus, facts), [])
  assert.deepEqual(outcomesOf(dnssecBogus, { ...facts, vantage: { ...facts.vantage, validation: 'none' } }), [
    'not checked dnssec-bogus: not-validating',
  ])
  assert.deepEqual(outcomesOf(dnssecBogus, { ...facts, vantage: { ...facts.vantage, validation: 'remote' } }), [])
})

test('a signature that is over everywhere', () => {
  const old = { expiration: Math.floor(factsOf().startedAtMs / 1000) - 60 }
  const facts = factsOf({ mx: bogus })
  const zones = facts.zones.map((zone) => ({
    ...zone,
    ds: noData('example.com'),
    servers: zone.servers.map((server) => ({
      ...server,
      asked: server.asked.map((direct) =>
        direct.outcome.kind === 'response'
          ? {
              ...direct,
              outcome: {
                ...direct.outcome,
                message: {
                  ...direct.outcome.message,
                  answers: direct.outcome.message.answers.map((one) =>
                    one.data.type === 'RRSIG' ? record(one.name, rrsigData('MX', old)) : one,
                  ),
                },
              },
            }
          : direct,
      ),
    })),
  }))
  assert.match(only(dnssecBogus, { ...facts, zones }).seen, /signatures are over/)
})
