import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { labResolver } from '../lab/resolver.ts'

test('a null MX alone: the domain takes no mail, whatever addresses it has', async (t) => {
  const dns = await startDns(t, { 'example.test': { MX: [[0, '.']], A: ['192.0.2.1'] } })
  const resolver = labResolver(t, [dns])

  const found = await resolver.exchangers('example.test')

  assert.equal(found.kind, 'null-mx')
  assert.deepEqual(dns.asked, ['udp MX example.test.'])
})

test('null MX of several preferences: still nothing but "no mail"', async (t) => {
  const dns = await startDns(t, {
    'example.test': {
      MX: [
        [0, '.'],
        [10, '.'],
      ],
    },
  })
  assert.equal((await labResolver(t, [dns]).exchangers('example.test')).kind, 'null-mx')
})

test('a null MX beside others: it is dropped and told, and mail goes to the others', async (t) => {
  const dns = await startDns(t, {
    'example.test': {
      MX: [
        [0, '.'],
        [10, 'mx.example.test'],
      ],
    },
    'mx.example.test': { A: ['192.0.2.1'] },
  })

  const found = await labResolver(t, [dns]).exchangers('example.test')

  assert.ok(found.kind === 'candidates')
  assert.deepEqual(
    found.candidates.map(({ host, addresses }) => [host, addresses]),
    [['mx.example.test', ['192.0.2.1']]],
  )
  assert.deepEqual(
    found.dropped.map(({ host, preference }) => [host, preference]),
    [['.', 0]],
  )
})
