import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeServer, changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { ip, wire } from '../../../../test/unit/facts/names.ts'
import { direct, silence } from '../../../../test/unit/facts/servers.ts'
import { failed, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts, NameServerName } from '../../facts.ts'
import { nsDelegationDiffers } from './ns-delegation-differs.ts'

const changeName = (facts: Facts, index: number, change: Partial<NameServerName>) =>
  changeZone(facts, 0, (zone) => ({
    ...zone,
    nameServers: zone.nameServers.map((one, at) => (at === index ? { ...one, ...change } : one)),
  }))

test('a server on one side alone is a notice that names it', () => {
  const finding = only(nsDelegationDiffers, changeName(factsOf(), 2, { atParent: false }))
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /The zone names ns3\.example\.com, and the delegation does not/)
  assert.match(
    only(nsDelegationDiffers, changeName(factsOf(), 2, { atApex: false })).seen,
    /names ns3\.example\.com, and the zone does not/,
  )
})

test('it is a warning where one side names dead servers alone', () => {
  const dead = [0, 1].reduce(
    (facts, index) => changeServer(facts, index, { asked: [direct('example.com', 'SOA', silence)] }),
    factsOf(),
  )
  const facts = [1, 2].reduce((changed, index) => changeName(changed, index, { atParent: false }), dead)
  assert.equal(only(nsDelegationDiffers, facts).severity, 'warning')
})

test('glue that is other than the address', () => {
  const finding = only(nsDelegationDiffers, changeName(factsOf(), 0, { glue: [ip('192.0.2.99')] }))
  assert.match(finding.seen, /glue of ns1\.example\.com is 192\.0\.2\.99/)
})

test('names outside of the zone have no glue, and a look-up that fails proves nothing against it', () => {
  assert.deepEqual(
    outcomesOf(
      nsDelegationDiffers,
      changeName(factsOf(), 0, { name: wire('ns.example.net'), glue: [ip('192.0.2.99')] }),
    ),
    [],
  )
  assert.deepEqual(
    outcomesOf(
      nsDelegationDiffers,
      changeName(factsOf(), 0, { glue: [ip('192.0.2.53')], aaaa: failed('ns1.example.com') }),
    ),
    [],
  )
  assert.deepEqual(outcomesOf(nsDelegationDiffers, changeName(factsOf(), 0, { glue: [] })), [])
})

test('without a delegation to look at it is not checked; where parent and zone are one server it does not apply', () => {
  assert.deepEqual(
    outcomesOf(nsDelegationDiffers, changeZone(factsOf(), 0, { delegation: { kind: 'failed', why: 'silence' } })),
    ['not checked ns-delegation-differs: lookup-failed'],
  )
  assert.deepEqual(
    outcomesOf(nsDelegationDiffers, changeZone(factsOf(), 0, { delegation: notExamined('budget-spent') })),
    ['not checked ns-delegation-differs: budget-spent'],
  )
  assert.deepEqual(
    outcomesOf(nsDelegationDiffers, changeZone(factsOf(), 0, { delegation: notExamined('not-applicable') })),
    [],
  )
  const unknown = [0, 1, 2].reduce((facts, index) => changeName(facts, index, { atApex: false }), factsOf())
  assert.deepEqual(outcomesOf(nsDelegationDiffers, unknown), ['not checked ns-delegation-differs: lookup-failed'])
})

test('the same on both sides is fine', () => {
  assert.deepEqual(outcomesOf(nsDelegationDiffers, factsOf()), [])
  assert.deepEqual(outcomesOf(nsDelegationDiffers, changeAnswer(factsOf(), 0, 'example.com', 'SOA', silence)), [])
})
