import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyRdata } from '../../test/unit/dns-data.ts'
import { type Rdata, rdataCode } from './rdata.ts'
import { octetsOfRdata, parseRdata, rdataText } from './rdata-text.ts'
import { opaqueTypeCodes, typeCodeFromName, typeCodes } from './types.ts'
import { nameFromText, type WireName } from './wire-name.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}
const origin = wire('example.com')

const read = (type: string, text: string): Rdata => {
  const parsed = parseRdata(typeCodeFromName(type) ?? 0, text, origin)
  assert.ok(parsed.kind === 'rdata', parsed.kind === 'invalid' ? `${type} ${text}: ${parsed.why}` : '')
  return parsed.data
}

/** Each as it is written back; where that differs, what is read stands first. */
const good: readonly (readonly [type: string, text: string, again?: string])[] = [
  ['A', '192.0.2.1'],
  ['AAAA', '2001:DB8::0:1', '2001:db8::1'],
  ['AAAA', '::ffff:192.0.2.1'],
  ['MX', '10 mx', '10 mx.example.com.'],
  ['MX', '0 .'],
  ['MX', '65535 @', '65535 example.com.'],
  ['CNAME', 'a\\.b.c\\032d.'],
  ['SOA', 'ns john\\.doe 1 1h 10m 1w 1d2h', 'ns.example.com. john\\.doe.example.com. 1 3600 600 604800 93600'],
  ['TXT', 'plain "quoted \\"one\\"" "" \\200\\;', '"plain" "quoted \\"one\\"" "" "\\200;"'],
  ['HINFO', 'PC "Linux 6"', '"PC" "Linux 6"'],
  ['SRV', '1 2 25 mx.example.net.'],
  ['TLSA', '3 1 1 ( 0123456789abcdef ; half\n 0123456789ABCDEF )', '3 1 1 0123456789abcdef0123456789abcdef'],
  ['CAA', '128 issue "ca.example.net; policy=\\"x\\""'],
  [
    'DS',
    '60485 RSASHA1 1 ( 2BB183AF5F22588179A53B0A 98631FAD1A292118 )',
    '60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118',
  ],
  ['DNSKEY', '256 3 13 AQ PS KA==', '256 3 13 AQPSKA=='],
  ['RRSIG', 'A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WN'],
  ['NSEC', 'host.example.com. A MX RRSIG NSEC TYPE1234'],
  ['NSEC3', '1 1 12 aabbccdd 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG'],
  ['NSEC3PARAM', '1 0 0 -'],
  ['RP', 'mbox txt', 'mbox.example.com. txt.example.com.'],
  ['NAPTR', '100 10 "S" "SIP+D2U" "!^.*$!x!" _sip._udp', '100 10 "S" "SIP+D2U" "!^.*$!x!" _sip._udp.example.com.'],
  ['SSHFP', '4 2 0123456789abcdef'],
  ['URI', '10 1 "https://www.example.com/path"'],
  ['TYPE65', '\\# 3 00 0100', '\\# 3 000100'],
  ['TYPE4711', '\\# 0'],
]

test('text to value and back', () => {
  for (const [type, text, again = text] of good) {
    assert.equal(rdataText(read(type, text)), again, `${type} ${text}`)
  }
})

test('the generic form of a known type is read as that type', () => {
  assert.deepEqual(read('MX', '\\# 3 000A 00'), {
    type: 'MX',
    preference: 10,
    exchange: '\0',
  })
  assert.deepEqual(read('A', '\\# 4 C0000201'), { type: 'A', address: '192.0.2.1' })
})

test('every type that is known has an example here', () => {
  const tested = new Set(good.map(([type]) => type))
  for (const type of Object.keys(typeCodes)) {
    // NS, PTR and DNAME are written as CNAME is.
    if (!['NS', 'PTR', 'DNAME'].includes(type)) assert.ok(tested.has(type), type)
  }
})

test('what is wrong is told with its place', () => {
  const bad: readonly (readonly [type: string, text: string, column: number, why: RegExp])[] = [
    ['A', '127.1', 1, /"127\.1" is not an IPv4 address/],
    ['A', '2001:db8::1', 1, /not an IPv4/],
    ['AAAA', '192.0.2.1', 1, /not an IPv6/],
    ['A', '', 1, /missing/],
    ['A', '192.0.2.1 x', 11, /more than A data has/],
    ['MX', '10', 3, /a name is missing/],
    ['MX', '10.mx', 1, /not a number up to 65535/],
    ['MX', '65536 mx', 1, /up to 65535/],
    ['MX', '-1 mx', 1, /up to 65535/],
    ['MX', '10 a..b', 4, /empty label/],
    ['MX', '10 "mx"', 4, /quoted string where a name/],
    ['MX', `10 ${'a'.repeat(64)}`, 4, /label/],
    ['MX', `10 ${'abcdefg.'.repeat(31)}x`, 4, /longer than 255/],
    ['MX', '\\# 4 000A C000', 1, /compressed/],
    ['MX', '\\# 5 000A 0000', 6, /4 octets where 5/],
    ['MX', '\\# 4 000A 0000', 1, /longer than its type/],
    ['TXT', '', 1, /a string is missing/],
    ['TXT', `"${'x'.repeat(256)}"`, 1, /256 octets/],
    ['TXT', 'a "b', 3, /closing quote/],
    ['TXT', 'a\\256', 1, /backslash/],
    ['TXT', 'a\\25', 1, /backslash/],
    ['TXT', 'a\\', 1, /backslash at the end/],
    ['TXT', '( a', 1, /without its "\)"/],
    ['TXT', 'a )', 3, /without its "\("/],
    ['TXT', 'a\nb', 2, /more than one line/],
    ['TXT', 'a \x01', 3, /control/],
    ['TLSA', '3 1 1 abc', 10, /odd number/],
    ['TLSA', '3 1 1', 6, /missing/],
    ['DS', '1 NOALG 1 ab', 3, /algorithm/],
    ['DNSKEY', '256 3 13 AQP', 13, /cut off/],
    ['DNSKEY', '256 3 13 AQPSKB==', 18, /canonical/],
    ['RRSIG', 'A 5 3 1 20030230000000 20030220173103 2642 . oJB1W6WN', 9, /time/],
    ['NSEC', 'a. MX FOO', 7, /record type/],
    ['NSEC3', '1 1 12 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJW A', 10, /base32hex/],
    ['CAA', '0 is_sue "x"', 3, /letters and digits/],
    ['NAPTR', `1 1 ${'x'.repeat(300)} b c .`, 5, /300 octets/],
    ['SVCB', '1 . alpn=h2', 1, /not known here/],
  ]
  for (const [type, text, column, why] of bad) {
    const parsed = parseRdata(typeCodeFromName(type) ?? 0, text, origin)
    assert.ok(parsed.kind === 'invalid', `${type} ${text}`)
    assert.match(parsed.why, why, `${type} ${text}`)
    assert.equal(parsed.column, column, `${type} ${text}: ${parsed.why}`)
  }
})

test('data without a text of its own has the generic one', () => {
  assert.equal(rdataText({ type: 'TXT', strings: [] }), '\\# 0')
  assert.equal(rdataText({ type: 'CAA', flags: 0, tag: '\u001b[', value: Buffer.from('x') }), '\\# 5 00021b5b78')
  assert.equal(rdataText({ type: 'opaque', code: opaqueTypeCodes.SSHFP, data: Buffer.of(1) }), '\\# 1 01')
})

test('any data goes to text and back, as printable ASCII', () => {
  fc.assert(
    fc.property(anyRdata, (data) => {
      const text = rdataText(data)
      assert.match(text, /^[\x20-\x7e]+$/)
      const parsed = parseRdata(rdataCode(data), text)
      // What no text can say (a TXT record without strings) comes back from its octets, which need not be readable as that type.
      if (parsed.kind === 'invalid') assert.match(text, /^\\# /)
      else assert.deepEqual(octetsOfRdata(parsed.data), octetsOfRdata(data))
    }),
    { numRuns: 3000 },
  )
})

test('any text is data or is told why not', () => {
  const word = fc.constantFrom(
    '10',
    'mx',
    '@',
    '.',
    '\\#',
    '4',
    '"',
    'a b',
    '(',
    ')',
    ';',
    '\n',
    '\\',
    '\\065',
    '0A',
    '=',
    'A',
    'x.',
  )
  const soup = fc
    .array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 12 })
    .map((parts) => parts.join(' '))
  const codes = [...Object.values(typeCodes), ...Object.values(opaqueTypeCodes)]
  fc.assert(
    fc.property(soup, fc.constantFrom(...codes), (text, code) => {
      const parsed = parseRdata(code, text, origin)
      if (parsed.kind === 'invalid') {
        assert.ok(parsed.column >= 1 && parsed.why !== '')
        assert.doesNotMatch(parsed.why, /[\x00-\x1f\x7f]/)
      } else assert.deepEqual(parseRdata(code, rdataText(parsed.data)), parsed)
    }),
    { numRuns: 3000 },
  )
})

test('types by name', () => {
  assert.equal(typeCodeFromName('mx'), 15)
  assert.equal(typeCodeFromName('type15'), 15)
  assert.equal(typeCodeFromName('HTTPS'), 65)
  for (const name of ['TYPE65536', 'TYPE', 'TYPE-1', '', 'constructor', 'M X'])
    assert.equal(typeCodeFromName(name), undefined)
})
