import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSpf, type SpfTerm, selectSpf } from './spf.ts'
import { expandForDomain, parseMacros } from './spf-macro.ts'

const terms = (text: string): readonly SpfTerm[] => {
  const parsed = parseSpf(text)
  assert.ok(parsed.kind === 'spf', `${text}: ${JSON.stringify(parsed)}`)
  return parsed.record.terms
}

test('the examples of RFC 7208', () => {
  const good = [
    'v=spf1',
    'v=spf1 +all',
    'v=spf1 a -all',
    'v=spf1 a:example.org -all',
    'v=spf1 mx -all',
    'v=spf1 mx:example.org -all',
    'v=spf1 mx mx:example.org -all',
    'v=spf1 mx/30 mx:example.org/30 -all',
    'v=spf1 ptr -all',
    'v=spf1 ip4:192.0.2.128/28 -all',
    'v=spf1 mx -all exp=explain._spf.%{d}',
    'v=spf1 redirect=_spf.example.com',
    'v=spf1 include:example.com include:example.org -all',
    'v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all',
    'v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all',
    'v=spf1 mx a:test.example.org -all',
    'v=spf1 ip6:2001:db8:1234::/48 a//64 a/24//64 mx:a.example//0 -all',
    'v=spf1 ?exists:_h.%{h}._l.%{l}._o.%{o}._i.%{i}._spf.%{d} ?all',
    'v=spf1 a:%{d2}.trusted-domains.example.net foo=%{c}%%x bar=',
    'V=SPF1  MX   -ALL ',
    // A modifier that nobody knows, though a mechanism was meant.
    'v=spf1 include=x.example',
    'v=spf1 exists:%{S} include:%{d}%% a:_spf.xn--abc.',
  ]
  for (const text of good) terms(text)
})

test('a record into terms, with their places', () => {
  const [ip4, ip6, a, mx, include, redirect, other] = terms(
    'v=spf1 ip4:192.0.2.0/24 ~ip6:2001:DB8::/32 a/24//64 ?mx:%{d}/0  include:_spf.example.net redirect=b.example FOO=x',
  )
  assert.deepEqual(ip4, {
    kind: 'ip4',
    qualifier: 'pass',
    address: '192.0.2.0',
    bits: 24,
    text: 'ip4:192.0.2.0/24',
    at: 7,
  })
  assert.ok(ip6?.kind === 'ip6' && ip6.qualifier === 'softfail' && ip6.address === '2001:db8::' && ip6.bits === 32)
  assert.ok(a?.kind === 'a' && a.domain === undefined && a.ipv4Bits === 24 && a.ipv6Bits === 64)
  assert.ok(mx?.kind === 'mx' && mx.qualifier === 'neutral' && mx.ipv4Bits === 0 && mx.ipv6Bits === 128)
  assert.deepEqual(mx.domain, {
    text: '%{d}',
    parts: [{ letter: 'd', labels: undefined, isReversed: false, delimiters: '.', isEscaped: false }],
  })
  assert.ok(include?.kind === 'include' && include.domain.text === '_spf.example.net' && include.at === 64)
  assert.ok(redirect?.kind === 'redirect')
  assert.deepEqual(other, { kind: 'unknown', name: 'foo', value: 'x', text: 'FOO=x', at: 108 })
})

test('what is wrong is told with its column, behind "all" too', () => {
  const bad: readonly (readonly [text: string, column: number, why: RegExp])[] = [
    ['v=spf10 mx', 1, /does not begin/],
    ['v=spf1\tmx', 1, /does not begin/],
    [' v=spf1', 1, /does not begin/],
    ['v=spf1 mx\t-all', 8, /no term/],
    ['v=spf1 mxx', 8, /"mxx" is no mechanism/],
    ['v=spf1 -all ip4:192.0.2.256', 16, /IPv4 address, not "192\.0\.2\.256"/],
    ['v=spf1 ip4:192.0.2.0/33', 21, /0–32/],
    ['v=spf1 ip4:192.0.2.0/024', 21, /0–32/],
    ['v=spf1 ip4:192.0.2.0/24/1', 21, /0–32/],
    ['v=spf1 ip4:2001:db8::', 11, /IPv4/],
    ['v=spf1 ip6:192.0.2.1', 11, /IPv6/],
    ['v=spf1 ip4', 11, /needs ":"/],
    ['v=spf1 a/33', 9, /IPv4 prefix length/],
    ['v=spf1 a//129', 9, /IPv6 prefix length/],
    ['v=spf1 a/01', 9, /prefix length/],
    ['v=spf1 a/x', 9, /no prefix length/],
    ['v=spf1 a:', 10, /domain is missing/],
    ['v=spf1 a:localhost', 10, /no domain/],
    ['v=spf1 a:192.0.2.1', 10, /no domain/],
    ['v=spf1 a:x.example-', 10, /no domain/],
    ['v=spf1 include', 15, /needs ":"/],
    ['v=spf1 all:x', 11, /nothing behind/],
    ['v=spf1 ptr/24', 11, /no prefix length/],
    ['v=spf1 -redirect=x.example', 8, /a sign before/],
    ['v=spf1 redirect=x.example redirect=y.example', 27, /a second "redirect"/],
    ['v=spf1 exp=x.example exp=y.example', 22, /a second "exp"/],
    ['v=spf1 exists:%{x}.example', 15, /begins no macro/],
    ['v=spf1 exists:%(i).example', 15, /begins no macro/],
    ['v=spf1 exists:a.%', 17, /begins no macro/],
    ['v=spf1 exists:%{d0}.example', 15, /keeps no label/],
    ['v=spf1 exists:%{t}.example', 15, /outside of an explanation/],
    ['v=spf1 a:gr\xc3\xbcn.example', 12, /printable ASCII/],
    ['v=spf1 \x1b[31m', 8, /"\\x1b\[31m" is no term/],
    ['v=spf1 ,', 8, /no term/],
    ['v=spf1 foo=%{z}', 12, /begins no macro/],
  ]
  for (const [text, column, why] of bad) {
    const parsed = parseSpf(text)
    assert.ok(parsed.kind === 'invalid', text)
    assert.match(parsed.problems[0]?.message ?? '', why, text)
    assert.deepEqual([parsed.problems[0]?.line, parsed.problems[0]?.column], [1, column], text)
  }
  const many = parseSpf(`v=spf1 ${'x '.repeat(1000)}`)
  assert.equal(many.kind === 'invalid' && many.problems.length, 20)
})

test('which TXT record is the SPF record', () => {
  assert.deepEqual(selectSpf(['google-site-verification=1', 'v=spf10', 'V=spf1 -all']), {
    kind: 'one',
    text: 'V=spf1 -all',
  })
  assert.deepEqual(selectSpf(['v=spf2.0/pra', '']), { kind: 'none' })
  assert.deepEqual(selectSpf(['v=spf1', 'v=spf1 ']), { kind: 'several', texts: ['v=spf1', 'v=spf1 '] })
})

test('macros of the domain itself are expanded (RFC 7208 §7.4)', () => {
  const expand = (text: string) => {
    const parsed = parseMacros(text)
    assert.ok(parsed.kind === 'macros', text)
    return expandForDomain(parsed.parts, 'email.example.com')
  }
  assert.equal(expand('%{d}'), 'email.example.com')
  assert.equal(expand('%{d4}'), 'email.example.com')
  assert.equal(expand('%{d2}'), 'example.com')
  assert.equal(expand('%{d1}'), 'com')
  assert.equal(expand('%{dr}'), 'com.example.email')
  assert.equal(expand('%{d2r}'), 'example.email')
  assert.equal(expand('a%%b%_c%-%{D}'), 'a%b c%20email.example.com')
  assert.equal(expand('x.%{i}'), undefined)
})

test('any text is a record or is told why not', () => {
  const token = fc.constantFrom(
    'v=spf1',
    ' ',
    'a',
    'mx',
    ':',
    '/',
    '//',
    '24',
    'ip4',
    '192.0.2.1',
    '%',
    '{',
    '}',
    'd',
    '%{d}',
    '=',
    'redirect',
    '-',
    'all',
    '.',
    'x.example',
    '\t',
  )
  const soup = fc
    .array(fc.oneof(token, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 20 })
    .map((parts) => `v=spf1 ${parts.join('')}`)
  fc.assert(
    fc.property(soup, (text) => {
      const parsed = parseSpf(text)
      if (parsed.kind === 'spf') {
        for (const term of parsed.record.terms) assert.equal(text.slice(term.at, term.at + term.text.length), term.text)
        assert.deepEqual(parseSpf(`v=spf1 ${parsed.record.terms.map((term) => term.text).join(' ')}`).kind, 'spf')
      } else for (const { message } of parsed.problems) assert.doesNotMatch(message, /[\x00-\x1f\x7f-\x9f]/)
    }),
    { numRuns: 2000 },
  )
})
