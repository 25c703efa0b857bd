/**
 * A resolver that minimises names (RFC 9156, strict: it believes an NXDOMAIN on the way) finds through the built-in server what lies below names
 * that have no records of their own: TLSA, DKIM, TLSRPT. And it keeps a "no" for as long as the zone says, and no longer. Needs Debian's unbound.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startAuthority } from '../lab/authority.ts'
import { startLab } from '../lab/lab.ts'
import { zoneOf } from '../lab/zone-lines.ts'
import { runWell } from './harness/program.ts'
import { startUnbound } from './harness/unbound.ts'

const digest = '0123456789abcdef'.repeat(4)
const zone = zoneOf(
  'example.test.',
  `@ SOA ns1 hostmaster 5 14400 3600 604800 120
@ NS ns1
ns1 A 192.0.2.53
@ MX 10 mx.eu
mx.eu A 192.0.2.1
_25._tcp.mx.eu TLSA 3 1 1 ${digest}
x._domainkey TXT "v=DKIM1; p="
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@example.test"
*.wild MX 10 mx.eu`,
)

test('unbound, strict: what lies below empty names is found, and names that are not there are not', async (t) => {
  const lab = await startLab(t)
  const ours = await startAuthority(t, [zone])
  const unbound = await startUnbound(lab, ['example.test'], ours, [
    ...['qname-minimisation: yes', 'qname-minimisation-strict: yes', 'harden-below-nxdomain: yes'],
    'verbosity: 3',
  ])
  const ask = async (name: string, type: string) => {
    const { stdout } = await runWell('dig', [
      `@${unbound.address}`,
      '+time=30',
      '+tries=1',
      `${name}.example.test`,
      type,
    ])
    const status = /status: (\w+)/.exec(stdout)?.[1]
    const records = stdout.split('\n').filter((line) => /^[^;\s]/.test(line))
    return { status, records: records.map((line) => line.split(/\s+/)) }
  }
  const found = async (name: string, type: string) => {
    const { status, records } = await ask(name, type)
    assert.equal(status, 'NOERROR', name)
    return records.filter(([, , , said]) => said === type).map((words) => words.slice(4).join(' '))
  }
  // In this order: a "no" to a name on the way would stand before what lies below it.
  assert.deepEqual(await found('_tcp.mx.eu', 'TLSA'), [])
  assert.deepEqual(await found('_25._tcp.mx.eu', 'TLSA'), [
    `3 1 1 ${digest.slice(0, 56).toUpperCase()} ${digest.slice(56).toUpperCase()}`,
  ])
  assert.deepEqual(await found('_domainkey', 'TXT'), [])
  assert.deepEqual(await found('x._domainkey', 'TXT'), ['"v=DKIM1; p="'])
  assert.deepEqual(await found('_tls', 'TXT'), [])
  assert.deepEqual(await found('_smtp._tls', 'TXT'), ['"v=TLSRPTv1; rua=mailto:t@example.test"'])
  assert.deepEqual(await found('eu', 'MX'), [])
  assert.deepEqual(await found('a.b.wild', 'MX'), ['10 mx.eu.example.test.'])
  // Both kinds of "no", for as long as the zone says (RFC 2308 §5).
  for (const [name, status] of [
    ['nothing', 'NXDOMAIN'],
    ['a.b.nothing', 'NXDOMAIN'],
    ['_tcp.mx.eu', 'NOERROR'],
  ] as const) {
    const said = await ask(name, 'TLSA')
    assert.equal(said.status, status, name)
    const [, ttl, , type] = said.records[0] ?? []
    assert.equal(type, 'SOA')
    assert.ok(Number(ttl) <= 120 && Number(ttl) > 60, `${name}: ${ttl}`)
  }
  // That it did minimise: the name in between was asked for by itself.
  await lab.until(() => unbound.log().includes('sending query: _25._tcp.mx.eu.example.test. A IN'))
})
