import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { mxData, record, rrsigData } from '../../../../test/unit/facts/records.ts'
import { response, silence } from '../../../../test/unit/facts/servers.ts'
import { answer } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { mxTtlExtreme } from './mx-ttl-extreme.ts'

const withTtl = (ttl: number) =>
  response('example.com', 'MX', [mxData(10, 'mx1.example.com')], {
    message: {
      answers: [
        record(wire('example.com'), mxData(10, 'mx1.example.com'), ttl),
        record(wire('example.com'), rrsigData('MX'), ttl),
      ],
    },
  })
const everywhere = (ttl: number): Facts =>
  [0, 1, 2, 3, 4, 5].reduce((facts, index) => changeAnswer(facts, index, 'example.com', 'MX', withTtl(ttl)), factsOf())

test('under a minute and over a week', () => {
  assert.match(only(mxTtlExtreme, everywhere(30)).seen, /30 seconds/)
  assert.match(only(mxTtlExtreme, everywhere(14 * 86_400)).seen, /14 days/)
})

test('from a minute to a week is fine', () => {
  for (const ttl of [60, 3600, 7 * 86_400]) assert.deepEqual(outcomesOf(mxTtlExtreme, everywhere(ttl)), [])
})

test('a cache in front of one server counts down, and the resolver too: the longest of the authoritative ones counts', () => {
  assert.deepEqual(outcomesOf(mxTtlExtreme, changeAnswer(factsOf(), 0, 'example.com', 'MX', withTtl(3))), [])
  assert.deepEqual(
    outcomesOf(mxTtlExtreme, factsOf({ mx: answer('example.com', [mxData(10, 'mx1.example.com')], { ttl: 2 }) })),
    [],
  )
})

test('without an authoritative answer it is not checked', () => {
  const silent = [0, 1, 2, 3, 4, 5].reduce(
    (facts, index) => changeAnswer(facts, index, 'example.com', 'MX', silence),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(mxTtlExtreme, silent), ['not checked mx-ttl-extreme: no-answer'])
  assert.deepEqual(outcomesOf(mxTtlExtreme, changeZone({ ...factsOf(), zone: undefined, zones: [] }, 0, {})), [
    'not checked mx-ttl-extreme: depends-on-failed',
  ])
})
