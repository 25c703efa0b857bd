/**
 * Zone text as BIND, Knot and NSD read and write it: what `named-compilezone` prints is read as what was meant, and what we write and edit
 * is taken by each server's own checker. Needs Debian's bind9-utils, knot-dnssecutils (or knot-dnsutils from version 3.3 on) and nsd.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { DnsRecord } from '../../src/dns/message.ts'
import { rdataCode } from '../../src/dns/rdata.ts'
import { octetsOfRdata, parseRdata, rdataText } from '../../src/dns/rdata-text.ts'
import { typeCodeFromName, typeCodes, typeName } from '../../src/dns/types.ts'
import { foldName, nameFromText, nameText, type WireName } from '../../src/dns/wire-name.ts'
import { editZone } from '../../src/dns/zone-text/edit.ts'
import { parseZone, recordsOf } from '../../src/dns/zone-text/parse.ts'
import { writeZone } from '../../src/dns/zone-text/write.ts'

const run = promisify(execFile)

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}
const origin = wire('example.com')

/** Every type that we know, in the spellings that people use. */
const odd = `$TTL 1h
@		SOA	ns1 john\\.doe ( 2026112301 2h 10M
			1w	; a week
			300 )
	IN 60	NS	ns1
	60 IN	NS	ns2.example.net.
	MX	10 mx1
	MX	20 MX2.Example.NET.
	TXT	"v=spf1 mx -all" unquoted "esc \\"aped\\" \\200\\001\\;" ""
	CAA	0 issue "ca.example.net; policy=ev"
	TYPE65280 \\# 4 0A00 0001
	HINFO	PC "Linux 6"
	DNSKEY	256 3 13 oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAg==
	NSEC3PARAM 1 0 0 aabb
mx1	A	192.0.2.1
	AAAA	2001:DB8:0::1
	AAAA	::ffff:192.0.2.7
*	MX	0 .
ns1	A	192.0.2.53
alias	CNAME	mx1
odd\\.label	PTR	we\\032ird\\000.@
sub	DNAME	example.net.
signed	NS	ns2.example.net.
	DS	60485 RSASHA256 2 ( D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B83
			83F6A1E4469DA50A )
_smtp._tcp SRV	1 2 25 mx1
_25._tcp.mx1 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF
$ORIGIN deep
x	MX	\\# 7 0005 03 616263 00
rp	RP	mbox txt
afs	AFSDB	1 host
naptr	NAPTR	100 10 "S" "SIP+D2U" "" _sip._udp
kx	KX	1 host
sshfp	SSHFP	4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
key	OPENPGPKEY AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR
uri	URI	10 1 "https://www.example.com/a;b"
spf	SPF	"v=spf1 -all"
smimea	SMIMEA	3 0 0 aabbcc
cds	CDS	60485 8 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
cdnskey	CDNSKEY 256 3 13 oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAg==
nsec	NSEC	rp A MX RRSIG NSEC TYPE65280
	RRSIG	NSEC 13 3 3600 20301231235959 20260101000000 2642 example.com. oJB1W6WN
2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 0 - 35MTHGPGCU1QG68FAB165KLNSNK3DPVL A RRSIG
`

const key = ({ name, ttlSeconds, data }: DnsRecord) =>
  `${nameText(foldName(name))} ${ttlSeconds} ${typeName(rdataCode(data))} ${rdataText(data).toLowerCase()}`

function read(text: string | Buffer): DnsRecord[] {
  const parsed = parseZone(Buffer.from(text), { origin, others: 'refuse' })
  assert.ok(parsed.kind === 'zone', JSON.stringify(parsed))
  return recordsOf(parsed.zone)
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-zone-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

/** What BIND makes of a zone, in each of the two styles in which it prints. */
async function compiled(file: string, style: 'full' | 'relative'): Promise<string> {
  const out = `${file}.${style}`
  // What stands in it makes no zone to serve, and need not.
  const lenient = [
    '-k',
    'ignore',
    '-i',
    'none',
    '-n',
    'ignore',
    '-r',
    'ignore',
    '-m',
    'ignore',
    '-M',
    'ignore',
    '-S',
    'ignore',
  ]
  await run('named-compilezone', [...lenient, '-s', style, '-o', out, 'example.com', file])
  return readFile(out, 'latin1')
}

test('what BIND prints of each type is what we read in the first place', async (t) => {
  const file = join(await folder(t), 'zone')
  await writeFile(file, odd)
  const ours = read(odd)
  const types = new Set(ours.map((record) => record.data.type))
  for (const type of Object.keys(typeCodes)) assert.ok(types.has(type as 'A'), `no ${type} in the zone of the test`)
  for (const style of ['full', 'relative'] as const) {
    const theirs = read(await compiled(file, style))
    assert.deepEqual(theirs.map(key).sort(), ours.map(key).sort(), style)
  }
})

test('what we write of each type is what BIND reads', async (t) => {
  const file = join(await folder(t), 'zone')
  const ours = read(odd)
  await writeFile(file, writeZone(ours, origin))
  assert.deepEqual(
    read(await compiled(file, 'full'))
      .map(key)
      .sort(),
    ours.map(key).sort(),
  )
})

test('the generic form that we write of each type is what BIND takes for that type', async (t) => {
  const file = join(await folder(t), 'zone')
  const ours = read(odd)
  const soa = ours.find((record) => record.data.type === 'SOA')
  assert.ok(soa)
  const generic = ours
    .filter((record) => record !== soa)
    .map(({ name, ttlSeconds, data }) => {
      const octets = octetsOfRdata(data)
      return `${nameText(name)} ${ttlSeconds} IN TYPE${rdataCode(data)} \\# ${octets.length} ${octets.toString('hex')}\n`
    })
  await writeFile(file, `${writeZone([soa], origin)}${generic.join('')}`)
  assert.deepEqual(
    read(await compiled(file, 'full'))
      .map(key)
      .sort(),
    ours.map(key).sort(),
  )
})

const checkers: readonly (readonly [program: string, arguments_: (file: string) => string[]])[] = [
  ['named-checkzone', (file) => ['example.com', file]],
  ['kzonecheck', (file) => ['-o', 'example.com', file]],
  ['nsd-checkzone', (file) => ['example.com', file]],
]

async function acceptedByAll(file: string): Promise<void> {
  for (const [program, arguments_] of checkers) {
    await assert.doesNotReject(run(program, arguments_(file)), `${program} refuses ${await readFile(file, 'latin1')}`)
  }
}

/** A zone that is right in every respect, so that each checker must say yes. */
const sound = `$TTL 1h
@	60	SOA	ns1 john\\.doe 2026112301 7200 600 1209600 300
	NS	ns1
	NS	ns2.example.net.
	MX	10 mx1
	MX	20 MX2.Example.NET.
	TXT	"v=spf1 mx -all" "esc \\"aped\\" \\200\\001\\;" ""
	CAA	0 issue "ca.example.net; policy=ev"
	TYPE65280 \\# 4 0A000001
ns1	A	192.0.2.53
mx1	120 A	192.0.2.1
	AAAA	2001:DB8:0::1
null	MX	0 .
*	TXT	"wild"
alias	CNAME	mx1
odd\\.label	PTR	we\\032ird.example.net.
sub	DNAME	example.net.
signed	NS	ns2.example.net.
	DS	60485 8 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
_smtp._tcp SRV	1 2 25 mx1
_25._tcp.mx1 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF
host	HINFO	PC "Linux 6"
	SSHFP	4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
naptr	NAPTR	100 10 "S" "SIP+D2U" "" _sip._udp
key	OPENPGPKEY AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR
smimea	SMIMEA	3 0 0 aabbcc
uri	URI	10 1 "https://www.example.com/a;b"
`

test('BIND, Knot and NSD take what we write', async (t) => {
  const file = join(await folder(t), 'zone')
  await writeFile(file, writeZone(read(sound), origin))
  await acceptedByAll(file)
})

test('BIND, Knot and NSD take what we edited, and read it as was wanted', async (t) => {
  const file = join(await folder(t), 'zone')
  const text = `$TTL 3600
@	IN	SOA	ns1 hostmaster (
			2026112301 ; serial
			7200 600 1209600 300 )
	IN	NS	ns1
	IN	NS	ns2.example.net.
@	IN	MX	10 mx1	; old
	IN	TXT	"google-site-verification=x"
ns1	IN	A	192.0.2.53
mx1	60 IN	A	192.0.2.1
	IN	AAAA	2001:db8::1
`
  const data = (type: string, text: string) => {
    const parsed = parseRdata(typeCodeFromName(type) ?? 0, text)
    assert.ok(parsed.kind === 'rdata')
    return parsed.data
  }
  const key4096 = `v=DKIM1; k=rsa; p=${'A'.repeat(680)}`.match(/.{1,255}/g) ?? []
  const result = editZone(
    Buffer.from(text),
    [
      {
        name: origin,
        code: 15,
        ttlSeconds: 3600,
        data: [data('MX', '10 mx1.example.com.'), data('MX', '20 mx2.example.com.')],
      },
      { name: wire('mx1.example.com'), code: 1, ttlSeconds: 60, data: [] },
      { name: wire('mx2.example.com'), code: 1, ttlSeconds: 300, data: [data('A', '192.0.2.2')] },
      {
        name: wire('s1._domainkey.example.com'),
        code: 16,
        ttlSeconds: 3600,
        data: [data('TXT', key4096.map((part) => `"${part}"`).join(' '))],
      },
    ],
    { zone: origin, nowMs: Date.UTC(2026, 10, 24) },
  )
  assert.ok(result.kind === 'edited', JSON.stringify(result))
  await writeFile(file, result.bytes)
  await acceptedByAll(file)
  assert.deepEqual(
    read(await compiled(file, 'full'))
      .map(key)
      .sort(),
    read(result.bytes).map(key).sort(),
  )
  assert.equal(read(result.bytes).filter((record) => record.data.type === 'MX').length, 2)
})
