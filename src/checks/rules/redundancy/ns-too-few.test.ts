import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { ip } from '../../../../test/unit/facts/names.ts'
import { failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { nsTooFew } from './ns-too-few.ts'

test('one name server is a warning, whatever addresses it has', () => {
  const facts = changeZone(factsOf(), 0, (zone) => ({
    ...zone,
    nameServers: zone.nameServers.slice(0, 1),
    servers: zone.servers.slice(0, 2),
  }))
  assert.equal(only(nsTooFew, facts).severity, 'warning')
})

test('two names of one machine are one', () => {
  const facts = changeZone(factsOf(), 0, (zone) => ({
    ...zone,
    nameServers: zone.nameServers.slice(0, 2),
    servers: zone.servers.slice(0, 2),
  }))
  assert.match(only(nsTooFew, facts).seen, /2 name servers on one machine/)
})

test('all in one network are a notice', () => {
  const facts = changeZone(factsOf(), 0, (zone) => ({
    ...zone,
    servers: zone.servers
      .filter((_, index) => index % 2 === 0)
      .map((server, index) => ({ ...server, address: ip(`192.0.2.${index + 1}`) })),
  }))
  const finding = only(nsTooFew, facts)
  assert.equal(finding.severity, 'notice')
  assert.match(finding.why, /anycast/)
})

test('three in three networks are fine; addresses that could not be looked up leave it open', () => {
  assert.deepEqual(outcomesOf(nsTooFew, factsOf()), [])
  const unknown = changeZone(factsOf(), 0, (zone) => ({
    ...zone,
    nameServers: zone.nameServers.map((one, index) => (index > 0 ? { ...one, a: failed('ns.example.com') } : one)),
    servers: zone.servers.slice(0, 2),
  }))
  assert.deepEqual(outcomesOf(nsTooFew, unknown), ['not checked ns-too-few: lookup-failed'])
  assert.deepEqual(outcomesOf(nsTooFew, changeZone(factsOf(), 0, { nameServers: [], servers: [] })), [
    'not checked ns-too-few: lookup-failed',
  ])
})
