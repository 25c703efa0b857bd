import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { declaredLines } from './declared-lines.ts'

const domain = 'example.com' as HostName

test('declared sets as lines: hosts end in a dot, each type of address stands by itself, a text by its kind', () => {
  const addresses = ['192.0.2.1', '2001:db8::1'] as unknown as readonly IpAddress[]
  const exchangers = [
    { preference: 10, host: 'mx.example.com' as HostName, addresses },
    { preference: 20, host: 'mx.example.net' as HostName, addresses: undefined },
  ]
  const texts = [{ kind: 'dmarc', text: 'v=DMARC1; p=none' } as const]
  assert.deepEqual(declaredLines({ domain, exchangers, texts }), [
    { name: 'example.com', type: 'MX', data: ['10 mx.example.com.', '20 mx.example.net.'] },
    { name: 'mx.example.com', type: 'A', data: ['192.0.2.1'] },
    { name: 'mx.example.com', type: 'AAAA', data: ['2001:db8::1'] },
    { name: '_dmarc.example.com', type: 'TXT', data: ['v=DMARC1; p=none'] },
  ])
})

test('a domain that takes no mail has one MX record, and one that says nothing of exchangers has none', () => {
  assert.deepEqual(declaredLines({ domain, exchangers: 'none', texts: [] }), [
    { name: 'example.com', type: 'MX', data: ['0 .'] },
  ])
  assert.deepEqual(declaredLines({ domain, exchangers: undefined, texts: [] }), [])
})
