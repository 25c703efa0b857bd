import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailDomain } from '../../routing/destinations.ts'
import type { CheckedState } from '../checked-state.ts'
import type { History } from '../history.ts'
import { reportHtml } from './html.ts'
import { makeReport } from './report.ts'
import { reportText, shareText } from './text.ts'

const dayMs = 86_400_000
const fromMs = Date.UTC(2026, 2, 1)
const span = { fromMs, untilMs: fromMs + 3 * dayMs }
const backend = (url: string) => ({ backend: { url } })
const domain = {
  name: 'example.com',
  subdomains: false,
  route: { entries: [backend('smtp://10.0.0.1:25'), backend('smtp://10.0.0.2:25')] },
  addresses: new Map([['boss@', { entries: [backend('smtp://10.0.0.2:25')] }]]),
} as unknown as MailDomain

const evil = '</td><script>alert(1)</script>\u202e'

const history: Pick<History, 'hours' | 'availability' | 'outages'> = {
  hours: async () => [
    { atMs: fromMs, domain: 'example.com', counts: { delivered: 90, held: 5, bytes: 2048 }, latency: [90] },
    { atMs: fromMs + 3_600_000, domain: 'example.com', counts: { delivered: 10, drained: 5 }, latency: [0, 0, 10] },
    { atMs: fromMs + dayMs, domain: 'example.com', counts: { delivered: 7, refused: 3 }, latency: [7] },
  ],
  availability: async (kind, names) =>
    names.map((name) => ({ name, up: kind === 'backend' ? 99_990 : 3, known: kind === 'backend' ? 100_000 : 4 })),
  outages: async (kind, names) =>
    kind === 'domain'
      ? [
          {
            id: 'a',
            kind,
            name: names[0] ?? '',
            beganMs: fromMs + 60_000,
            endedMs: fromMs + 660_000,
            value: '{"held":5,"drained":5,"longestMs":480000}',
          },
        ]
      : [{ id: 'b', kind, name: 'smtp://10.0.0.1:25', beganMs: fromMs, endedMs: null, value: '{}' }],
}

const state = {
  atMs: fromMs + dayMs,
  exchangers: [{ name: evil, address: '192.0.2.1', answered: true }],
  findings: [{ severity: 'warning', title: evil, about: 'mx.example.com 192.0.2.1' }],
} as unknown as CheckedState

const make = () => makeReport('example.com', span, { domains: [domain] }, history, state)

test('hours become sums, days and percentiles; each backend of the domain is told once', async () => {
  const report = await make()
  assert.equal(report.messages.delivered, 107)
  assert.equal(report.messages.drained, 5)
  assert.deepEqual(
    report.days.map(({ delivered, held, refused }) => [delivered, held, refused]),
    [
      [100, 5, 0],
      [7, 0, 3],
    ],
  )
  assert.equal(report.latency.p50Ms, 1)
  assert.ok((report.latency.p95Ms ?? 0) > 1)
  assert.deepEqual(
    report.backends.map(({ name, share }) => [name, share]),
    [
      ['smtp://10.0.0.1:25', 0.9999],
      ['smtp://10.0.0.2:25', 0.9999],
    ],
  )
  assert.deepEqual(
    report.outages.map(({ kind, held, longestMs, endedMs }) => [kind, held, longestMs, endedMs]),
    [
      ['backend', 0, 0, null],
      ['mail', 5, 480_000, fromMs + 660_000],
    ],
  )
})

test('a report begins with the hour in which its time begins, and says so', async () => {
  const asked = { fromMs: fromMs + 59 * 60_000, untilMs: fromMs + 61 * 60_000 }
  const spans: number[] = []
  const hours: History['hours'] = (name, span) => {
    spans.push(span.fromMs)
    return history.hours(name, span)
  }
  const report = await makeReport('example.com', asked, { domains: [domain] }, { ...history, hours }, state)
  assert.deepEqual([report.fromMs, report.untilMs, spans], [fromMs, asked.untilMs, [fromMs]])
  assert.match(reportText(report), /^example\.com, 2026-03-01 00:00:00 UTC to 2026-03-01 01:01:00 UTC\n/)
})

test('the text says how many were held and for how long', async () => {
  const text = reportText(await make())
  assert.match(text, /delivered at once +107/)
  assert.match(text, /for 10 min: 5 messages held, 8 min at the longest/)
  assert.match(text, /smtp:\/\/10\.0\.0\.1:25 +99\.99 %/)
  assert.match(text, /since 2026-03-01 00:00:00 UTC, for 3 d: smtp:\/\/10\.0\.0\.1:25 was down/)
  assert.doesNotMatch(text, /\u202e/)
})

test('an outage that lasts says what is delivered and what is held still: what was removed is neither', async () => {
  const lasting = { id: 'a', kind: 'domain' as const, name: 'example.com', beganMs: fromMs, endedMs: null }
  const outages: History['outages'] = async (kind) =>
    kind === 'domain' ? [{ ...lasting, value: '{"held":8,"drained":0,"longestMs":60000,"left":7}' }] : []
  const text = reportText(await makeReport('example.com', span, { domains: [domain] }, { ...history, outages }, state))
  assert.match(text, /: 8 messages held, 60 s at the longest: so far 0 delivered, 7 still held\n/)
})

test('what expired was not delivered: an outage says so, also when it is over', async () => {
  const over = { id: 'a', kind: 'domain' as const, name: 'example.com', beganMs: fromMs, endedMs: fromMs + 600_000 }
  const reportOf = (value: string) => {
    const outages: History['outages'] = async (kind) => (kind === 'domain' ? [{ ...over, value }] : [])
    return makeReport('example.com', span, { domains: [domain] }, { ...history, outages }, state)
  }
  const one = await reportOf('{"held":1,"drained":0,"expired":1,"longestMs":240000}')
  assert.match(reportText(one), /for 10 min: 1 message held, 4 min at the longest: 0 delivered, 1 expired\n/)
  assert.match(reportHtml(one), /<th class="n" scope="col">expired<\/th>/)
  // As it was written before this was counted.
  const earlier = await reportOf('{"held":3,"drained":2,"longestMs":240000}')
  assert.match(reportText(earlier), /: 3 messages held, 4 min at the longest: 2 delivered\n/)
})

test('the page needs nothing else and performs nothing of others', async () => {
  const html = reportHtml(await make())
  assert.doesNotMatch(html, /<script|\u202e|https?:\/\/(?!10\.)|src=|url\(/)
  assert.match(html, /default-src 'none'/)
  assert.match(html, /warning: mx\.example\.com 192\.0\.2\.1: /)
  assert.match(reportText(await make()), /^ {2}warning: mx\.example\.com 192\.0\.2\.1: /m)
  assert.match(html, /&#60;script/)
  assert.match(html, /99\.99 %/)
})

test('an availability is never rounded up to all', () => {
  assert.equal(shareText(1), '100 %')
  assert.equal(shareText(0.9999999), '99.999 %')
  assert.equal(shareText(0.5), '50 %')
})

test('a domain of which nothing is known has an empty report', async () => {
  const nothing = { hours: async () => [], availability: async () => [], outages: async () => [] }
  const report = await makeReport('example.org', span, { domains: [domain] }, nothing, undefined)
  assert.equal(report.isDeclared, false)
  assert.match(reportText(report), /not declared now/)
  assert.match(reportHtml(report), /nothing is known/)
})
