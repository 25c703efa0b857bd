import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { cnameData } from '../../../../test/unit/facts/records.ts'
import { response } from '../../../../test/unit/facts/servers.ts'
import { noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { aliasWithOtherData } from './alias-with-other-data.ts'

const alias = response('example.com', 'CNAME', [cnameData('other.example.net')])

test('a CNAME on one server, and MX on the others', () => {
  const finding = only(
    aliasWithOtherData,
    factsOf((facts) => changeAnswer(facts, 2, 'example.com', 'CNAME', alias)),
  )
  assert.equal(finding.severity, 'error')
  assert.match(finding.seen, /ns2\.example\.com \(198\.51\.100\.53\) has a CNAME/)
  assert.match(finding.seen, /MX/)
})

test('signatures and denials may stand beside a CNAME', () => {
  const only = factsOf((facts) => {
    const servers = facts.zones[0]?.servers.slice(0, 1).map((server) => ({
      ...server,
      asked: server.asked.filter(({ type }) => type === 'CNAME').map((one) => ({ ...one, outcome: alias })),
    }))
    return { ...facts, zones: facts.zones.map((zone) => ({ ...zone, servers: servers ?? [] })) }
  })
  assert.deepEqual(outcomesOf(aliasWithOtherData, only), [])
})

test('no CNAME is fine; a zone that was not found leaves it open, and a domain that is not there has none', () => {
  assert.deepEqual(outcomesOf(aliasWithOtherData, factsOf()), [])
  assert.deepEqual(outcomesOf(aliasWithOtherData, factsOf({ zone: undefined, zones: [] })), [
    'not checked alias-with-other-data: depends-on-failed',
  ])
  assert.deepEqual(
    outcomesOf(aliasWithOtherData, factsOf({ mx: noSuchName('example.com'), zone: undefined, zones: [] })),
    [],
  )
  const silent = changeAnswer(factsOf(), 0, 'example.com', 'CNAME', notExamined('budget-spent'))
  assert.deepEqual(outcomesOf(aliasWithOtherData, silent), [])
})
