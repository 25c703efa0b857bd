import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { labResolver } from '../lab/resolver.ts'

const inside = {
  'example.test': {
    MX: [
      [1, '192.0.2.7'],
      [2, '127.1'],
      [3, 'localhost'],
      [4, 'private.example.test'],
      [5, 'sixtofour.example.test'],
      [6, 'nat64.example.test'],
      [7, 'mapped.example.test'],
    ],
  },
  localhost: { A: ['127.0.0.1'] },
  '192.0.2.7': { A: ['8.8.8.8'] },
  '127.1': { A: ['8.8.8.8'] },
  'private.example.test': { A: ['10.0.0.1', '192.168.1.1'], AAAA: ['fd00::1'] },
  'sixtofour.example.test': { AAAA: ['2002:7f00:1::1'] },
  'nat64.example.test': { AAAA: ['64:ff9b::7f00:1'] },
  'mapped.example.test': { AAAA: ['::ffff:127.0.0.1'] },
} as const

test('literals, localhost, private addresses and loopback in IPv6 forms: none is a candidate, each is told', async (t) => {
  const dns = await startDns(t, inside)

  const found = await labResolver(t, [dns]).exchangers('example.test', { private: false })

  assert.equal(found.kind, 'no-mail-host')
  const why = Object.fromEntries(found.dropped.map((dropped) => [dropped.host, dropped.why]))
  assert.match(why['192.0.2.7'] ?? '', /an IP address where a host name must be/)
  assert.match(why['127.1'] ?? '', /reads as an address/)
  assert.match(why.localhost ?? '', /every machine itself/)
  assert.match(why['private.example.test'] ?? '', /10\.0\.0\.1 is private/)
  assert.match(why['sixtofour.example.test'] ?? '', /6to4 form of 127\.0\.0\.1, which is loopback/)
  assert.match(why['nat64.example.test'] ?? '', /NAT64 form of 127\.0\.0\.1/)
  assert.match(why['mapped.example.test'] ?? '', /127\.0\.0\.1 is loopback/)
  assert.ok(!dns.asked.some((question) => /192\.0\.2\.7|127\.1|localhost/.test(question)))
})

test('a host with a public and a private address: the public one is a candidate, the other is noted', async (t) => {
  const dns = await startDns(t, {
    'example.test': { MX: [[10, 'mx.example.test']] },
    'mx.example.test': { A: ['10.0.0.1', '8.8.4.4'] },
  })
  const found = await labResolver(t, [dns]).exchangers('example.test', { private: false })
  assert.ok(found.kind === 'candidates')
  assert.deepEqual(found.candidates[0]?.addresses, ['8.8.4.4'])
  assert.deepEqual(found.candidates[0]?.notes, ['left out: 10.0.0.1 is private (RFC 1918)'])
})

test('private addresses are meant: they are candidates, and literals still are not', async (t) => {
  const dns = await startDns(t, inside)
  const found = await labResolver(t, [dns]).exchangers('example.test', { private: true })
  assert.ok(found.kind === 'candidates')
  assert.deepEqual(
    found.candidates.map(({ host }) => host),
    ['localhost', 'private.example.test', 'sixtofour.example.test', 'nat64.example.test', 'mapped.example.test'],
  )
})

test('a single label and an underscore are tried, and noted', async (t) => {
  const dns = await startDns(t, {
    'example.test': {
      MX: [
        [10, 'mail'],
        [20, 'mail_1.example.test'],
      ],
    },
    mail: { A: ['8.8.8.8'] },
    'mail_1.example.test': { A: ['8.8.4.4'] },
  })
  const found = await labResolver(t, [dns]).exchangers('example.test', { private: false })
  assert.ok(found.kind === 'candidates')
  assert.match(found.candidates[0]?.notes[0] ?? '', /single label/)
  assert.match(found.candidates[1]?.notes[0] ?? '', /underscore/)
})

test('a target with octets that no host name has is dropped, and printed without harm', async (t) => {
  const dns = await startDns(t, { 'example.test': { MX: [[10, '\\027[31m\\000.example.test']] } })
  const found = await labResolver(t, [dns]).exchangers('example.test')
  assert.equal(found.kind, 'no-mail-host')
  assert.deepEqual(found.dropped, [{ host: '\\027[31m\\000.example.test', preference: 10, why: 'not a host name' }])
})
