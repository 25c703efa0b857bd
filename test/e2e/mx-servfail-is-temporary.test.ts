import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { labResolver } from '../lab/resolver.ts'
import { until } from '../lab/until.ts'

const zone = {
  'example.test': {
    MX: [
      [10, 'mx1.example.test'],
      [20, 'mx2.example.test'],
    ],
    A: ['192.0.2.9'],
  },
  'mx1.example.test': { A: ['192.0.2.1'] },
  'mx2.example.test': { A: ['192.0.2.2'] },
} as const

test('SERVFAIL for MX: temporary, and the addresses of the domain are not used', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('MX example.test', 'servfail')

  const found = await labResolver(t, [dns]).exchangers('example.test')

  assert.equal(found.kind, 'temporary-failure')
  assert.ok(dns.asked.every((question) => question === 'udp MX example.test.'))
})

test('SERVFAIL for the addresses of one of two: mail goes to the other', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('mx1.example.test', 'servfail')

  const found = await labResolver(t, [dns]).exchangers('example.test')

  assert.ok(found.kind === 'candidates')
  assert.deepEqual(
    found.candidates.map(({ host, share }) => [host, share]),
    [['mx2.example.test', 1]],
  )
  assert.match(found.dropped[0]?.why ?? '', /SERVFAIL/)
})

test('SERVFAIL for one and NXDOMAIN for the other: temporary beats permanent', async (t) => {
  const dns = await startDns(t, { 'example.test': zone['example.test'], 'mx1.example.test': zone['mx1.example.test'] })
  dns.fault('mx1.example.test', 'servfail')
  assert.equal((await labResolver(t, [dns]).exchangers('example.test')).kind, 'temporary-failure')
})

test('SERVFAIL for one family and no address in the other: temporary, because the first may have one', async (t) => {
  const dns = await startDns(t, {
    'example.test': { MX: [[10, 'mx.example.test']] },
    'mx.example.test': { TXT: ['a name without an address'] },
  })
  dns.fault('AAAA mx.example.test', 'servfail')
  assert.equal((await labResolver(t, [dns]).exchangers('example.test')).kind, 'temporary-failure')
})

test('NXDOMAIN for all: the domain has no mail host, which is permanent, and its own addresses are not used', async (t) => {
  const dns = await startDns(t, { 'example.test': zone['example.test'] })
  const found = await labResolver(t, [dns]).exchangers('example.test')
  assert.equal(found.kind, 'no-mail-host')
  assert.equal(found.dropped.length, 2)
})

test('NXDOMAIN for the domain: there is none', async (t) => {
  const dns = await startDns(t, { 'other.test': { A: ['192.0.2.1'] } })
  assert.equal((await labResolver(t, [dns]).exchangers('example.test')).kind, 'no-such-domain')
})

test('no answer at all: temporary', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('*', 'silence')
  const resolver = labResolver(t, [dns], { options: { timeoutMs: 50, attempts: 2 } })
  const found = await resolver.exchangers('example.test')
  assert.ok(found.kind === 'temporary-failure')
  assert.match(found.why, /no answer over UDP/)
  await until(() => dns.asked.length === 2)
})
