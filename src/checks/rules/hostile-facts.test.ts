/** What strangers wrote reaches nobody as it is, and a flood of it costs little: every rule over facts that are as bad as DNS lets them be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeZone } from '../../../test/unit/facts/change.ts'
import { contextOf, factsOf } from '../../../test/unit/facts/facts.ts'
import { ip } from '../../../test/unit/facts/names.ts'
import { mxData, ptrData, record, txtData } from '../../../test/unit/facts/records.ts'
import { answer, failed, noSuchName } from '../../../test/unit/facts/views.ts'
import { assertSafe } from '../../../test/unit/outcomes.ts'
import { rcodes } from '../../dns/types.ts'
import { nameFromLabels, type WireName } from '../../dns/wire-name.ts'
import type { ExchangerFacts, Facts } from '../facts.ts'
import { runRules } from '../run-rules.ts'
import { allRules } from './all.ts'

function hostile(label: string): WireName {
  const parsed = nameFromLabels([label, 'example', 'com'])
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}

const evil = hostile('\x1b[2J\u0000"<b>$(x)\\.\x9b\xff')

/** Every name that a stranger chooses is evil. */
function evilFacts(): Facts {
  const facts = factsOf()
  const [first, second] = facts.exchangers
  if (!first || !second) throw new Error('the fixture has two exchangers')
  const bad: ExchangerFacts = {
    ...first,
    name: evil,
    host: undefined,
    preferences: [10, 20],
    zone: evil,
    addresses: first.addresses.map((at) => ({
      ...at,
      reverse: {
        ptr: answer('x.in-addr.arpa', [{ ...ptrData('x'), target: evil }]),
        forward: [{ name: evil, view: noSuchName('x') }],
      },
    })),
  }
  const aliased: ExchangerFacts = {
    ...second,
    a: { ...failed('mx2.example.com', 'cname-loop'), aliases: [evil, evil] },
    aaaa: { ...noSuchName('mx2.example.com'), aliases: [evil], canonicalName: evil },
  }
  const changed = changeZone({ ...facts, exchangers: [bad, aliased] }, 0, (zone) => ({
    ...zone,
    nameServers: zone.nameServers.map((one, index) => ({
      ...one,
      name: evil,
      atParent: index > 0,
      a: { ...noSuchName('x'), aliases: [evil] },
    })),
    servers: zone.servers.map((server, index) => ({
      ...server,
      name: evil,
      asked: server.asked.map((direct) =>
        direct.outcome.kind === 'response' && index % 2 === 0
          ? {
              ...direct,
              outcome: {
                ...direct.outcome,
                message: {
                  ...direct.outcome.message,
                  rcode: direct.type === 'TXT' ? rcodes.nxDomain : rcodes.noError,
                  answers: [
                    record(direct.name, mxData(index, 'x')),
                    record(direct.name, { ...mxData(1, 'x'), exchange: evil }),
                  ],
                },
              },
            }
          : { ...direct, outcome: { kind: 'malformed', why: 'a name points behind itself' } },
      ),
    })),
  }))
  const [own] = changed.zones
  if (!own) throw new Error('the fixture has a zone')
  return {
    ...changed,
    zones: [own, { ...own, apex: evil }],
    mx: {
      ...answer('example.com', [{ ...mxData(10, 'x'), exchange: evil }], { aliases: ['x'] }),
      canonicalName: evil,
      aliases: [evil],
    } as Facts['mx'],
    wildcard: {
      name: evil,
      mx: answer('x', [{ ...mxData(1, 'x'), exchange: evil }]),
      txt: answer('x', [txtData('\x1b[2J\u0007')]),
    },
    mtaSts: { ...changed.mtaSts, txt: answer('x', [txtData('\x1b[2J\u0007')]) },
  }
}

test('names of strangers are escaped in every text', () => {
  const outcomes = runRules(allRules, evilFacts(), contextOf({ declaredExchangers: [] }))
  const ids = new Set(outcomes.map(({ id }) => id))
  assert.ok(ids.size > 14, `${ids.size} rules had something to say`)
  for (const outcome of outcomes) {
    assertSafe(outcome)
    assert.doesNotMatch(JSON.stringify(outcome.subject), /\\u001b|<b>\$/)
  }
})

test('10,000 exchangers cost little time and few words', () => {
  const facts = factsOf()
  const [like] = facts.exchangers
  if (!like) throw new Error('the fixture has exchangers')
  const names = Array.from({ length: 10_000 }, (_, index) => `mx${index}.example.com`)
  const exchangers = names.map((name, index): ExchangerFacts => {
    const addresses =
      index < 20
        ? like.addresses.map((at, family) => ({
            ...at,
            address: ip(family === 0 ? `192.0.2.${index + 1}` : `2001:db8:${index}::1`),
          }))
        : []
    const skipped = { kind: 'not-examined', reason: 'budget-spent', why: '20 exchangers are looked at.' } as const
    const parsed = nameFromLabels(name.split('.'))
    if (parsed.kind === 'invalid') throw new Error(parsed.why)
    return {
      ...like,
      name: parsed.name,
      preferences: [index],
      addresses,
      ...(index < 20 ? {} : { a: skipped, aaaa: skipped }),
    }
  })
  const mx = answer(
    'example.com',
    names.map((name, index) => mxData(index, name)),
  )
  const declaredExchangers = exchangers.flatMap(({ host }) => (host ? [{ host, preference: 1 }] : []))
  const startMs = performance.now()
  const outcomes = runRules(allRules, { ...facts, mx, exchangers }, contextOf({ declaredExchangers }))
  assert.ok(performance.now() - startMs < 60_000, `${performance.now() - startMs} ms`)
  assert.ok(outcomes.length < 2_000, `${outcomes.length} outcomes`)
  for (const outcome of outcomes) {
    const words = outcome.kind === 'finding' ? outcome.seen : outcome.why
    assert.ok(words.length < 5_000, `${outcome.id}: ${words.length} characters`)
  }
})
