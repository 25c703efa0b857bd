import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { finding, notChecked, reportOf, written } from '../../../test/unit/check-report.ts'
import { changeAddress, changeExchanger } from '../../../test/unit/facts/change.ts'
import { factsOf } from '../../../test/unit/facts/facts.ts'
import { wire } from '../../../test/unit/facts/names.ts'
import { mxData } from '../../../test/unit/facts/records.ts'
import { answer, noData, notExamined } from '../../../test/unit/facts/views.ts'
import { publishedReportSchema, reportSchema, runSchema } from './document.ts'
import type { DomainReport } from './domain-report.ts'
import { formatNames } from './format.ts'

const single = finding({
  id: 'single-point-of-failure',
  title: 'single point of failure',
  subject: { kind: 'domain', name: 'example.com' },
  seen: 'If the network 192.0.2.0/24 fails, 100 % of senders wait, and mail is not delivered.',
  why: 'Senders keep the mail for some days; what lasts longer comes back.',
  remedy: { text: 'Put an exchanger elsewhere.', records: ['example.com. IN MX 20 mx2.example.com.'] },
  rfc: [],
  data: { waiting: 1 },
})
const blocked = notChecked({
  id: 'smtp-greeting-slow',
  title: 'slow greeting',
  reason: 'no-family',
  why: 'There is no IPv6 here.',
})

const cases: Readonly<Record<string, readonly DomainReport[]>> = {
  'in-order': [reportOf([])],
  'one-fault-away': [
    reportOf(
      [
        single,
        finding(),
        finding({ severity: 'notice', id: 'ptr-missing', title: 'no reverse name' }),
        notChecked(),
        blocked,
      ],
      changeAddress(factsOf(), 1, { smtp: notExamined('no-family', 'There is no IPv6 here.') }),
    ),
  ],
  'takes-no-mail': [reportOf([], factsOf({ mx: answer('example.com', [mxData(0, '.')]), exchangers: [] }))],
  'several-domains': [
    reportOf([finding({ severity: 'error', id: 'dane-mismatch', title: 'TLSA records fit nothing' })]),
    reportOf([notChecked()]),
    { kind: 'unexamined', domain: 'not a domain', why: 'it is no domain: blanks' },
  ],
}
const endings = { text: 'txt', json: 'json.txt', jsonl: 'jsonl', html: 'html', junit: 'xml' }

/** `WRITE_GOLDEN=1` writes the files anew; `git diff` then shows what has changed. */
for (const [name, reports] of Object.entries(cases)) {
  for (const format of formatNames) {
    test(`the ${format} of ${name} is that of its file`, () => {
      const file = new URL(`./golden/${name}.${endings[format]}`, import.meta.url)
      const found = written(format, reports, { isWhole: reports.length === 1 })
      if (process.env.WRITE_GOLDEN === '1') writeFileSync(file, found)
      assert.equal(found, readFileSync(file, 'utf8'))
    })
  }
}

test('docs/check.schema.json is current: npm run docs', () => {
  const file = new URL('../../../docs/check.schema.json', import.meta.url)
  assert.equal(readFileSync(file, 'utf8'), `${JSON.stringify(publishedReportSchema(), null, 2)}\n`)
})

test('every JSON that is written keeps to the schema', () => {
  for (const reports of [...Object.values(cases), []]) {
    runSchema.parse(JSON.parse(written('json', reports)))
    const lines = written('jsonl', reports).split('\n')
    assert.equal(lines.pop(), '')
    for (const line of lines) reportSchema.parse(JSON.parse(line))
    assert.equal(lines.length, reports.length)
  }
})

/** What others can put into facts and thus, where a rule forgets it, into findings. */
const hostile =
  '\u001b[2J\u009b31m\r\n\u0000\u202e<script>alert(1)</script>"\'`&]]>\ufffe\u{e0041}| [x](javascript:1) **b** \u2028'

const hostileReport = (): DomainReport =>
  reportOf(
    [
      finding({
        seen: hostile,
        why: hostile,
        title: hostile,
        rfc: [hostile],
        subject: { kind: 'address', exchanger: hostile, address: hostile },
        remedy: { text: hostile, records: [hostile], settings: [hostile] },
        data: { said: hostile },
      }),
      notChecked({ why: hostile, subject: { kind: 'record', name: hostile, type: hostile } }),
    ],
    changeExchanger(factsOf(), 0, { name: wire('\\027[2J\\<script\\>.example.com') }),
  )

for (const format of formatNames) {
  test(`nothing that others wrote acts in ${format}`, () => {
    for (const isWhole of [true, false]) {
      const found = written(format, [hostileReport(), { kind: 'unexamined', domain: hostile, why: hostile }], {
        isWhole,
      })
      // No control but line ends, nothing that turns direction, no invisible letters.
      assert.doesNotMatch(found, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]|\u{e0041}/u)
      if (format === 'html' || format === 'junit') {
        assert.doesNotMatch(found, /<script/i)
        assert.doesNotMatch(found, /\]\]>|\ufffe/)
      }
      if (format === 'jsonl') {
        const [first = ''] = found.split('\n')
        assert.equal(JSON.parse(first).findings[0].data.said, hostile)
      }
    }
  })
}

test('HTML lets nothing run and nothing load, whatever stands in it', () => {
  const page = written('html', cases['one-fault-away'] ?? [])
  assert.match(
    page,
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[^']+';/,
  )
  assert.doesNotMatch(page, /<script|<link|<iframe|\son\w+=|\sstyle=|\ssrc=|url\(/i)
})

test('JUnit: what is at or above --fail-on fails, what is less is told, what was not checked is skipped', () => {
  const [report] = cases['one-fault-away'] ?? []
  assert.ok(report)
  const tags = (failOn: 'notice' | 'warning' | 'error') => {
    const found = written('junit', [report], { failOn })
    return ['<failure', '<skipped', '<system-out'].map((tag) => found.split(tag).length - 1)
  }
  assert.deepEqual(tags('notice'), [3, 2, 0])
  assert.deepEqual(tags('warning'), [2, 2, 1])
  assert.deepEqual(tags('error'), [0, 2, 3])
})

test('colours only where they are wanted, and lines as wide as the terminal but for what is to be copied', () => {
  const reports = cases['one-fault-away'] ?? []
  assert.ok(written('text', reports, { isColored: true }).includes('\u001b['))
  assert.ok(!written('text', reports).includes('\u001b'))
  for (const columns of [60, 80, 100]) {
    const lines = written('text', reports, { columns }).split('\n')
    const prose = lines.filter((line) => /^ {4}(seen|why|do) | {10}\S/.test(line) && !line.startsWith('            '))
    assert.ok(prose.length > 4)
    assert.deepEqual(
      prose.filter((line) => line.length > columns),
      [],
    )
    assert.ok(lines.includes('            example.com. IN MX 20 mx2.example.com.'))
    const heads = lines.filter((line) =>
      /^[✗!·] (?:error|warning|notice) | {2}\d+ (?:error|warning|notice)|, [a-z-]+$/.test(line),
    )
    assert.ok(heads.length > 3)
    assert.deepEqual(
      heads.filter((line) => line.length > columns),
      [],
    )
  }
})

test('a hundred exchangers with a hundred addresses are counted, not drawn', () => {
  const facts = factsOf()
  const [first] = facts.exchangers
  assert.ok(first?.addresses[0])
  const addresses = Array.from({ length: 100 }, () => first.addresses[0] ?? assert.fail())
  const many = Array.from({ length: 100 }, () => ({ ...first, addresses }))
  const text = written('text', [reportOf([], { ...facts, exchangers: many })])
  assert.match(text, /and 90 more addresses/)
  assert.match(text, /and 80 more\n/)
  assert.ok(text.split('\n').length < 300)
  assert.match(written('html', [reportOf([], { ...facts, exchangers: many })]), /and 80 more exchangers/)
})

test('the picture says what it does not know', () => {
  const facts = changeExchanger(factsOf(), 0, {
    addresses: [],
    a: noData('mx1.example.com'),
    aaaa: noData('mx1.example.com'),
  })
  const text = written('text', [reportOf([], facts)])
  assert.match(text, /mx1\.example\.com {2}DNS ✗ no address \(100 % of senders try it first\)/)
  assert.match(text, /20 {2}100 % {2}mx2\.example\.com/)
})
