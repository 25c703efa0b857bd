import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeExchanger, changeSession } from '../../test/unit/facts/change.ts'
import { factsOf } from '../../test/unit/facts/facts.ts'
import { ip } from '../../test/unit/facts/names.ts'
import { mailShares } from './mail-share.ts'
import { pointText, singlePoints } from './single-points.ts'

const refused = {
  kind: 'failed',
  fault: { kind: 'refused', step: 'connect', reply: undefined, detail: '' },
  tookMs: 1,
} as const
const texts = (...args: Parameters<typeof singlePoints>) => singlePoints(...args).map((point) => pointText(point))

test('everything that is felt, the worst first', () => {
  assert.deepEqual(texts(factsOf()), [
    'If the zone example.com fails, 100 % of senders wait, and mail is not delivered.',
    'If mx1.example.com (192.0.2.1 and 2001:db8:1::1) fails, 100 % of senders wait, and mail is delivered.',
    'If the network 192.0.2.0/24 with 2001:db8:1::/48 fails, 100 % of senders wait, and mail is delivered.',
  ])
})

test('equal preferences share the senders', () => {
  const facts = changeExchanger(factsOf(), 1, { preferences: [10] })
  const [, mx1, mx2] = singlePoints(facts)
  assert.deepEqual([mx1?.waiting, mx2?.waiting], [0.5, 0.5])
  assert.deepEqual(
    mailShares(facts).map(({ tries, gets }) => [tries, gets]),
    [
      [0.5, 0.5],
      [0.5, 0.5],
    ],
  )
})

test('what is dead today counts as failed: the other exchanger is all that is left', () => {
  const facts = [0, 1].reduce((changed, index) => changeSession(changed, index, { connect: refused }), factsOf())
  assert.deepEqual(
    mailShares(facts).map(({ tries, gets }) => [tries, gets]),
    [
      [1, 0],
      [0, 1],
    ],
  )
  const point = singlePoints(facts).find(({ kind, name }) => kind === 'host' && name.startsWith('mx2'))
  assert.deepEqual([point?.delivered, point?.waiting], ['none', 1])
})

test('an exchanger and a name server on one machine fail together', () => {
  const facts = changeAddress(factsOf(), 0, { address: ip('192.0.2.53') })
  const point = singlePoints(facts).find(({ exchangers }) => exchangers.includes('mx1.example.com'))
  assert.ok(
    singlePoints(facts).some(
      ({ nameServers, exchangers }) =>
        nameServers.includes('ns1.example.com') && exchangers.includes('mx1.example.com'),
    ),
  )
  assert.ok(point)
})

test('an autonomous system where a table is given', () => {
  const points = singlePoints(factsOf(), { asNumber: () => 64_500 })
  assert.ok(points.some(({ name, delivered }) => name === 'AS64500' && delivered === 'none'))
})

test('of a pool behind one name each address is a machine', () => {
  const facts = factsOf((all) => {
    const [first, second] = all.exchangers
    if (!first || !second) throw new Error('the fixture has exchangers')
    return { ...all, exchangers: [{ ...first, addresses: [...first.addresses, ...second.addresses] }] }
  })
  const hosts = singlePoints(facts).filter(({ kind }) => kind === 'host')
  assert.equal(hosts.length, 4)
  assert.ok(hosts.every(({ waiting, delivered }) => waiting === 0.25 && delivered === 'all'))
})

test('where no mail is delivered today nothing more can fail', () => {
  const facts = changeSession(factsOf(), 'all', { connect: refused })
  assert.deepEqual(singlePoints(facts), [])
  assert.deepEqual(
    mailShares(facts).map(({ gets }) => gets),
    [0, 0],
  )
})
