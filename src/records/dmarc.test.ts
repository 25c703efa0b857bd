import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DmarcRecord, parseDmarc, selectDmarc } from './dmarc.ts'

const read = (text: string) => {
  const parsed = parseDmarc(text)
  assert.ok(parsed.kind === 'dmarc', `${text}: ${JSON.stringify(parsed)}`)
  return parsed
}
const record = (text: string): DmarcRecord => {
  const parsed = read(text)
  assert.deepEqual(parsed.problems, [], text)
  return parsed.record
}

test('the examples of RFC 7489 appendix B', () => {
  const full = record('v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com')
  assert.equal(full.policy, 'none')
  assert.deepEqual(full.aggregateTo, [
    { uri: 'mailto:dmarc-feedback@example.com', scheme: 'mailto', domain: 'example.com', maxBytes: undefined },
  ])
  assert.deepEqual(
    [full.dkimAlignment, full.spfAlignment, full.percent, full.isTest],
    ['relaxed', 'relaxed', 100, false],
  )
  record('v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; ruf=mailto:auth-reports@example.com')
  const two = record(
    'v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty.example.net!10m; pct=25',
  )
  assert.equal(two.percent, 25)
  assert.equal(two.aggregateTo[1]?.maxBytes, 10 * 1024 * 1024)
  assert.equal(two.aggregateTo[1]?.uri, 'mailto:tld-test@thirdparty.example.net')
})

test('every tag', () => {
  const all = record(
    'v = DMARC1 ;p=Reject ; sp=quarantine;np=none;adkim=s; aspf=S;fo=1:d:s;rf=afrf;ri=3600;pct=0;t=y;psd=n;ruf=mailto:a@b.example!1;x_new=any thing',
  )
  assert.deepEqual(
    [all.policy, all.subdomainPolicy, all.nonexistentPolicy, all.dkimAlignment, all.spfAlignment],
    ['reject', 'quarantine', 'none', 'strict', 'strict'],
  )
  assert.deepEqual(
    [all.failureOptions, all.intervalSeconds, all.percent, all.isTest, all.publicSuffix],
    [['1', 'd', 's'], 3600, 0, true, 'n'],
  )
  assert.equal(all.failuresTo[0]?.maxBytes, 1)
})

test('what receivers ignore is told with its column, and has its default', () => {
  const cases: readonly (readonly [text: string, column: number, why: RegExp])[] = [
    ['v=DMARC1; p=none; adkim=x', 25, /"adkim" is "x", not one of r, s/],
    ['v=DMARC1; p=none; pct=101', 23, /0 to 100/],
    ['v=DMARC1; p=none; ri=-1', 22, /seconds/],
    ['v=DMARC1; p=none; fo=2', 22, /0, 1, d and s/],
    ['v=DMARC1; p=none; rf=', 22, /formats/],
    ['v=DMARC1; p=none; t=maybe', 21, /y, n/],
    ['v=DMARC1; p=none; rua=you@example.com', 23, /no URI|nowhere/],
    ['v=DMARC1; p=none; rua=mailto:a@b.example, x', 43, /nowhere/],
    ['v=DMARC1; p=none; rua=https://example.com/', 23, /not mailto/],
    ['v=DMARC1; p=none; rua=mailto:nobody', 23, /no address/],
    ['v=DMARC1; p=none; rua=mailto:a@b.example!99999999999999999999', 23, /64 bits/],
    ['v=DMARC1; p=none;; adkim=r', 18, /nothing between/],
    ['v=DMARC1; p=none; nonsense', 19, /no "="/],
    ['v=DMARC1; p=none; =x', 19, /no name/],
    ['v=DMARC1; p=none; x=\xff', 19, /not ASCII/],
    ['v=DMARC1; rua=mailto:a@b.example', 33, /"p" is missing/],
    ['v=DMARC1; p=rejct; rua=mailto:a@b.example', 13, /none, quarantine, reject/],
    ['v=DMARC1; p=reject; sp=no; rua=mailto:a@b.example', 24, /none, quarantine, reject/],
  ]
  for (const [text, column, why] of cases) {
    const { problems } = read(text)
    assert.match(problems[0]?.message ?? '', why, text)
    assert.equal(problems[0]?.column, column, text)
  }
  // RFC 7489 §6.6.3: then the whole record means none.
  assert.equal(read('v=DMARC1; p=reject; sp=no; rua=mailto:a@b.example').record.policy, undefined)
  assert.equal(read('v=DMARC1; psd=y').record.publicSuffix, 'y')
})

test('what is no record, or says nothing', () => {
  for (const text of [
    '',
    'v=DMARC1',
    'v=DMARC10; p=none',
    'v=dmarc1; p=none',
    'V=DMARC1; p=none',
    'p=none; v=DMARC1',
    ' v=DMARC1; p=none',
    'v=DMARC1; p=nonsense',
    'v=DMARC1; p=reject; sp=nonsense',
    'v=DMARC1; p=none; p=reject',
    'v=DMARC1; p=none; x=1; x=2',
  ])
    assert.equal(parseDmarc(text).kind, 'invalid', text)
  assert.deepEqual(selectDmarc(['x', 'v=DMARC1;p=none', 'v=DMARC2']), { kind: 'one', text: 'v=DMARC1;p=none' })
  assert.equal(selectDmarc(['v=DMARC1', 'v=DMARC1; p=none']).kind, 'several')
})

test('any text is read, or is told why not', () => {
  const token = fc.constantFrom(
    'v=DMARC1',
    ';',
    ' ',
    '=',
    'p',
    'sp',
    'none',
    'rua',
    'mailto:',
    'a@b.example',
    ',',
    '!',
    '10m',
    'fo',
    ':',
    'ri',
    '\t',
    'pct',
  )
  const soup = fc
    .array(fc.oneof(token, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 24 })
    .map((parts) => `v=DMARC1;${parts.join('')}`)
  fc.assert(
    fc.property(soup, (text) => {
      for (const { message, column } of parseDmarc(text).problems) {
        assert.doesNotMatch(message, /[\x00-\x1f\x7f-\x9f]/)
        assert.ok(column >= 1 && column <= text.length + 1)
      }
    }),
    { numRuns: 2000 },
  )
})
