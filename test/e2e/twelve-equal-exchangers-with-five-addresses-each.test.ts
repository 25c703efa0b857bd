import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { labResolver } from '../lab/resolver.ts'

test('12 equal exchangers with 5 addresses each: ten addresses, several hosts, both families', async (t) => {
  const names = Array.from({ length: 12 }, (_, index) => `mx${index}.example.test`)
  const dns = await startDns(t, {
    'example.test': { MX: names.map((name) => [10, name] as const) },
    ...Object.fromEntries(
      names.map((name, index) => [
        name,
        {
          A: [1, 2, 3].map((last) => `192.0.${index}.${last}`),
          AAAA: [1, 2].map((last) => `2001:db8:${index}::${last}`),
        },
      ]),
    ),
  })

  const found = await labResolver(t, [dns]).exchangers('example.test')

  assert.ok(found.kind === 'candidates')
  const addresses = found.candidates.flatMap((candidate) => candidate.addresses)
  assert.equal(addresses.length, 10)
  assert.equal(found.candidates.length, 5)
  assert.equal(addresses.filter((address) => address.includes(':')).length, 5)
  for (const { addresses: own } of found.candidates) {
    assert.ok(own[0]?.includes(':'), 'IPv6 first')
    assert.ok(own[1]?.includes('.'), 'then IPv4')
  }
  assert.ok(found.candidates.every(({ share }) => share === 1 / 12))
  assert.equal(found.dropped.length, 7)
})

test('one family at eleven exchangers and the other at the last alone: both are among the ten', async (t) => {
  const names = Array.from({ length: 12 }, (_, index) => `mx${index}.example.test`)
  const dns = await startDns(t, {
    'example.test': { MX: names.map((name, index) => [index, name] as const) },
    ...Object.fromEntries(
      names.map((name, index) => [name, index === 11 ? { AAAA: ['2001:db8::1'] } : { A: [`192.0.2.${index}`] }]),
    ),
  })
  const found = await labResolver(t, [dns]).exchangers('example.test')
  assert.ok(found.kind === 'candidates')
  assert.equal(found.candidates.flatMap(({ addresses }) => addresses).length, 10)
  assert.deepEqual(found.candidates.at(-1)?.addresses, ['2001:db8::1'])
})

test('one exchanger with thirty addresses before another with one: the second is among the ten', async (t) => {
  const dns = await startDns(t, {
    'example.test': {
      MX: [
        [10, 'large.example.test'],
        [20, 'small.example.test'],
      ],
    },
    'large.example.test': { A: Array.from({ length: 30 }, (_, index) => `192.0.2.${index}`) },
    'small.example.test': { A: ['198.51.100.1'] },
  })
  const found = await labResolver(t, [dns]).exchangers('example.test')
  assert.ok(found.kind === 'candidates')
  assert.deepEqual(
    found.candidates.map(({ host, addresses }) => [host, addresses.length]),
    [
      ['large.example.test', 9],
      ['small.example.test', 1],
    ],
  )
})
