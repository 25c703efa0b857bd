import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type LabZone, startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { mailbox } from '../../../test/unit/held-message.ts'
import type { Clock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { type IpAddress, inNetwork, type Network, parseNetwork } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { createResolver } from '../../dns/resolver.ts'
import type { Client } from '../../mail/message.ts'
import { narrowedSpf } from './narrow-spf.ts'
import { createSenderProofs } from './sender-proof.ts'

const client = (address: string, hello = 'mail.sender.example'): Client => ({
  address: address as IpAddress,
  port: 40_000,
  hello,
  esmtp: true,
  tls: undefined,
})

async function start(t: TestContext, zone: LabZone, trusted: readonly string[] = [], clock: Clock = steadyClock) {
  const dns = await startDns(t, zone)
  const options = { servers: [dns.server], timeoutMs: 200, attempts: 1, failureMs: 0 }
  const resolver = createResolver(options, { clock, random: systemRandom, log: silentLog, door: systemDoor })
  t.after(() => resolver.close())
  const proofs = createSenderProofs({
    clock,
    resolver: () => resolver,
    hostname: () => 'mx.waypost.test' as never,
    isTrusted: (address) => trusted.some((text) => inNetwork(address, parseNetwork(text) as Network)),
  })
  return { dns, proofs }
}

const joe = mailbox('joe@sender.example')

for (const [record, address, expected] of [
  ['v=spf1 ip4:192.0.2.0/24 -all', '192.0.2.7', 'proven'],
  ['v=spf1 ip4:192.0.2.0/24 -all', '198.51.100.1', 'not-proven'],
  ['v=spf1 +all', '192.0.2.7', 'not-proven'],
  ['v=spf1 all', '192.0.2.7', 'not-proven'],
  ['v=spf1 ip4:192.0.0.0/15 -all', '192.0.2.7', 'not-proven'],
  ['v=spf1 ip4:192.0.0.0/16 -all', '192.0.2.7', 'proven'],
  ['v=spf1 ip6:2001:db8::/31 -all', '2001:db8::7', 'not-proven'],
  ['v=spf1 ip6:2001:db8::/32 -all', '2001:db8::7', 'proven'],
  ['v=spf1 exists:%{i}.exists.example -all', '192.0.2.7', 'not-proven'],
  ['v=spf1 a:hosts.example/8 -all', '192.0.2.7', 'not-proven'],
  ['v=spf1 a:hosts.example -all', '192.0.2.7', 'proven'],
  ['v=spf1 mx:exchanged.example -all', '192.0.2.7', 'proven'],
  ['v=spf1 include:wide.example ip4:192.0.2.7 -all', '192.0.2.7', 'proven'],
  ['v=spf1 include:wide.example -all', '192.0.2.7', 'not-proven'],
  ['v=spf1 redirect=narrow.example', '192.0.2.7', 'proven'],
  ['v=spf1 ?ip4:192.0.2.7', '192.0.2.7', 'not-proven'],
  ['v=spf1 -include:wide.example ip4:192.0.2.7', '192.0.2.7', 'not-proven'],
  ['no record at all', '192.0.2.7', 'not-proven'],
  ['v=spf1 ip4:192.0.2.7 mistake:', '192.0.2.7', 'not-proven'],
] as const) {
  test(`${record} of ${address}: ${expected}`, async (t) => {
    const { proofs } = await start(t, {
      'sender.example': { TXT: [record] },
      'wide.example': { TXT: ['v=spf1 +all'] },
      'narrow.example': { TXT: ['v=spf1 ip4:192.0.2.7 -all'] },
      'hosts.example': { A: ['192.0.2.7'] },
      'exchanged.example': { MX: [[10, 'hosts.example']] },
      '192.0.2.7.exists.example': { A: ['127.0.0.2'] },
    })
    const proof = await proofs.prove(client(address), joe)
    assert.equal(proof.kind, expected, JSON.stringify(proof))
  })
}

test('DNS does not answer: undecided, asked again, and proven when it does', async (t) => {
  const { dns, proofs } = await start(t, { 'sender.example': { TXT: ['v=spf1 ip4:192.0.2.7 -all'] } })
  dns.fault('*', 'servfail')
  assert.deepEqual(await proofs.prove(client('192.0.2.7'), joe), { kind: 'undecided' })
  assert.equal(proofs.known(client('192.0.2.7'), joe), undefined)
  dns.fault('*', undefined)
  assert.deepEqual(await proofs.prove(client('192.0.2.7'), joe), { kind: 'proven', by: 'spf' })
})

test('what is known is not asked again: for everybody at the domain, unless the record speaks of the local part', async (t) => {
  const { dns, proofs } = await start(t, {
    'sender.example': { TXT: ['v=spf1 ip4:192.0.2.7 -all'] },
    'local.example': { TXT: ['v=spf1 a:%{l}.hosts.example -all'] },
    'joe.hosts.example': { A: ['192.0.2.7'] },
  })
  await proofs.prove(client('192.0.2.7'), joe)
  const asked = dns.asked.length
  const other = await proofs.prove(client('192.0.2.7'), mailbox('jane@sender.example'))
  assert.equal(other.kind, 'proven')
  assert.equal(dns.asked.length, asked)
  assert.equal(proofs.known(client('192.0.2.8'), joe), undefined)

  assert.equal((await proofs.prove(client('192.0.2.7'), mailbox('joe@local.example'))).kind, 'proven')
  assert.equal((await proofs.prove(client('192.0.2.7'), mailbox('jane@local.example'))).kind, 'not-proven')
})

test('nobody, a literal and trusted networks need no DNS', async (t) => {
  const { dns, proofs } = await start(t, {}, ['10.0.0.0/8'])
  assert.equal(proofs.known(client('10.1.2.3'), null)?.kind, 'not-proven')
  assert.deepEqual(proofs.known(client('10.1.2.3'), joe), { kind: 'proven', by: 'trusted' })
  assert.equal(proofs.known(client('192.0.2.7'), mailbox('joe@[192.0.2.7]'))?.kind, 'not-proven')
  assert.equal(dns.asked.length, 0)
})

for (const [what, record] of [
  ['of more than 300 terms', `v=spf1 ${'ip4:198.51.100.1 '.repeat(300)}ip4:192.0.2.7 -all`],
  ['of more than 8 KiB', `v=spf1 ip4:192.0.2.7 x=${'y'.repeat(8192)} -all`],
  ['that includes such a one', 'v=spf1 include:long.example ip4:192.0.2.7 -all'],
] as const)
  test(`a record ${what} is not read: a permanent error`, async (t) => {
    const { proofs } = await start(t, {
      'sender.example': { TXT: [record] },
      'long.example': { TXT: [`v=spf1 ${'ip4:198.51.100.1 '.repeat(300)}-all`] },
    })
    const proof = await proofs.prove(client('192.0.2.7'), joe)
    assert.deepEqual(proof, { kind: 'not-proven', why: 'SPF: permerror' })
  })

test('a record of 300 terms is read', async (t) => {
  const { proofs } = await start(t, {
    'sender.example': { TXT: [`v=spf1 ${'ip4:198.51.100.1 '.repeat(298)}ip4:192.0.2.7 -all`] },
  })
  assert.deepEqual(await proofs.prove(client('192.0.2.7'), joe), { kind: 'proven', by: 'spf' })
})

test('a hostile record cannot make it ask for ever', async (t) => {
  const { dns, proofs } = await start(t, {
    'sender.example': { TXT: ['v=spf1 include:sender.example mx mx mx mx mx mx mx mx ?all'] },
  })
  assert.equal((await proofs.prove(client('192.0.2.7'), joe)).kind, 'not-proven')
  assert.ok(dns.asked.length < 120, String(dns.asked.length))
})

test('terms that let nearly everybody pass become neutral, and others stay', () => {
  assert.equal(
    narrowedSpf('v=spf1 a mx/15 a:x.example//24 -ip4:10.0.0.0/8 +ptr ?all redirect=all.example', false),
    'v=spf1 a ?mx/15 a:x.example//24 -ip4:10.0.0.0/8 ?ptr ?all redirect=all.example',
  )
  assert.equal(narrowedSpf('v=spf1 mx/15 a:x.example/24//24', true), 'v=spf1 mx/15 ?a:x.example/24//24')
  assert.equal(narrowedSpf('v=spf10 +all', false), 'v=spf10 +all')
})
