import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ExchangerOptions } from '../../src/routing/exchangers.ts'
import { type LabZone, startDns } from '../lab/dns.ts'
import { labAddress, labHost } from '../lab/names.ts'
import { labResolver } from '../lab/resolver.ts'

const us = { ownNames: [labHost('us.example.test')] }

async function ask(
  t: TestContext,
  mx: readonly (readonly [number, string])[],
  more: LabZone,
  options: Partial<ExchangerOptions> = us,
) {
  const dns = await startDns(t, { 'example.test': { MX: mx }, ...more })
  const found = await labResolver(t, [dns]).exchangers('example.test', options)
  const hosts = found.kind === 'candidates' ? found.candidates.map(({ host }) => host) : found.kind
  return { found, hosts, dns }
}

const others: LabZone = {
  'us.example.test': { A: ['192.0.2.99'] },
  'mx1.example.test': { A: ['192.0.2.1'] },
  'mx2.example.test': { A: ['192.0.2.2'] },
}

test('we are the best: a loop, and nothing worse is tried', async (t) => {
  const mx = [
    [10, 'us.example.test'],
    [20, 'mx1.example.test'],
  ] as const
  const { found, hosts, dns } = await ask(t, mx, others)
  assert.equal(hosts, 'loop')
  assert.deepEqual(found.self, { host: 'us.example.test', preference: 10 })
  assert.deepEqual(dns.asked, ['udp MX example.test.'])
})

test('we are equal to another, and both are best: a loop, because it would hand the mail back', async (t) => {
  const mx = [
    [10, 'us.example.test'],
    [10, 'mx1.example.test'],
  ] as const
  assert.equal((await ask(t, mx, others)).hosts, 'loop')
})

test('we are the second: only the better one is tried, and neither our equal nor a worse one', async (t) => {
  const mx = [
    [10, 'mx1.example.test'],
    [20, 'US.example.test'],
    [20, 'mx2.example.test'],
    [30, 'mx3.example.test'],
  ] as const
  const { found, hosts } = await ask(t, mx, others)
  assert.deepEqual(hosts, ['mx1.example.test'])
  assert.deepEqual(found.self, { host: 'us.example.test', preference: 20 })
  assert.deepEqual(found.dropped.map(({ host, why }) => `${host}: ${why}`).sort(), [
    'mx2.example.test: not better than ourselves (RFC 5321 §5.1)',
    'mx3.example.test: not better than ourselves (RFC 5321 §5.1)',
    'us.example.test: ourselves',
  ])
})

for (const [how, options] of [
  ['by an address of ours', { ownAddresses: [labAddress('192.0.2.99')] }],
  ['by the address that NAT gives us', { publicAddresses: [labAddress('192.0.2.99')] }],
] as const) {
  test(`we are the second ${how}: the same`, async (t) => {
    const mx = [
      [10, 'mx1.example.test'],
      [20, 'us.example.test'],
      [30, 'mx2.example.test'],
    ] as const
    const { found, hosts } = await ask(t, mx, others, options)
    assert.deepEqual(hosts, ['mx1.example.test'])
    assert.deepEqual(found.self, { host: 'us.example.test', preference: 20 })
  })
}

test('only we are left, because the better one does not exist: temporary, not a loop', async (t) => {
  const mx = [
    [10, 'gone.example.test'],
    [20, 'us.example.test'],
  ] as const
  const { found, hosts } = await ask(t, mx, others)
  assert.equal(hosts, 'temporary-failure')
  assert.deepEqual(found.self, { host: 'us.example.test', preference: 20 })
})

test('only we are left, because the better one cannot be resolved now: temporary', async (t) => {
  const dns = await startDns(t, {
    'example.test': {
      MX: [
        [10, 'mx1.example.test'],
        [20, 'us.example.test'],
      ],
    },
    ...others,
  })
  dns.fault('mx1.example.test', 'servfail')
  assert.equal((await labResolver(t, [dns]).exchangers('example.test', us)).kind, 'temporary-failure')
})

test('the better one names an address: that is no loop, but there is no mail host', async (t) => {
  const mx = [
    [10, '192.0.2.1'],
    [20, 'us.example.test'],
  ] as const
  assert.equal((await ask(t, mx, others)).hosts, 'no-mail-host')
})

test('we are not in the set: all are tried, and it is told that we are not there', async (t) => {
  const { found, hosts } = await ask(t, [[10, 'mx1.example.test']], others)
  assert.deepEqual(hosts, ['mx1.example.test'])
  assert.equal(found.self, undefined)
})
