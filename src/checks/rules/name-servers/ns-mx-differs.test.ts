import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeServer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { mxData, record, rrsigData, soaData } from '../../../../test/unit/facts/records.ts'
import { direct, response } from '../../../../test/unit/facts/servers.ts'
import { noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { nsMxDataDiffers, nsMxPresenceDiffers } from './ns-mx-differs.ts'

const rules = [nsMxPresenceDiffers, nsMxDataDiffers]
const mx = (...records: [number, string][]) =>
  response(
    'example.com',
    'MX',
    records.map(([preference, host]) => mxData(preference, host)),
  )
const none = response('example.com', 'MX', [])
const older = (facts: Facts, index: number) =>
  changeAnswer(facts, index, 'example.com', 'SOA', response('example.com', 'SOA', [soaData(2026022801)]))

test('one server without MX is an error; with an old serial a transfer may be under way', () => {
  const facts = changeAnswer(factsOf(), 4, 'example.com', 'MX', none)
  const finding = only(rules, facts)
  assert.deepEqual([finding.id, finding.severity], ['ns-mx-presence-differs', 'error'])
  assert.match(finding.seen, /ns3\.example\.com \(203\.0\.113\.53\), serial 2026030101 has no MX records/)
  const moving = only(rules, older(facts, 4))
  assert.equal(moving.severity, 'warning')
  assert.match(moving.seen, /serial 2026022801.*transfer may be under way/)
})

test('another preference or target on one server', () => {
  const facts = changeAnswer(factsOf(), 4, 'example.com', 'MX', mx([10, 'mx1.example.com'], [30, 'mx2.example.com']))
  const finding = only(rules, facts)
  assert.deepEqual([finding.id, finding.severity], ['ns-mx-data-differs', 'warning'])
  assert.match(finding.seen, /30 mx2\.example\.com\./)
  assert.match(finding.remedy.text, /ns3\.example\.com transfers/)
})

test('order, letter case and TTL do not count', () => {
  const owner = wire('example.com')
  const shuffled = response('example.com', 'MX', [], {
    authorities: [],
    message: {
      answers: [
        record(owner, mxData(20, 'MX2.Example.COM'), 17),
        record(owner, mxData(10, 'mx1.example.com'), 17),
        record(owner, rrsigData('MX'), 17),
      ],
    },
  })
  assert.deepEqual(outcomesOf(rules, changeAnswer(factsOf(), 4, 'example.com', 'MX', shuffled)), [])
})

test('what a server passes on from others does not count', () => {
  const hearsay = response('example.com', 'MX', [mxData(30, 'old.example.com')], { message: { authoritative: false } })
  assert.deepEqual(outcomesOf(rules, changeAnswer(factsOf(), 4, 'example.com', 'MX', hearsay)), [])
})

test('servers that agree are fine, without MX as well', () => {
  assert.deepEqual(outcomesOf(rules, factsOf()), [])
  const facts = [0, 1, 2, 3, 4, 5].reduce(
    (changed, index) => changeAnswer(changed, index, 'example.com', 'MX', none),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(rules, facts), [])
})

test('with one answer there is nothing to compare', () => {
  const asked = [direct('example.com', 'MX', notExamined('budget-spent'))]
  const facts = [1, 2, 3, 4, 5].reduce((changed, index) => changeServer(changed, index, { asked }), factsOf())
  assert.deepEqual(
    [...new Set(outcomesOf(nsMxPresenceDiffers, facts))],
    ['not checked ns-mx-presence-differs: budget-spent'],
  )
  assert.deepEqual(outcomesOf(rules, factsOf({ mx: noSuchName('example.com'), zone: undefined, zones: [] })), [])
})
