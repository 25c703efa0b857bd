/**
 * Mutated SPF, DMARC, MTA-STS and TLSRPT records: whatever a domain publishes, it is read or a place in it is named, and nothing throws or
 * hangs. `corpus/policy-records` keeps what once went wrong, and good ones to mutate.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { TextProblem } from '../../src/base/place.ts'
import { parseDmarc } from '../../src/records/dmarc.ts'
import { parseStsPolicy, parseStsRecord } from '../../src/records/mta-sts.ts'
import { parseSpf } from '../../src/records/spf.ts'
import { expandForDomain } from '../../src/records/spf-macro.ts'
import { parseTlsrpt } from '../../src/records/tlsrpt.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

type Parsed = {
  readonly kind: string
  readonly problems?: readonly TextProblem[]
  readonly notes?: readonly TextProblem[]
}

const parsers = {
  spf(text: string): Parsed {
    const parsed = parseSpf(text)
    if (parsed.kind === 'spf') {
      for (const term of parsed.record.terms)
        if ('domain' in term && term.domain) expandForDomain(term.domain.parts, 'a.very.deep.domain.example.com')
    }
    return parsed
  },
  dmarc: parseDmarc,
  'sts-record': parseStsRecord,
  'sts-policy': (text: string): Parsed => parseStsPolicy(Buffer.from(text, 'latin1')),
  tlsrpt: parseTlsrpt,
} satisfies Record<string, (text: string) => Parsed>

interface Sample {
  readonly kind: keyof typeof parsers
  readonly text: string
}

const corpus = readFileSync(new URL('./corpus/policy-records/records.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Sample)

function examine({ kind, text }: Sample): boolean {
  const started = performance.now()
  const parsed: Parsed = watched(kind, text, () => parsers[kind](text))
  assert.ok(performance.now() - started < 10_000, `slow: ${kind} ${text.slice(0, 200)}`)
  const problems = [...(parsed.problems ?? []), ...(parsed.notes ?? [])]
  assert.ok(problems.length <= 45)
  for (const { line, column, message } of problems) {
    assert.ok(line >= 1 && column >= 1 && message.length < 400)
    assert.doesNotMatch(message, /[\x00-\x1f\x7f-\x9f]/)
  }
  if (parsed.kind === 'invalid') assert.ok(problems.length >= 1)
  return parsed.kind !== 'invalid'
}

test('the corpus is read', () => {
  for (const sample of corpus) assert.ok(examine(sample), JSON.stringify(sample))
  for (const kind of Object.keys(parsers)) assert.ok(corpus.some((sample) => sample.kind === kind))
})

test('20,000 mutations of the corpus', () => {
  const random = fuzzRandom(7208)
  const pick = (below: number) => Math.floor(random.number() * below)
  const pieces = [
    ' ',
    ';',
    '=',
    ':',
    ',',
    '/',
    '%',
    '{',
    '}',
    '!',
    '.',
    '*',
    '\n',
    '\r',
    '\t',
    '\x00',
    '\x1b[',
    '\xff',
    '9',
    '-',
    '%{d',
    '//',
    'mailto:',
  ]
  const seen = { good: 0, bad: 0 }
  for (let round = 0; round < fuzzRounds(20_000); round++) {
    const sample = corpus[pick(corpus.length)]
    assert.ok(sample)
    let { text } = sample
    for (let change = pick(3); change >= 0; change--) {
      const at = pick(text.length + 1)
      text = text.slice(0, at) + (pick(4) === 0 ? '' : pieces[pick(pieces.length)]) + text.slice(at + pick(3))
    }
    seen[examine({ kind: sample.kind, text }) ? 'good' : 'bad']++
  }
  // Both happen, or the mutations are worth nothing.
  assert.ok(seen.good > 2_000 && seen.bad > 2_000, JSON.stringify(seen))
})

test('the longest records take no time, whatever they repeat', () => {
  const long = 65_000
  const heads: Readonly<Record<Sample['kind'], readonly string[]>> = {
    spf: ['v=spf1 ', 'v=spf1 a:', 'v=spf1 a:%{d', 'v=spf1 ip4:', 'v=spf1 a/', 'v=spf1 x='],
    dmarc: ['v=DMARC1;', 'v=DMARC1; p=none; rua=', 'v=DMARC1; p=none; fo=', 'v=DMARC1; rf='],
    'sts-record': ['v=STSv1;', 'v=STSv1; id=', 'v=STSv1'],
    'sts-policy': ['', 'version: STSv1\nmx: ', 'mx:', 'x: '],
    tlsrpt: ['v=TLSRPTv1;', 'v=TLSRPTv1; rua=', 'v=TLSRPTv1; rua=mailto:', 'v=TLSRPTv1; rua=https://'],
  }
  const units = [
    ' ',
    '\t',
    'a',
    '1',
    ';',
    '=',
    '%',
    '%{d}',
    '%%',
    '.',
    'a.',
    '-',
    '/',
    '/1',
    '//1',
    ',',
    ':',
    '!',
    '!1',
    '@',
    '\n',
    '\r',
    '\r\n',
    'a ',
    'a-',
    'a:a:',
    'a,',
    '*.',
    '{',
    'mailto:a@b.c,',
  ]
  for (const [kind, list] of Object.entries(heads)) {
    for (const head of list)
      for (const unit of units)
        for (const end of ['', '\x00'])
          examine({ kind: kind as Sample['kind'], text: head + unit.repeat(long / unit.length) + end })
  }
})
