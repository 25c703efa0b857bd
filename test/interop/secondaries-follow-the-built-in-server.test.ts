/**
 * The built-in server as hidden primary of real NSD, Knot and BIND: told by NOTIFY, they fetch with TSIG, and answer the same. What they have not yet
 * they ask for by AXFR, and changes by IXFR: to that the whole zone is the answer (RFC 1995 §4), and each of them takes it for what it is.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { IpAddress } from '../../src/base/ip.ts'
import { parseTsigKey } from '../../src/dns/tsig/key.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { startAuthority } from '../lab/authority.ts'
import { collectLog } from '../lab/log.ts'
import { freePort } from '../lab/loopback.ts'
import { until } from '../lab/until.ts'
import { zoneOf } from '../lab/zone-lines.ts'
import { nameServerNames, startSecondary, theirAddress } from './harness/name-servers.ts'
import { answerOf } from './harness/same-answers.ts'

const hosts = Array.from({ length: 600 }, (_, index) => `host-${index} A 192.0.2.${index % 250}`).join('\n')
const linesWith = (mx: string) => `@ SOA ns1 hostmaster 0 14400 3600 604800 300
@ NS ns1
@ NS ns.other.test.
ns1 A 192.0.2.53
@ MX ${mx}
@ MX 20 mx2.other.test.
mx1 A 192.0.2.1
mx1 AAAA 2001:db8::1
MiXeD TXT "Case" "stays"
_25._tcp.mx1 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
*.wild MX 10 mx1
alias CNAME mx1
sub NS ns.sub
ns.sub A 192.0.2.99
sub DS 1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
${hosts}`

const questions: readonly (readonly [string, keyof typeof typeCodes])[] = [
  ['example.test.', 'MX'],
  ['example.test.', 'SOA'],
  ['example.test.', 'NS'],
  ['mixed.example.test.', 'TXT'],
  ['mx1.example.test.', 'AAAA'],
  ['_25._tcp.mx1.example.test.', 'TLSA'],
  ['_tcp.mx1.example.test.', 'TLSA'],
  ['a.b.wild.example.test.', 'MX'],
  ['wild.example.test.', 'MX'],
  ['alias.example.test.', 'A'],
  ['alias.example.test.', 'MX'],
  ['x.sub.example.test.', 'A'],
  ['sub.example.test.', 'DS'],
  ['nothing.example.test.', 'A'],
  ['host-599.example.test.', 'A'],
]

for (const name of nameServerNames) {
  test(`${name}: NOTIFY, AXFR with TSIG, and the same answers`, async (t) => {
    const secret = randomBytes(32).toString('base64')
    const parsed = parseTsigKey('transfer.test', 'hmac-sha256', secret)
    assert.ok(parsed.kind === 'key')
    const port = await freePort(theirAddress)
    const theirs = { address: theirAddress, port }
    const secondaries = [{ server: { address: theirAddress as IpAddress, port }, key: parsed.key }]
    const { log, find } = collectLog()
    const ours = await startAuthority(t, [zoneOf('example.test.', linesWith('10 mx1'))], { secondaries }, { log })
    const same = async () => {
      for (const [owner, type] of questions) {
        const [own, their] = await Promise.all([ours, theirs].map((server) => answerOf(server, owner, typeCodes[type])))
        if (JSON.stringify(own) !== JSON.stringify(their)) return `${owner} ${type}: ${own} and ${their}`
      }
      return 'the same'
    }
    const isReady = async () => (await answerOf(theirs, 'example.test.', typeCodes.SOA, 1_000))?.[0] === 'NOERROR aa'
    const key = { name: 'transfer.test', secret }
    await startSecondary(t, name, port, { zone: 'example.test', primary: ours, key }, isReady)
    assert.equal(await same(), 'the same')

    const { changed } = await ours.authority.replaceZones([zoneOf('example.test.', linesWith('5 new-mx'))])
    assert.equal(changed.length, 1)
    // Long before its refresh, which is four hours away.
    const differs: string[] = []
    const follows = async () => {
      differs[0] = await same()
      return differs[0] === 'the same'
    }
    await until(follows, 60_000, `${name} following`).catch((error: unknown) => {
      throw new Error(`${error}: ${differs[0]}`)
    })
    await until(() => ours.authority.statistics.notifications === 0, 60_000, 'NOTIFY answered')
    const serial = changed[0]?.soa.data.serial
    const asIxfr = () => find('dns transfer done', { serial, asked: 'IXFR', isWhole: true })
    await until(() => asIxfr().length > 0, 60_000, `${name} asking by IXFR`)
    assert.equal(find('dns notify refused').length, 0)
    assert.equal(find('dns transfer refused').length, 0)
    assert.ok(find('dns transfer done').length >= 2)
  })
}
