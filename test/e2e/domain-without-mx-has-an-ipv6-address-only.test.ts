import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { labResolver } from '../lab/resolver.ts'

test('no MX and an AAAA only: the domain itself, at preference 0', async (t) => {
  const dns = await startDns(t, { 'example.test': { AAAA: ['2001:db8::25'] } })

  const found = await labResolver(t, [dns]).exchangers('example.test')

  assert.ok(found.kind === 'candidates')
  assert.equal(found.source, 'implicit')
  assert.deepEqual(found.candidates, [
    {
      host: 'example.test',
      preference: 0,
      addresses: ['2001:db8::25'],
      share: 1,
      reason: 'no MX records: the domain itself',
      notes: [],
    },
  ])
})

test('no MX and no address: no mail host', async (t) => {
  const dns = await startDns(t, { 'example.test': { TXT: ['v=spf1 -all'] } })
  assert.equal((await labResolver(t, [dns]).exchangers('example.test')).kind, 'no-mail-host')
})

test('no MX, and the look-up of the address fails: temporary', async (t) => {
  const dns = await startDns(t, { 'example.test': { A: ['192.0.2.1'] } })
  dns.fault('A example.test', 'refused')
  assert.equal((await labResolver(t, [dns]).exchangers('example.test')).kind, 'temporary-failure')
})
