import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { openBlackHole } from '../../../test/lab/black-hole.ts'
import { startCleanDomain } from '../../../test/lab/clean-domain.ts'
import { startExchanger } from '../../../test/lab/exchanger.ts'
import { freeAddress } from '../../../test/lab/loopback.ts'
import { labAddress } from '../../../test/lab/names.ts'
import { changeAnswer } from '../../../test/unit/facts/change.ts'
import { factsOf } from '../../../test/unit/facts/facts.ts'
import { silence } from '../../../test/unit/facts/servers.ts'
import { everyAddress } from '../read-facts.ts'
import { withoutOwnFaults } from './own-faults.ts'

test('without IPv6 of our own, what IPv6 addresses did not answer says nothing of them', () => {
  const facts = changeAnswer(
    changeAnswer(factsOf(), 1, 'example.com', 'SOA', silence),
    2,
    'example.com',
    'SOA',
    silence,
  )
  const cleaned = withoutOwnFaults(facts, { ...facts.vantage, ipv6: 'broken' })
  const kinds = cleaned.zones[0]?.servers.map(({ asked }) => asked[0]?.outcome.kind)
  assert.deepEqual(kinds, ['response', 'not-examined', 'silence', 'response', 'response', 'response'])
  assert.deepEqual(withoutOwnFaults(facts, facts.vantage), facts)
})

test('exchangers by an address that we have no way to are not examined', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone, { mx1 }) => ({
      ...zone,
      records: { ...zone.records, 'mx1.example.lab': { A: [mx1], AAAA: ['2001:db8::25'] } },
    }),
    // Nobody is there either: documentation addresses lead nowhere.
    options: { rootHints: [labAddress('2001:db8::1')], dnsTries: 1, dnsTimeoutMs: 100 },
  })
  const facts = await lab.examine('example.lab', ['smtp'])
  assert.equal(facts.vantage.ipv6, 'broken')
  assert.deepEqual(
    everyAddress(facts).map(({ at }) => (at.smtp.kind === 'not-examined' ? at.smtp.reason : at.smtp.kind)),
    ['probed', 'no-family', 'probed'],
  )
})

test('where a host that is known to answer is silent too, our own port is blocked', async (t) => {
  const address = freeAddress()
  const hole = await openBlackHole(address)
  t.after(() => hole.close())
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      records: { ...zone.records, 'mx1.example.lab': { A: [address] }, 'mx2.example.lab': { A: [address] } },
    }),
    zones: () => ({
      lab: { servers: [{ name: 'a.nic.lab' }], records: { 'mx.known.lab': { A: [address] } } },
    }),
    options: { smtpPort: hole.port, probeLimits: { connectMs: 300 } },
  })
  const facts = await lab.examine('example.lab', ['smtp'])
  assert.equal(facts.vantage.port25, 'blocked')
  for (const { at } of everyAddress(facts))
    assert.ok(at.smtp.kind === 'not-examined' && at.smtp.reason === 'port-25-blocked')
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

test('IPv6: servers and exchangers are asked over it', async (t) => {
  if (!hasIpv6) return t.diagnostic('not tested: no IPv6 on this machine')
  const lab = await startCleanDomain(t, {
    zone: (zone, { mx1 }) => ({
      ...zone,
      servers: [...zone.servers, { name: 'ns6.example.lab', address: '::1' }],
      records: { ...zone.records, 'mx1.example.lab': { A: [mx1], AAAA: ['::1'] } },
    }),
  })
  await startExchanger(t, { name: 'mx1.example.lab' }, '::1', lab.exchangers[0]?.port)
  const facts = await lab.examine()
  const [first] = facts.exchangers
  assert.deepEqual(
    first?.addresses.map(({ address, smtp }) => [address, smtp.kind === 'probed' && smtp.sessions[0].greeting.kind]),
    [
      [lab.places.mx1, 'reply'],
      ['::1', 'reply'],
    ],
  )
  const server = facts.zones[0]?.servers.find(({ address }) => address === '::1')
  assert.equal(server?.asked[0]?.outcome.kind, 'response')
  assert.equal(facts.vantage.ipv6, 'works')
  const reverse = first?.addresses[1]?.reverse
  assert.ok(reverse && 'ptr' in reverse && reverse.ptr.kind === 'no-such-name')
})
