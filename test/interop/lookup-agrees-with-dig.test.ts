/** A real NSD on loopback, asked by `dig` and by us: both say the same. Needs Debian's nsd and bind9-dnsutils. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import { createResolver, type Resolver } from '../../src/dns/resolver.ts'
import type { RecordType } from '../../src/dns/types.ts'
import { nameText } from '../../src/dns/wire-name.ts'
import { lookupExchangers } from '../../src/routing/exchangers.ts'
import { startLab } from '../lab/lab.ts'
import { labHost, labName } from '../lab/names.ts'
import type { RealNameServer } from './harness/name-server.ts'
import { startNsd } from './harness/nsd.ts'
import { runWell } from './harness/program.ts'

const big = Array.from({ length: 120 }, (_, index) => `big MX ${index} a-rather-long-exchanger-name-${index}.big`).join(
  '\n',
)
const zone = `$ORIGIN example.test.
$TTL 300
@ SOA ns.example.test. hostmaster.example.test. 7 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
@ MX 10 mx1
@ MX 10 mx2
@ MX 20 MX3.other
@ TXT "v=spf1 mx -all" "second \\"string\\" \\200"
@ CAA 0 issue "ca.example.net"
mx1 A 192.0.2.1
mx1 AAAA 2001:db8::1
mx2 CNAME mx2-real
mx2-real A 192.0.2.2
mx3.other A 192.0.2.3
null MX 0 .
implicit AAAA 2001:db8::9
implicit A 192.0.2.9
alias CNAME @
dangling CNAME gone.example.test.
loop-a CNAME loop-b
loop-b CNAME loop-a
odd\\.label MX 5 we\\032ird.example.test.
_smtp._tcp SRV 1 2 25 mx1
_25._tcp.mx1 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
${big}
`

async function dig(server: RealNameServer, name: string, type: string): Promise<string> {
  const args = [
    `@${server.address}`,
    '-p',
    String(server.port),
    '+noall',
    '+answer',
    '+time=30',
    '+tries=1',
    '+norecurse',
    name,
    type,
  ]
  return (await runWell('dig', args)).stdout
}

/** The data of each record that dig shows, as text, sorted. */
async function digData(server: RealNameServer, name: string, type: string): Promise<string[]> {
  const lines = (await dig(server, name, type)).split('\n').map((line) => line.split(/\s+/))
  return lines
    .filter(([, , , shown]) => shown === type)
    .map((parts) => parts.slice(4).join(' '))
    .sort()
}

function text(data: Rdata): string {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return data.address
    case 'MX':
      return `${data.preference} ${nameText(data.exchange)}`
    case 'NS':
      return nameText(data.target)
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${nameText(data.target)}`
    case 'SOA':
      return `${nameText(data.primary)} ${nameText(data.mailbox)} ${data.serial} ${data.refreshSeconds} ${data.retrySeconds} ${data.expireSeconds} ${data.minimumSeconds}`
    case 'CAA':
      return `${data.flags} ${data.tag} "${data.value.toString()}"`
    case 'TLSA': {
      const hex = data.data.toString('hex').toUpperCase()
      return `${data.usage} ${data.selector} ${data.matching} ${hex.replace(/^(.{56})/, '$1 ')}`
    }
    case 'TXT':
      return data.strings
        .map(
          (string) =>
            `"${string
              .toString('latin1')
              .replace(/["\\]/g, '\\$&')
              .replace(/[^ -~]/g, (octet) => `\\${octet.charCodeAt(0)}`)}"`,
        )
        .join(' ')
    default:
      throw new Error(`not compared: ${data.type}`)
  }
}

function resolverFor(t: TestContext, { server }: RealNameServer): Resolver {
  const deps = { clock: systemClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver({ servers: [server], timeoutMs: 30_000, deadlineMs: 60_000 }, deps)
  t.after(() => resolver.close())
  return resolver
}

test('records of every kind, as dig shows them, and the exchangers that follow from them', async (t) => {
  const server = await startNsd(await startLab(t), { zones: [{ name: 'example.test', text: zone }] })
  const resolver = resolverFor(t, server)

  const questions: readonly (readonly [string, RecordType])[] = [
    ['example.test', 'MX'],
    ['EXAMPLE.test', 'SOA'],
    ['example.test', 'NS'],
    ['example.test', 'TXT'],
    ['example.test', 'CAA'],
    ['mx1.example.test', 'A'],
    ['mx1.example.test', 'AAAA'],
    ['mx2.example.test', 'A'],
    ['alias.example.test', 'MX'],
    ['big.example.test', 'MX'],
    ['_smtp._tcp.example.test', 'SRV'],
    ['_25._tcp.mx1.example.test', 'TLSA'],
    ['odd\\.label.example.test', 'MX'],
  ]
  for (const [name, type] of questions) {
    const expected = await digData(server, name, type)
    const answer = await resolver.resolve(labName(name), type)
    assert.ok(answer.kind === 'answer', `${name} ${type}: ${answer.kind}`)
    assert.ok(expected.length > 0, `${name} ${type}`)
    assert.deepEqual(answer.records.map(({ data }) => text(data)).sort(), expected, `${name} ${type}`)
  }
  const verdict = async (name: string, type: RecordType) => (await resolver.resolve(labName(name), type)).kind
  assert.equal(await verdict('gone.example.test', 'MX'), 'no-such-name')
  assert.equal(await verdict('dangling.example.test', 'MX'), 'no-such-name')
  assert.equal(await verdict('mx1.example.test', 'MX'), 'no-data')
  assert.equal(await verdict('loop-a.example.test', 'MX'), 'failed')
  assert.equal(await verdict('elsewhere.test', 'MX'), 'failed', 'NSD refuses what is not its own')

  const look = (name: string) => lookupExchangers(labHost(name), { private: true }, { resolver, random: systemRandom })
  const found = await look('example.test')
  assert.ok(found.kind === 'candidates')
  for (const { host, addresses } of found.candidates) {
    const expected = [...(await digData(server, host, 'A')), ...(await digData(server, host, 'AAAA'))]
    assert.deepEqual([...addresses].sort(), expected.sort(), host)
  }
  assert.deepEqual(
    found.candidates.map(({ host, preference }) => `${preference} ${host}.`).sort(),
    (await digData(server, 'example.test', 'MX')).map((line) => line.toLowerCase()),
  )
  assert.equal((await look('null.example.test')).kind, 'null-mx')
  const implicit = await look('implicit.example.test')
  assert.deepEqual(implicit.kind === 'candidates' && implicit.candidates[0]?.addresses, ['2001:db8::9', '192.0.2.9'])
})
