import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyName, anyRdata, plainName, shape } from '../../../test/unit/dns-data.ts'
import type { DnsRecord } from '../message.ts'
import { rdataCode } from '../rdata.ts'
import { octetsOfRdata, rdataText } from '../rdata-text.ts'
import { typeName } from '../types.ts'
import { nameFromText, nameText, type WireName } from '../wire-name.ts'
import type { ZoneText } from './entries.ts'
import { parseZone, recordsOf } from './parse.ts'
import { writeZone } from './write.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}
const origin = wire('example.com')

const parse = (text: string, others: 'refuse' | 'keep' = 'refuse') => parseZone(Buffer.from(text), { origin, others })

const good = (text: string, others: 'refuse' | 'keep' = 'refuse'): ZoneText => {
  const parsed = parse(text, others)
  assert.ok(parsed.kind === 'zone', JSON.stringify(parsed))
  return parsed.zone
}

/** `owner ttl type data` of each record. */
const lines = (text: string) =>
  recordsOf(good(text)).map(
    ({ name, ttlSeconds, data }) => `${nameText(name)} ${ttlSeconds} ${typeName(rdataCode(data))} ${rdataText(data)}`,
  )

const soa = '@ 300 SOA ns host 1 2 3 4 5\n'

test('the example of RFC 1035 §5.3', () => {
  const text = `@   IN  SOA     VENERA      Action\\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        NS      VAXA
        MX      10      VENERA
        MX      20      VAXA

A       A       26.3.0.103

VENERA  A       10.1.0.52
        A       128.9.0.32

$INCLUDE <SUBSYS>ISI-MAILBOXES.TXT`
  const zone = good(text, 'keep')
  assert.equal(zone.entries.length, 10)
  assert.deepEqual(recordsOf(zone).at(-1), {
    name: wire('VENERA.example.com'),
    class: 1,
    ttlSeconds: 60,
    data: { type: 'A', address: '128.9.0.32' },
  })
  const include = zone.entries.at(-1)
  assert.ok(include?.kind === 'include')
  assert.equal(include.path, '<SUBSYS>ISI-MAILBOXES.TXT')
})

test('TTL and class in either order, and where a TTL comes from', () => {
  assert.deepEqual(lines(`${soa}a IN 7 A 192.0.2.1\na 8 IN A 192.0.2.2\nb A 192.0.2.3\n`).slice(1), [
    'a.example.com. 7 A 192.0.2.1',
    'a.example.com. 8 A 192.0.2.2',
    'b.example.com. 8 A 192.0.2.3',
  ])
  assert.deepEqual(
    lines(`${soa}$TTL 1h30m\na A 192.0.2.1\na 8 A 192.0.2.2\nb a 192.0.2.3\n$TTL 2W\nc class1 A 192.0.2.3`).slice(1),
    [
      'a.example.com. 5400 A 192.0.2.1',
      'a.example.com. 8 A 192.0.2.2',
      'b.example.com. 5400 A 192.0.2.3',
      'c.example.com. 1209600 A 192.0.2.3',
    ],
  )
  // A first SOA without any: its minimum, from there on.
  assert.deepEqual(lines('@ SOA ns host 1 2 3 4 77\na 5 A 192.0.2.1\nb A 192.0.2.2'), [
    'example.com. 77 SOA ns.example.com. host.example.com. 1 2 3 4 77',
    'a.example.com. 5 A 192.0.2.1',
    'b.example.com. 77 A 192.0.2.2',
  ])
})

test('an owner may look like anything, since its column decides', () => {
  const owners = [
    'IN',
    'MX',
    '3600',
    'a\\.b',
    '*',
    '_25._tcp.mx',
    'nul\\000',
    '\\@',
    '\\$TTL',
    '\\(x\\)',
    '1h',
    'TYPE5',
  ]
  const read = recordsOf(good(`$TTL 5\n${owners.map((owner) => `${owner} A 192.0.2.1\n`).join('')}`))
  assert.deepEqual(
    read.map((record) => nameText(record.name)),
    owners.map((owner) => `${owner}.example.com.`),
  )
  assert.deepEqual(lines('$TTL 5\nMX MX 10 mx\n'), ['MX.example.com. 5 MX 10 mx.example.com.'])
})

test('a blank owner is the one stated last, behind another $ORIGIN too', () => {
  const text =
    '$TTL 5\na A 192.0.2.1\n$ORIGIN sub\n\tMX 10 mx\n$ORIGIN deeper\n@ MX 5 @\n$ORIGIN .\nx.example.net MX 6 y\n'
  assert.deepEqual(lines(text), [
    'a.example.com. 5 A 192.0.2.1',
    'a.example.com. 5 MX 10 mx.sub.example.com.',
    'deeper.sub.example.com. 5 MX 5 deeper.sub.example.com.',
    'x.example.net. 5 MX 6 y.',
  ])
})

test('parentheses, comments, quotes, CRLF and a last line without end', () => {
  const text =
    '$TTL 5 ; five\r\n( a \r\n ; "not ( a string\r\n TXT "semi;colon (x)" plain\\;x ; end )\r\n )\r\n\r\n \t \r\nb TXT "two\nlines" ""\nc\tA 192.0.2.1'
  assert.deepEqual(lines(text), [
    'a.example.com. 5 TXT "semi;colon (x)" "plain;x"',
    'b.example.com. 5 TXT "two\\010lines" ""',
    'c.example.com. 5 A 192.0.2.1',
  ])
})

test('octets are octets', () => {
  const bytes = Buffer.from('$TTL 5\na TXT "grüße" \xff\n', 'latin1')
  const parsed = parseZone(bytes, { origin, others: 'refuse' })
  assert.ok(parsed.kind === 'zone')
  assert.deepEqual(recordsOf(parsed.zone)[0]?.data, {
    type: 'TXT',
    strings: [Buffer.from('grüße', 'latin1'), Buffer.of(0xff)],
  })
})

test('what is wrong is told with its line and column, up to twenty times', () => {
  const cases: readonly (readonly [text: string, place: string, why: RegExp])[] = [
    ['a A 192.0.2.1', '1:3', /no TTL/],
    ['$TTL 5\n A 192.0.2.1', '2:2', /no owner/],
    ['$TTL 5\na A 192.0.2.256', '2:5', /"192\.0\.2\.256" is not an IPv4/],
    ['$TTL 5\na 1 2 A 192.0.2.1', '2:5', /"2" is no record type/],
    ['$TTL 5\na IN IN A 192.0.2.1', '2:6', /"IN" is no record type/],
    ['$TTL 5\na CH TXT x', '2:3', /class CH; only IN/],
    ['$TTL 5\na CLASS3 TXT x', '2:3', /class CLASS3/],
    ['$TTL 5\na MXX 10 mx', '2:3', /"MXX" is no record type/],
    ['$TTL 5\na ANY x', '2:3', /class ANY/],
    ['$TTL 5\na TYPE41 \\# 0', '2:3', /no data of a zone/],
    ['$TTL 5\na AXFR \\# 0', '2:3', /no data of a zone/],
    ['$TTL 5\na HTTPS 1 . alpn=h2', '2:3', /not known here/],
    ['$TTL 5\na', '2:2', /a record type is missing/],
    ['$TTL 5\n"a" A 192.0.2.1', '2:1', /quoted string where a name/],
    ['$TTL 5\na "A" 192.0.2.1', '2:3', /quoted string where a record type/],
    ['$TTL 2147483648', '1:6', /no TTL/],
    ['$TTL', '1:5', /a TTL is missing/],
    ['$TTL 1h 2', '1:9', /more than \$TTL takes/],
    ['$TTL 5\na 1h30 A 192.0.2.1', '2:3', /no TTL/],
    ['$ORIGIN a..b\n', '1:9', /no name/],
    ['$INCLUDE other.zone', '1:1', /not followed/],
    ['$GENERATE 1-2 a$ A 192.0.2.$', '1:1', /extension of BIND/],
    ['$NONSENSE', '1:1', /no directive/],
    ['$TTL 5\na TXT "x', '2:7', /without its closing quote/],
    ['$TTL 5\na TXT ( x\ny\n', '2:7', /without its "\)"/],
    ['$TTL 5\na TXT x )\n', '2:9', /without its "\("/],
    ['$TTL 5\r\na TXT x\ry\n', '2:8', /control character/],
    ['$TTL 5\na TXT \x00\n', '2:7', /control character/],
    ['\ufeff$TTL 5\n', '1:1', /byte order mark/],
  ]
  for (const [text, place, why] of cases) {
    const parsed = parse(text)
    assert.ok(parsed.kind === 'invalid', text)
    const [problem] = parsed.problems
    assert.ok(problem)
    assert.match(problem.message, why, text)
    assert.equal(`${problem.line}:${problem.column}`, place, `${text}: ${problem.message}`)
  }
  const many = parse(`$TTL 5\n${'a A x\n'.repeat(1000)}`)
  assert.equal(many.kind === 'invalid' && many.problems.length, 20)
  const large = parseZone(Buffer.alloc(11), { origin, others: 'refuse', maxBytes: 10 })
  assert.ok(large.kind === 'invalid')
})

test('$INCLUDE, $GENERATE and types without a text here are kept as they are, if that is wished', () => {
  const zone = good(
    '$TTL 5\n$INCLUDE "a b" sub\n$GENERATE 1-2 h$ A 192.0.2.$\na HTTPS 1 . alpn="h2"\nb WALLET x\n',
    'keep',
  )
  assert.deepEqual(
    zone.entries.map((entry) => entry.kind),
    ['ttl', 'include', 'generate', 'record', 'record'],
  )
  const [, include, generate, https] = zone.entries
  assert.ok(include?.kind === 'include' && generate?.kind === 'generate' && https?.kind === 'record')
  assert.deepEqual([include.path, include.includedOrigin], ['a b', wire('sub.example.com')])
  assert.deepEqual([generate.owner, generate.code], ['h$', 1])
  assert.deepEqual([https.code, https.data], [65, undefined])
  assert.deepEqual(recordsOf(zone), [])
  // Whose owner it would be is not said.
  const blank = parse('$TTL 5\na A 192.0.2.1\n$INCLUDE x\n A 192.0.2.2\n', 'keep')
  assert.ok(blank.kind === 'invalid' && blank.problems[0]?.line === 4)
})

test('a text that a semicolon cuts is noted; one in quotes, or with a comment behind a blank, is not', () => {
  const zone = good(
    '$TTL 5\n_dmarc TXT v=DMARC1; p=none\na TXT "v=DMARC1; p=none"\nb TXT word ; comment\nc TXT "x"; comment\n',
  )
  assert.deepEqual(zone.notes, [
    { line: 2, column: 20, message: 'the text ends here, because ";" begins a comment: put it in quotes' },
  ])
})

test('a forgotten final dot is noted', () => {
  const notes = good(`${soa}@ MX 10 mx.example.com\nwww.EXAMPLE.com A 192.0.2.1\nmx MX 10 mx.example.com.\n`).notes
  assert.deepEqual(
    notes.map(({ line, column }) => [line, column]),
    [
      [2, 9],
      [3, 1],
    ],
  )
  assert.match(notes[0]?.message ?? '', /"mx\.example\.com" has no final dot/)
})

test('any records are written so that they are read as they were', () => {
  const name = fc.oneof(anyName, plainName)
  // What no type can have (a TXT record without strings) cannot be in a zone either.
  const data = anyRdata.filter((data) => data.type !== 'opaque' || data.code < 128 || data.code > 255)
  const record: fc.Arbitrary<DnsRecord> = shape({ name, class: fc.constant(1), ttlSeconds: fc.nat(0x7fffffff), data })
  const key = (record: DnsRecord) =>
    `${record.name} ${record.ttlSeconds} ${rdataCode(record.data)} ${octetsOfRdata(record.data).toString('hex')}`
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), name, (records, origin) => {
      const text = writeZone(records, origin)
      assert.match(text, /^[\n -~]*$/)
      const parsed = parseZone(Buffer.from(text), { origin: wire('elsewhere.example'), others: 'refuse' })
      assert.ok(parsed.kind === 'zone', JSON.stringify(parsed))
      assert.deepEqual(recordsOf(parsed.zone).map(key).sort(), records.map(key).sort())
    }),
    { numRuns: 500 },
  )
})
